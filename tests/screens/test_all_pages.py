"""Every page that the code can build is among the pictures."""

import re
from pathlib import Path

import pytest

from kiosk.domain.health import SLOTS
from kiosk.staff.status import SLOT_NAMES
from tests.screens.lives import lived
from tests.screens.names import NameNotFound, built_names
from tests.screens.pages import pages
from tests.screens.poses import questions

NEVER_SHOWN: frozenset[str] = frozenset()


def test_every_page_of_the_code_is_pictured() -> None:
    """A new page without a picture fails here: add it to tests/screens/pages, or live it in tests/screens/lives.py."""
    pictured = {question.name for question in questions().values()}
    missing = {
        name: where
        for name, where in built_names().items()
        if not any(re.fullmatch(name, one) for one in pictured) and name not in NEVER_SHOWN
    }
    assert missing == {}


def test_no_picture_is_of_a_page_that_is_gone() -> None:
    """Pages and lives show what the code builds, and nothing that it built once."""
    known = list(built_names())
    names = {question.name for question in (*pages().values(), *lived().values())}
    assert [name for name in sorted(names) if not any(re.fullmatch(pattern, name) for pattern in known)] == []


PLANTED = """
from kiosk.ports import Question

def shown(name, heading):
    return Question(name, heading)

def two(late, state):
    shown("planted_by_a_caller", "a")
    Question("planted_late" if late else "planted_early", "b")
    return Question(f"planted_{state.value}_state", "c")
"""


def test_names_are_followed_through_callers_and_choices(tmp_path: Path) -> None:
    """A literal, a parameter of a function, either side of a choice, and words with something unknown inside."""
    (tmp_path / "kiosk").mkdir()
    (tmp_path / "kiosk" / "planted.py").write_text(PLANTED)
    names = {"planted_by_a_caller", "planted_late", "planted_early", "planted_.+_state"}
    assert set(built_names(tmp_path / "kiosk")) == names


def test_a_name_that_cannot_be_followed_is_an_error(tmp_path: Path) -> None:
    """A page whose name nobody can read from the source could not be missed."""
    (tmp_path / "kiosk").mkdir()
    (tmp_path / "kiosk" / "planted.py").write_text("def f(page):\n    return Question(page.name, 'a')\n")
    with pytest.raises(NameNotFound, match=r"page\.name"):
        built_names(tmp_path / "kiosk")


def test_every_slot_has_a_name_for_staff() -> None:
    """The status page can speak of every device that settings can name."""
    assert set(SLOT_NAMES) >= set(SLOTS)
