"""Every page of the staff side as it was asked in lived visits: whole, in reach and apart, in every mode and size."""

from itertools import combinations
from pathlib import Path

import pytest
from trio.testing import MockClock

from kiosk.domain.books import Account, balanced
from kiosk.domain.card import PinResult, PinVerdict
from kiosk.domain.entries import NewEntry
from kiosk.domain.health import Condition, Health
from kiosk.ports import Question
from screens.theme import Box
from simulators.pki import make_pki
from tests.flows.duty import DutyRoom
from tests.screens.poses import POSES, pages
from tests.screens.test_geometry import (
    BETWEEN_MM_MIN,
    MAIN_MM_MIN,
    TARGET_MM_MIN,
    _gaps,
    _ground,
    _ink,
    _inside,
    _overlap,
    _words,
)

VALUES = (10_000, 5_000, 2_000, 1_000, 500, 100)
COUNT = {f"staff_count_{value}": 9 for value in VALUES} | {f"staff_load_{value}": 9 for value in VALUES}
ALL = {
    "staff_open": "done",
    "staff_seal": 123456789012,
    "staff_counted": "understood",
    "staff_status": "back",
    "staff_cases": "back",
    "staff_case": "back",
    "staff_figures": "done",
    "staff_booked": "understood",
    "staff_waits": "understood",
    "staff_may_not_approve": "understood",
    "staff_not_approved": "understood",
    "staff_nothing_waits": "understood",
    "staff_money_moves": "understood",
    "staff_end_of_day": "print",
    "staff_day_ended": "understood",
    "staff_pin_refused": "again",
}


@pytest.fixture
def autojump_clock() -> MockClock:
    return MockClock(autojump_threshold=0)


async def test_every_staff_page_is_whole(autojump_clock: MockClock, tmp_path: Path) -> None:
    """Words stand inside their targets and the glass, overlap nothing, and targets are large, apart and in reach."""
    asked = await _asked(DutyRoom(tmp_path / "data", make_pki(tmp_path / "pki")))
    missing = {"staff_menu", "staff_status", "staff_cases", "staff_case", "staff_approve", "staff_seal"} - asked.keys()
    assert not missing
    for question in asked.values():
        for pose in POSES:
            for moment, picture in pages(pose, question):
                _check(f"{question.name} {pose.name} page {moment.page}", pose.theme(), picture)


async def _asked(room: DutyRoom) -> dict[str, Question]:
    """Two people through everything there is, on a terminal with much to explain."""
    found: dict[str, Question] = {}
    room.kiosk.receipts.broken = Health(Condition.FAULT, "paper_out")
    held = balanced((Account.CASH_BOX, 987_654_321), (Account.SUSPENSE, -987_654_321))
    room.journal.commit(NewEntry("dispense_uncertain", "451207", {"unaccounted_fen": 987_654_321}, "C1", held))
    room.kiosk.pin.verdicts = [PinVerdict(PinResult.WRONG, 2), PinVerdict(PinResult.OK)]
    first, second = room.card("1001", "clerk"), room.card("1002", "supervisor")
    everything = ["status", "cases", "approve", "cash_box", "cash_box", "drums", "approve", "end_of_day", "finish"]
    plan = [
        (first, everything, {"staff_cases": ["451207", "back"]}),
        (second, ["approve", "approve", "finish"], {"staff_approve": ["approve", "refuse"]}),
    ]
    for card, menu, more in plan:
        await room.visit(card, staff_menu=menu, **(ALL | COUNT | more))
        found |= {one.name: one for one in room.kiosk.screen.asked if one.name.startswith("staff_")}
    room.journal.commit(NewEntry("note_intent", "451208", {"note": "n"}, opens="note:n"))
    await room.visit(first, staff_menu=["cash_box", "finish"], **ALL)
    found |= {one.name: one for one in room.kiosk.screen.asked if one.name.startswith("staff_")}
    room.journal.close()
    return found


def _check(where: str, theme, picture) -> None:  # type: ignore[no-untyped-def]
    glass = Box(0, 0, theme.width, theme.height)
    boxes = {target.act: target.box for target in picture.targets}
    for target in picture.targets:
        least = MAIN_MM_MIN if target.main else TARGET_MM_MIN
        assert min(target.box.h, target.box.w) * theme.mm_per_px >= least, (where, target)
        assert target.box.y >= theme.touch_top, (where, target)
    for one, other in combinations(picture.targets, 2):
        assert max(*_gaps(one.box, other.box)) * theme.mm_per_px >= BETWEEN_MM_MIN, (where, one.act, other.act)
    for words in _words(picture):
        assert _inside(_ink(words), glass), (where, words)
        assert words.ground == _ground(picture, words), (where, words)
        if words.target:
            assert _inside(_ink(words), boxes[words.target]), (where, words)
        else:
            assert not any(_overlap(_ink(words), box) for box in boxes.values()), (where, words)
    for one, other in combinations(_words(picture), 2):
        assert not _overlap(_ink(one), _ink(other)), (where, one.words, other.words)
