"""Parts of the lock hold what they are for, and nothing that was not locked."""

import pytest

from tests.tidy.sources import HOUSE
from tools import lock

LOCK = (HOUSE / "requirements.lock").read_text()
PYPROJECT = (HOUSE / "pyproject.toml").read_text()
SMALL = """\
kivy==2 \\
    --hash=sha256:aa
    # via yikatong (pyproject.toml)
attrs==1 \\
    --hash=sha256:bb \\
    --hash=sha256:cc
    # via
    #   outcome
    #   pytest
outcome==3 \\
    --hash=sha256:dd
    # via kivy
pytest==4 \\
    --hash=sha256:ee
    # via yikatong (pyproject.toml)
"""


def names(part: str) -> set[str]:
    return set(lock.entries(part))


def test_part_is_closed_over_what_brings_what() -> None:
    """A package brings along what it needs and what that needs, with all hashes, and nothing of its neighbours."""
    part = lock.part(SMALL, {"kivy"})
    assert names(part) == {"kivy", "outcome", "attrs"}
    assert "sha256:cc" in part
    assert "pytest==" not in part


def test_every_entry_of_the_lock_is_understood() -> None:
    """An entry that the cutter cannot read would silently be missing from a package."""
    assert len(lock.entries(LOCK)) == sum(1 for line in LOCK.splitlines() if line[:1].isalnum() and "==" in line)


def test_terminal_gets_no_server_and_no_tests() -> None:
    """What a terminal runs on contains nothing that serves, tests or simulates."""
    part = names(lock.part(LOCK, lock.roots(PYPROJECT, lock.PARTS["terminal"])))
    assert {"kivy", "trio", "pyscard"} <= part
    assert not part & {"uvicorn", "starlette", "psycopg", "pytest", "mypy", "hypercorn", "pip"}


def test_lock_that_is_too_old_is_refused() -> None:
    """A dependency that nobody locked stops the build instead of being fetched without a hash."""
    with pytest.raises(KeyError, match="not-locked-at-all"):
        lock.part(LOCK, {"not-locked-at-all"})
