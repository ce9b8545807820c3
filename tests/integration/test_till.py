"""The cash module as hands meet it: what can be fed, what comes out, what staff take out of a jam."""

from pathlib import Path

import pytest

from simulators.front_panel.front import NotPossible
from simulators.till import Till


@pytest.fixture
def till(tmp_path: Path) -> Till:
    return Till(tmp_path / "cash", lambda: None)


def test_a_shut_slot_takes_nothing(till: Till) -> None:
    """Before anybody enables it the note stays in the hand; a note that does not exist is nothing at all."""
    assert not till.front().lit
    with pytest.raises(NotPossible):
        till.feed(100)
    with pytest.raises(LookupError):
        till.feed(3)
    with pytest.raises(LookupError):
        till.feed(10, "painted")


def test_an_empty_outlet_gives_nothing(till: Till) -> None:
    """Notes can be taken only where some lie, and only once."""
    with pytest.raises(NotPossible):
        till.take_notes()
    till.recycler.outlet = [10, 1]
    assert till.front().outlet == (10, 1)
    till.take_notes()
    assert till.front().outlet == ()


def test_the_cash_box_goes_with_what_is_in_it(till: Till) -> None:
    """Whoever takes the box out holds its notes; the one that is put in is empty."""
    till.recycler.box = [100, 50]
    till.turn("cash_box_out", on=True)
    assert till.is_on("cash_box_out")
    till.turn("cash_box_out", on=False)
    assert till.front().with_staff == (100, 50)
    assert till.front().box_yuan == 0


@pytest.mark.parametrize("jam", ["note_jam", "stacker_jam", "dispenser_jam"])
def test_a_jam_is_there_until_it_is_cleared(till: Till, jam: str) -> None:
    """A jam's switch shows what the unit will do; turning it off is staff at the open machine."""
    till.turn(jam, on=True)
    assert till.is_on(jam)
    till.turn(jam, on=False)
    assert not till.is_on(jam)
    assert till.front().with_staff == ()
