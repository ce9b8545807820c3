"""What the menu says of this terminal's own fittings: a reader with its own pad, and a bank that no card can reach."""

from typing import NoReturn

import pytest
import trio
from msgspec import structs
from trio.testing import MockClock

from kiosk.doctor.findings import bank_card_findings
from kiosk.ports import CardGone, Question
from kiosk.ports.debit import DebitAct, DebitRules
from tests.flows.fittings import FakeReader
from tests.flows.money import CashMachine
from tests.flows.people import KioskInMemory

PAYING = ("settle_medical_bill", "pay_inpatient_deposit")
NO_COMMANDS = "cannot pay: this reader passes no commands to the card (ldt33: icc_device)"
NO_BANK_PAD = "cannot pay: no slot pin_pad, and a bank PIN is never asked at the card reader"
HOSTS = ("hospital", "medical_insurance", "bank")


class DebitFakeReader(FakeReader):
    """Its card was pulled just now, whenever a bank application is wanted."""

    async def open_debit(self, rules: DebitRules, act: DebitAct) -> NoReturn:
        raise CardGone


async def menu_of(kiosk: KioskInMemory) -> Question:
    kiosk.script["menu"] = ["take_card"]
    await kiosk.visit()
    return next(one for one in kiosk.screen.asked if one.name == "menu")


def without(kiosk: KioskInMemory, slot: str) -> None:
    """A terminal that was never fitted with it."""
    del kiosk.settings.slots[slot], kiosk.supervisor.slots[slot]


async def test_a_reader_with_its_own_pad_needs_no_other(autojump_clock: MockClock) -> None:
    """Mode A on a terminal without a PIN pad: every service that needs the chip PIN alone is open."""
    kiosk = KioskInMemory()
    kiosk.desk.settings = structs.replace(kiosk.settings, pin_mode="A")
    without(kiosk, "pin_pad")
    menu = await menu_of(kiosk)
    assert len(menu.answers) > 3
    assert all(answer.unavailable is None for answer in menu.answers)


async def test_in_mode_b_the_pad_is_needed(autojump_clock: MockClock) -> None:
    """The same terminal in mode B can ask for no PIN."""
    kiosk = KioskInMemory()
    without(kiosk, "pin_pad")
    assert (await menu_of(kiosk)).answer("query_account").unavailable is not None


@pytest.mark.parametrize("fitted", [True, False])
async def test_a_bank_that_no_card_reaches_is_said_on_the_tile(autojump_clock: MockClock, fitted: bool) -> None:
    """The reader opens no bank application: what can be paid in notes says so, what cannot is shut with the reason."""
    kiosk = KioskInMemory(hosts_named=HOSTS, cash=CashMachine({10: 5}) if fitted else None)
    menu = await menu_of(kiosk)
    for name in PAYING:
        tile = menu.answer(name)
        said = tile.note if fitted else tile.unavailable
        assert said is not None and "bank card" in said.msgid.lower()
        assert (tile.unavailable is None) is fitted
    assert menu.answer("query_account").note is None


async def test_where_a_bank_card_can_pay_nothing_is_said(autojump_clock: MockClock) -> None:
    """A reader that opens the bank application, and a pad: the tile is the plain one."""
    kiosk = KioskInMemory(hosts_named=HOSTS, cash=CashMachine({10: 5}), reader=DebitFakeReader())
    menu = await menu_of(kiosk)
    assert [(menu.answer(name).note, menu.answer(name).unavailable) for name in PAYING] == [(None, None)] * 2


async def test_without_a_pad_no_bank_card_pays(autojump_clock: MockClock) -> None:
    """Mode A with the reader's pad alone: that one takes no bank PIN."""
    kiosk = KioskInMemory(hosts_named=HOSTS, cash=CashMachine({10: 5}), reader=DebitFakeReader())
    kiosk.desk.settings = structs.replace(kiosk.settings, pin_mode="A")
    without(kiosk, "pin_pad")
    tile = (await menu_of(kiosk)).answer("settle_medical_bill")
    assert tile.note is not None and tile.unavailable is None


@pytest.mark.parametrize(
    ("reader", "hosts", "pad", "findings"),
    [
        (FakeReader, ("hospital",), True, []),
        (DebitFakeReader, HOSTS, True, [("ok", "can pay")]),
        (FakeReader, HOSTS, True, [("warn", NO_COMMANDS)]),
        (DebitFakeReader, HOSTS, False, [("warn", NO_BANK_PAD)]),
    ],
)
async def test_the_doctor_says_whether_a_bank_card_can_pay(
    autojump_clock: MockClock, reader: type[FakeReader], hosts: tuple[str, ...], pad: bool, findings: list[object]
) -> None:
    """Nothing of a terminal without a bank; else yes, or what the installer has to do."""
    kiosk = KioskInMemory(hosts_named=hosts, reader=reader())
    if not pad:
        without(kiosk, "pin_pad")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(kiosk.supervisor.run)
        await kiosk.supervisor.wait_tried()
        found = bank_card_findings(kiosk.settings, kiosk.supervisor)
        nursery.cancel_scope.cancel()
    assert [(one.verdict, one.why) for one in found] == findings


async def test_the_doctor_knows_nothing_of_a_reader_that_is_away(autojump_clock: MockClock) -> None:
    """Whether it opens the bank application is its own business: unknown, never fine."""
    kiosk = KioskInMemory(hosts_named=HOSTS)
    (finding,) = bank_card_findings(kiosk.settings, kiosk.supervisor)
    assert finding.verdict == "unknown"
