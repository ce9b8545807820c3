"""How visits end: paper that is seen, cards that change hands while a page stands, the next one at the slot."""

from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from kiosk.domain.health import Condition, Health
from kiosk.domain.receipt import PaperReceipt
from kiosk.ports import DeviceFault, Hands, OutcomeUnknown, OutletEye, PadKey, Place
from offline_queue.journal import SqliteJournal
from tests.flows.fittings import FakeReceiptPrinter
from tests.flows.people import KioskInMemory
from tests.flows.scripted_screen import PULLS_CARD, WALKS_AWAY

LEFT = ("paper_left", "paper_left_behind")
FORGOTTEN_PIN: dict[str, Any] = {  # prints a note about where to reset the PIN
    "menu": ["query_account", "take_card"],
    "pin_entry": "forgot",
    "forgot_pin": "print",
}


class SeeingPrinter(FakeReceiptPrinter):
    """Has an eye in its outlet; ``withdraws``: it can take paper back."""

    def __init__(self, withdraws: bool = False) -> None:
        super().__init__()
        self.paper_waiting: bool | None = False
        self.withdraws = withdraws
        self._taken = trio.Event()

    async def print_receipt(self, receipt: PaperReceipt) -> None:
        await super().print_receipt(receipt)
        self.paper_waiting, self._taken = True, trio.Event()

    def take(self) -> None:
        self.paper_waiting = False
        self._taken.set()

    async def wait_taken(self) -> None:
        if self.paper_waiting is not False:
            await self._taken.wait()

    async def withdraw(self) -> bool:
        await trio.sleep(2)
        if self.withdraws:
            self.take()
        return self.withdraws


def forgetful(printer: SeeingPrinter, script: dict[str, Any] = FORGOTTEN_PIN) -> KioskInMemory:
    """A resident who gets a note about a forgotten PIN."""
    kiosk = KioskInMemory(deepcopy(script), receipts=printer)
    kiosk.pin.never_ends = True
    return kiosk


async def _put_in_and_pull(kiosk: KioskInMemory) -> None:
    """The card goes in, and out again as soon as the page asks for it."""
    await trio.sleep(3)
    kiosk.reader.insert()
    while kiosk.screen.names()[-1] != "take_card":
        await trio.sleep(0.1)
    kiosk.reader.pull()


async def test_a_receipt_that_is_seen_is_waited_for_until_it_is_taken(autojump_clock: MockClock) -> None:
    """The page stands and calls; taking the paper ends it, and nobody is told of anything."""
    printer = SeeingPrinter()
    assert isinstance(printer, OutletEye)
    kiosk = forgetful(printer)

    async def resident() -> None:
        await _put_in_and_pull(kiosk)
        while kiosk.screen.names()[-1] != "paper_left":
            await trio.sleep(0.1)
        await trio.sleep(20)
        printer.take()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(resident)
        await kiosk.serve(lambda: kiosk.screen.names()[-2:] == ["paper_left", "insert_card"])
    page = next(one for one in kiosk.screen.asked if one.name == "paper_left")
    assert page.body == Hands((Place.RECEIPT_OUTLET,), taking=True)
    assert kiosk.hosts.staff_calls == []
    assert "paper_left" not in kiosk.journal.names()


async def test_a_receipt_that_was_taken_is_not_asked_for(autojump_clock: MockClock) -> None:
    """Who took it before the card is not reminded of it."""
    printer = SeeingPrinter()
    kiosk = forgetful(printer)

    async def resident() -> None:
        await trio.sleep(3)
        kiosk.reader.insert()
        while not printer.papers:
            await trio.sleep(0.1)
        printer.take()
        while kiosk.screen.names()[-1] != "take_card":
            await trio.sleep(0.1)
        kiosk.reader.pull()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(resident)
        await kiosk.serve(lambda: kiosk.screen.names()[-2:] == ["take_card", "insert_card"])
    assert "paper_left" not in kiosk.screen.names()


