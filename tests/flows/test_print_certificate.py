"""Print a certificate: nothing unverifiable reaches paper, and nothing printed is forgotten."""

from collections.abc import Callable
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from kiosk.domain.card import PinResult, PinVerdict
from kiosk.domain.certificate import SealFinding
from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceFault, OutcomeUnknown
from tests.flows.people import KioskInMemory
from tests.flows.scripted_screen import PULLS_CARD


def resident(**script: Any) -> KioskInMemory:
    return KioskInMemory(
        {
            "menu": ["print_certificate", "take_card"],
            "choose_certificate": "insurance_certificate",
            "certificate_done": "understood",
            "certificate_not_printed": "understood",
            "certificate_unknown": "understood",
            "host_silent": "understood",
            "device_out": "understood",
        }
        | script
    )


async def test_checked_certificate_is_printed_and_journaled(autojump_clock: MockClock) -> None:
    """One sheet comes out; its number and hash are kept, the document is not."""
    kiosk = resident()
    await kiosk.visit()
    assert kiosk.pages.sheets == [b"%PDF-1.7"]
    printed = next(facts for act, _, facts in kiosk.journal.acts if act == "certificate_printed")
    assert set(printed) == {"number", "sha256"}


@pytest.mark.parametrize("finding", [one for one in SealFinding if one is not SealFinding.GENUINE])
async def test_no_doubtful_seal_reaches_paper(autojump_clock: MockClock, finding: SealFinding) -> None:
    """Every finding but genuine stops before the printer and is journaled by its name."""
    kiosk = resident()
    kiosk.hosts.finding = finding
    await kiosk.visit()
    assert kiosk.pages.sheets == []
    assert "certificate_not_printed" in kiosk.screen.names()
    checked = next(facts for act, _, facts in kiosk.journal.acts if act == "certificate_checked")
    assert checked["result"] == finding.value


async def test_silent_host_means_no_paper(autojump_clock: MockClock) -> None:
    """Without the agency there is no certificate, and the resident hears that nothing was changed."""
    kiosk = resident()
    kiosk.hosts.silent = True
    await kiosk.visit()
    assert "host_silent" in kiosk.screen.names()
    assert kiosk.pages.sheets == []


async def test_paper_out_is_a_fault_not_a_mystery(autojump_clock: MockClock) -> None:
    """A printer that refused surely printed nothing: the resident is told what is missing."""
    kiosk = resident()
    kiosk.pages.fault = DeviceFault("page_printer", Health(Condition.FAULT, "media_empty"))
    await kiosk.visit()
    told = next(question for question in kiosk.screen.asked if question.name == "device_out")
    assert "paper" in told.explain[0].msgid


async def test_printer_silent_after_the_job_is_unknown(autojump_clock: MockClock) -> None:
    """Silence after the job was taken is neither done nor failed; the journal says so."""
    kiosk = resident()
    kiosk.pages.fault = OutcomeUnknown("page_printer", "silence")
    await kiosk.visit()
    assert "certificate_unknown" in kiosk.journal.names()
    assert "certificate_printed" not in kiosk.journal.names()


async def test_card_pulled_while_paper_moves_still_ends_in_paper(autojump_clock: MockClock) -> None:
    """A sheet that is under way is finished and booked although the card is gone, and the resident is reminded."""
    kiosk = resident()
    kiosk.pages.while_printing = kiosk.reader.pull
    await kiosk.visit()
    assert len(kiosk.pages.sheets) == 1
    assert "certificate_printed" in kiosk.journal.names()
    assert "take_paper" in kiosk.screen.names()


async def test_first_pin_prints_nothing(autojump_clock: MockClock) -> None:
    """With the PIN the card was issued with, a certificate is not given out by default."""
    kiosk = resident(pin_initial="understood")
    kiosk.pin.verdicts = [PinVerdict(PinResult.INITIAL)]
    await kiosk.visit()
    assert kiosk.pages.sheets == []


async def test_tile_is_grey_without_a_printer(autojump_clock: MockClock) -> None:
    """When the A4 printer breaks, the menu says so on the tile and the other services stay."""
    kiosk = resident(menu=["take_card"])
    kiosk.pages.broken = Health(Condition.FAULT, "media_empty")
    await kiosk.visit()
    menu = next(question for question in kiosk.screen.asked if question.name == "menu")
    assert menu.answer("print_certificate").unavailable is not None
    assert menu.answer("query_account").unavailable is None


async def test_who_took_the_card_still_learns_that_nothing_was_printed(autojump_clock: MockClock) -> None:
    """The card may be out before the printer fails; the resident in front of it is told all the same."""
    kiosk = resident()
    kiosk.pages.fault = DeviceFault("page_printer", Health(Condition.FAULT, "paper_out"))
    kiosk.pages.while_printing = kiosk.reader.pull
    await kiosk.visit()
    assert "device_out" in kiosk.screen.names()


async def test_sheet_in_the_outlet_does_not_keep_the_next_card_waiting(autojump_clock: MockClock) -> None:
    """Who pulls the card without touching anything is reminded of the sheet, and the next card is served at once."""
    kiosk = resident(menu=["print_certificate", "take_card"], certificate_done=PULLS_CARD)

    async def two_residents() -> None:
        await trio.sleep(3)
        kiosk.reader.insert()
        await came_true(lambda: "take_paper" in kiosk.screen.names())
        kiosk.reader.insert()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(two_residents)
        await kiosk.serve(lambda: kiosk.screen.names().count("menu") == 2)
    assert trio.current_time() < kiosk.settings.timing.paper_left_s


async def came_true(condition: Callable[[], bool]) -> None:
    while not condition():
        await trio.sleep(0.1)
