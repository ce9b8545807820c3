"""The list of planted bugs follows the code: a bug that cannot be planted any more proves nothing."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

HOUSE = Path(__file__).parents[2]
LIST = tomllib.loads((Path(__file__).parent / "mutants.toml").read_text(encoding="utf-8"))["mutant"]


@pytest.mark.parametrize("planted", LIST, ids=lambda one: one["name"])
def test_each_still_has_its_place(planted: dict[str, Any]) -> None:
    """What it changes stands exactly once in its file, and is changed by it."""
    text = (HOUSE / planted["file"]).read_text(encoding="utf-8")
    for before, after in [(planted["before"], planted["after"]), *planted.get("also", [])]:
        assert text.count(before) == 1
        assert before != after


def test_there_are_enough_of_them() -> None:
    """At least twenty-five, each with a name of its own."""
    assert len({one["name"] for one in LIST}) == len(LIST) >= 25