async def test_a_receipt_left_behind_is_told_to_staff(autojump_clock: MockClock) -> None:
    """After its time the page goes, the paper is taken back where the printer can, and staff are called either way."""
    for withdraws in (False, True):
        kiosk = forgetful(SeeingPrinter(withdraws))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_put_in_and_pull, kiosk)
            await kiosk.serve(lambda kiosk=kiosk: LEFT in kiosk.hosts.staff_calls)  # type: ignore[misc]
        assert kiosk.screen.names()[-1] == "insert_card"
        (facts,) = [facts for act, _, facts in kiosk.journal.acts if act == "paper_left"]
        assert facts == {"withdrawn": int(withdraws)}


async def test_the_next_card_is_not_kept_waiting_by_paper(autojump_clock: MockClock) -> None:
    """A card put in ends the page at once; staff still hear of the paper."""
    kiosk = forgetful(SeeingPrinter())
    kiosk.script["menu"] = ["query_account", "take_card", WALKS_AWAY]
    served_at = 0.0

    async def residents() -> None:
        nonlocal served_at
        await _put_in_and_pull(kiosk)
        while kiosk.screen.names()[-1] != "paper_left":
            await trio.sleep(0.1)
        kiosk.reader.insert()
        before = trio.current_time()
        while kiosk.screen.names()[-1] != "menu":
            await trio.sleep(0.1)
        served_at = trio.current_time() - before

    async with trio.open_nursery() as nursery:
        nursery.start_soon(residents)
        await kiosk.serve(lambda: LEFT in kiosk.hosts.staff_calls and served_at > 0)
    assert served_at < 1.0


async def test_a_sheet_beside_a_seen_receipt_is_still_asked_for(autojump_clock: MockClock) -> None:
    """The eye is the receipt printer's: of the A4 sheet the page can only remind."""
    printer = SeeingPrinter()
    script = {
        "menu": ["query_account"],
        "pin_entry": ["forgot"],
        "forgot_pin": "print",
        "choose_certificate": "insurance_certificate",
        "certificate_done": PULLS_CARD,
        "take_paper": "understood",
    }
    kiosk = forgetful(printer, script)

    async def resident() -> None:
        await trio.sleep(3)
        kiosk.reader.insert()
        while not printer.papers:
            await trio.sleep(0.1)
        printer.take()
        while kiosk.screen.names()[-1] != "menu":
            await trio.sleep(0.1)
        kiosk.pin.never_ends = False
        kiosk.screen.key(PadKey.DIGIT_2)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(resident)
        await kiosk.serve(lambda: "take_paper" in kiosk.screen.names())
    page = next(one for one in kiosk.screen.asked if one.name == "take_paper")
    assert Place.PAGE_OUTLET in page.body.places  # type: ignore[union-attr] # its body is Hands


async def test_a_card_swapped_behind_a_page_never_sees_the_former_menu(autojump_clock: MockClock) -> None:
    """A page that outlives its card is answered by the next resident, whose card stands in the slot by then.

    The visit of the one who left is over: no menu in their name, no verified PIN for a stranger.
    """
    kiosk = KioskInMemory(
        {
            "menu": ["print_certificate", WALKS_AWAY],
            "choose_certificate": "insurance_certificate",
            "certificate_unknown": [WALKS_AWAY],
        }
    )
    kiosk.pages.fault = OutcomeUnknown("page_printer", "silence")  # about paper: this page outlives the card

    async def residents() -> None:
        await trio.sleep(3)
        kiosk.reader.insert()
        while kiosk.screen.names()[-1] != "certificate_unknown":
            await trio.sleep(0.1)
        kiosk.reader.pull()
        await trio.sleep(2)
        kiosk.reader.insert()
        await trio.sleep(2)
        kiosk.screen.key(PadKey.ENTER)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(residents)
        await kiosk.serve(lambda: kiosk.journal.names().count("visit_opened") == 2)
    names = kiosk.journal.names()
    assert names.index("visit_closed") < len(names) - 1 - names[::-1].index("visit_opened")
    assert names.count("pin_entered") == 1


