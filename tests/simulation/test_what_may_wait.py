"""Two checkers, on the books of a whole kiosk: what they let pass, and that they find what is beside it."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import trio

from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import Facts, NewEntry, NewNotice
from kiosk.domain.money import Fen
from kiosk.money.debts import debt_notice
from kiosk.money.due import DUE, due_key
from kiosk.money.settlement_orders import ORDERED, effect_of
from simulators.deterministic.chance import run_seeded
from simulators.deterministic.checks import hospital_was_told
from simulators.deterministic.known import everything_is_told
from simulators.deterministic.terminal import Life, Terminal
from tests.simulation.plans import demo

CODE, CARD, OTHER = "451207", "Y00000001", "Y00000002"
TOLD_S = 30.0
NAMED: dict[str, str | int] = {"key": "payout-1", "voucher": "QK00000001", "register": "hospital"}


Story = Callable[[Life], Awaitable[list[list[str]]]]


async def _nobody(question: object) -> Any:
    await trio.sleep_forever()


async def _live(folder: Path, story: Story) -> list[list[str]]:
    """What was said, one look after another."""
    terminal = Terminal("what may wait", demo(), folder)
    terminal.load_cash({10: 9})
    said: list[list[str]] = []

    async def alone(life: Life) -> None:
        said.extend(await story(life))

    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(terminal.run_world)
            await terminal.live(_nobody, _nobody, alone)
            nursery.cancel_scope.cancel()
    finally:
        terminal.close()
    return said


def _debts(life: Life) -> list[str]:
    return list(hospital_was_told(life, life.journal.entries()))


def _untold(life: Life) -> list[str]:
    return list(everything_is_told(life, life.journal.entries()))


def _doubt(life: Life, fen: int) -> None:
    doubtful: Facts = {**NAMED, "paid_fen": 0, "unaccounted_fen": fen, "left_fen": 0}
    life.journal.commit(NewEntry("payout_uncertain", CODE, doubtful, CARD))


def _close(life: Life, owed_fen: int, paid_fen: int = 0) -> None:
    parts = [(Account.SUSPENSE, owed_fen + paid_fen), (Account.HOLDER_DEBT, -owed_fen), (Account.SHORTAGE, -paid_fen)]
    by_two: Facts = {"counter": "1", "approver": "2"}
    life.journal.commit(NewEntry("case_closed", CODE, by_two, CARD, balanced(*(one for one in parts if one[1]))))


async def _closed_as_the_holders(life: Life) -> list[list[str]]:
    _doubt(life, 500)
    _close(life, 500)
    said = [_debts(life)]
    again = debt_notice("hospital", "debt-1", CARD, Fen(500), "case_closed")
    life.journal.commit(NewEntry("registered_again", CODE, {}, CARD, notices=(again,)))
    await trio.sleep(TOLD_S)
    said.append(_debts(life))
    _close(life, 300)
    return [*said, _debts(life)]


async def _split_as_paid_in_part(life: Life) -> list[list[str]]:
    _doubt(life, 500)
    _close(life, 300, paid_fen=400)
    return [_debts(life)]


async def _waits_for_its_2208(life: Life) -> list[list[str]]:
    life.terminal.weather.change(platform_down=True)
    _leave_order(life, "order-1", CARD)
    said = [_untold(life)]
    for message_id, card in (("H2", OTHER), ("H1", CARD)):
        due: Facts = {"message_id": message_id}
        life.journal.commit(NewEntry(DUE, CODE, due, card, opens=due_key(message_id)))
        said.append(_untold(life))
    return said


def _leave_order(life: Life, key: str, card: str) -> None:
    facts: Facts = {
        "order": key,
        "bill": "B1",
        "department": "",
        "total_fen": 900,
        "means": "account",
        "most_fen": 900,
        "lease": "lease-1",
        "chip": "00",
    }
    order = NewNotice("medical_insurance", "settlement_order", key, {})
    life.journal.commit(NewEntry(ORDERED, CODE, facts, card, opens=effect_of(key), notices=(order,)))


def test_what_a_payout_left_is_no_new_debt(tmp_path: Path) -> None:
    """Two people say that a doubtful payout was not paid: it stands under its old voucher, and a second one is found.
    One payout excuses one closing."""
    said = run_seeded("old voucher", _live, tmp_path, _closed_as_the_holders)
    twice, more = "500 fen of debts registered, 0 owed", "500 fen of debts registered, 300 owed"
    assert said == [[], [twice], [more]]


def test_what_is_more_than_a_payout_left_is_a_new_debt(tmp_path: Path) -> None:
    """Of seven yuan in suspense five were a payout's, of which four went out: of three owed two must be registered."""
    said = run_seeded("split voucher", _live, tmp_path, _split_as_paid_in_part)
    assert said == [["0 fen of debts registered, 200 owed"]]


def test_an_order_waits_for_its_own_persons_2208_alone(tmp_path: Path) -> None:
    """A settlement that is neither paid nor undone holds its person's order up until the day's detail, and no other."""
    said = run_seeded("order waits", _live, tmp_path, _waits_for_its_2208)
    untold = ["medical_insurance was not told of settlement_order order-1"]
    assert said == [untold, untold, []]
