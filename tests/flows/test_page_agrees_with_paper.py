"""What the last page says of money that went back is what the paper says, also where nobody is certain."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from trio.testing import MockClock

from kiosk.domain.money import Fen
from kiosk.domain.text import Amount
from kiosk.ports import Outcome
from tests.flows.owed import Terminal
from tests.flows.test_pay_contributions import Village

OWED = "We still owe you {amount}: ask at the counter."
CHECKED = "{amount} is being checked. Look in the outlet."
CHANGE = "Your change was {change}."
HUNDRED = 10_000


@pytest.fixture(params=["deposit", "bill", "contribution"])
def stand(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Terminal, str]]:
    made = Village(tmp_path) if request.param == "contribution" else Terminal(tmp_path)
    yield made, request.param
    made.journal.close()


async def overpay(terminal: Terminal, what: str) -> Outcome | None:
    """By 50 yuan: 150 for a deposit, 60 for a bill, 200 for a contribution."""
    if what == "deposit":
        return await terminal.visit(
            "pay_inpatient_deposit", (HUNDRED, HUNDRED), choose_deposit="other", type_deposit=["#150"]
        )
    if what == "bill":
        return await terminal.visit("settle_medical_bill", (1000, HUNDRED))
    return await terminal.visit("pay_contributions", (5000, HUNDRED, HUNDRED))


def told(terminal: Terminal) -> dict[str, int]:
    """Amounts on the last page, by their sentence."""
    page = terminal.kiosk.screen.asked[-1]
    return {
        line.msgid: next(int(value.fen) for value in line.args.values() if isinstance(value, Amount))
        for line in page.explain
        if line.msgid in (OWED, CHECKED, CHANGE)
    }


def has_number(terminal: Terminal) -> bool:
    return bool(terminal.kiosk.screen.asked[-1].case_code)


async def test_change_that_came_out(autojump_clock: MockClock, stand: tuple[Terminal, str]) -> None:
    """All of it is change; nothing is owed, nothing is looked for, and the paper carries the number."""
    terminal, what = stand
    assert await overpay(terminal, what) is Outcome.DONE
    assert told(terminal) == {CHANGE: 5000}
    assert not has_number(terminal)


async def test_change_that_perhaps_came_out(autojump_clock: MockClock, stand: tuple[Terminal, str]) -> None:
    """The exit sensor says nothing: under check, on page and paper, with the number; nobody says that it is owed."""
    terminal, what = stand
    terminal.cash.sensor_fails = True
    assert await overpay(terminal, what) is Outcome.DONE
    assert told(terminal) == {CHECKED: 5000}
    assert has_number(terminal)
    (paper,) = terminal.papers
    assert "不确定是否付出：¥ 50.00 元" in paper
    assert "还欠您：¥ 0.00 元" in paper or not any("还欠您" in line for line in paper)


async def test_change_that_no_note_can_pay(autojump_clock: MockClock, stand: tuple[Terminal, str]) -> None:
    """Owed, on page and paper, and nothing is said of a check."""
    terminal, what = stand
    terminal.cash.drums = {Fen(1000): 0}
    terminal.cash.drums[Fen(5000)] = 1  # so that the notes are taken, and gone when the change is due
    before = terminal.cash.dispense

    async def no_note(*asked: Any) -> None:
        terminal.cash.busy_times = 1
        await before(*asked)

    terminal.cash.dispense = no_note  # type: ignore[method-assign]  # a stand-in with a habit of its own
    assert await overpay(terminal, what) is Outcome.DONE
    assert told(terminal) == {OWED: 5000}
    assert "还欠您：¥ 50.00 元" in terminal.papers[0]