async def test_what_was_not_printed_is_told_until_the_next_card_comes(autojump_clock: MockClock) -> None:
    """Who took the card meanwhile still learns that nothing came out; the next resident does not wait for that page."""
    kiosk = KioskInMemory(
        {
            "menu": ["print_certificate", WALKS_AWAY],
            "choose_certificate": "insurance_certificate",
            "device_out": WALKS_AWAY,
        }
    )
    kiosk.pages.fault = DeviceFault("page_printer", Health(Condition.FAULT, "paper_out"))
    kiosk.pages.while_printing = kiosk.reader.pull
    told_at = 0.0

    async def residents() -> None:
        nonlocal told_at
        await trio.sleep(3)
        kiosk.reader.insert()
        while kiosk.screen.names()[-1] != "device_out":
            await trio.sleep(0.1)
        await trio.sleep(10)
        assert kiosk.screen.names()[-1] == "device_out"
        kiosk.reader.insert()
        told_at = trio.current_time()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(residents)
        await kiosk.serve(lambda: kiosk.journal.names().count("visit_opened") == 2)
    assert trio.current_time() - told_at < 1.0
    assert "take_card" not in kiosk.screen.names()
    assert "card_left" not in kiosk.screen.names()


async def test_a_card_that_came_unseen_opens_nothing(autojump_clock: MockClock) -> None:
    """The reader was away while the page stood: what it holds when it is back must be put in anew."""
    kiosk = KioskInMemory(
        {
            "menu": ["print_certificate"],
            "choose_certificate": "insurance_certificate",
            "device_out": WALKS_AWAY,
        }
    )
    kiosk.pages.fault = DeviceFault("page_printer", Health(Condition.FAULT, "paper_out"))

    async def accident() -> None:
        await trio.sleep(3)
        kiosk.reader.insert()
        while kiosk.screen.names()[-1] != "device_out":
            await trio.sleep(0.1)
        kiosk.reader.pull()
        await trio.sleep(1)
        kiosk.break_device(kiosk.reader, "reader_gone")
        await trio.sleep(1)
        kiosk.reader.broken, kiosk.reader.breaks = None, trio.Event()
        kiosk.reader.insert()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(accident)
        await kiosk.serve(lambda: kiosk.screen.names()[-1:] in (["card_left"], ["card_inside"]))
    assert kiosk.journal.names().count("visit_opened") == 1


def _journal(folder: Path) -> SqliteJournal:
    return SqliteJournal(folder, lambda: datetime(2026, 11, 21, 10, 24, tzinfo=UTC))


@pytest.mark.parametrize("ended", [True, False])
async def test_after_a_power_cut_nobody_is_blamed(tmp_path: Path, ended: bool, autojump_clock: MockClock) -> None:
    """Whoever finds their card in a machine that came back reads what to do; who was changing the PIN, the doubt."""
    journal = _journal(tmp_path)
    journal.record("pin_change_started", "451207", key="k1")
    if ended:
        journal.record("pin_change_ended", "451207", key="k1", result="ok")
    kiosk = KioskInMemory({}, journal=journal)
    kiosk.reader.insert()
    await kiosk.serve(lambda: kiosk.screen.names() == ["card_inside"])
    (page,) = kiosk.screen.asked
    assert ("PIN" in page.explain[-1].msgid) != ended
    assert isinstance(page.body, Hands) and page.body.calling
    journal.close()
    again = _journal(tmp_path)
    kiosk = KioskInMemory({}, journal=again)
    kiosk.reader.insert()
    await kiosk.serve(lambda: kiosk.screen.names() == ["card_inside"])
    assert "PIN" not in kiosk.screen.asked[0].explain[-1].msgid
    again.close()


async def test_a_receipt_in_the_outlet_at_the_start_is_asked_for(autojump_clock: MockClock) -> None:
    """It came out before the power went; the printer sees it, and it names somebody."""
    printer = SeeingPrinter()
    printer.paper_waiting = True
    kiosk = KioskInMemory({}, receipts=printer)
    await kiosk.serve(lambda: LEFT in kiosk.hosts.staff_calls)
    assert kiosk.screen.names()[0] == "paper_left"
    assert kiosk.screen.names()[-1] == "insert_card"
