"""The settings that installers begin with: a terminal enrolled by them has its journal's rows at the fleet."""

import tomllib
from pathlib import Path

import pytest

from tests.tidy.sources import HOUSE

SHIPPED = (
    HOUSE / "image/files/usr/lib/yikatong-image/local/settings.toml",
    *HOUSE.glob("image/package/profiles/*.toml"),
)


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: str(file.relative_to(HOUSE)))
def test_an_enrolled_terminal_copies_its_journal_without_a_file_written_by_hand(file: Path) -> None:
    """Bare or with a profile: what has an agent has the fleet's ledger, too."""
    agent = tomllib.loads(file.read_text())["agent"]
    assert agent["home"]
    assert agent["ledger"] is True
