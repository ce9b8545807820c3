"""A resident before a terminal that is started from its image, with every device at a real USB port of the guest."""

from pathlib import Path

import pytest

from kiosk.domain.books import Account, totals
from kiosk.settings.config import Settings, load_settings
from kiosk.visit.questions import insert_card, out_of_order
from offline_queue.reader import open_reader
from offline_queue.verify import verify
from simulators.hosts.medical_insurance import visit_of
from simulators.hosts.medical_insurance_books import Row
from simulators.smoke.documents import names_holder
from simulators.waiting import until
from simulators.worlds.world import BillEntry, Resident
from tests.appliance.box import make_stick
from tests.appliance.disks import Built
from tests.appliance.pages import SHARE_MAX, differing, rendered
from tests.appliance.stage import PAGE_S_MAX, Stage, Visitor, stage
from tests.lives.books import NEVER_LEFT

pytestmark = [pytest.mark.slow, pytest.mark.appliance, pytest.mark.emulated, pytest.mark.timeout(1800)]
BOOKED_S_MAX = 180.0


@pytest.mark.longest(300)
async def test_a_resident_is_served_over_usb(image: Built, bench: Path) -> None:
    """Balance, sealed certificate and a bill in notes, by finger and pad; pad, reader and panel are pulled and come
    back; a keyboard, a mouse and a network stick are refused, and a stick of somebody's reaches nobody."""
    async with stage(image, bench) as around, around.switched_on() as visitor:
        await visitor.finds_it_open()
        await _glass_is_as_painted(visitor, load_settings(bench / "box" / "settings.toml"))
        await _reader_is_pulled(visitor)
        await _pad_is_pulled(visitor)
        for stranger in ("usb-kbd", "usb-mouse", "usb-net"):
            await visitor.plugs_stranger(stranger)
        await visitor.plugs_stick(make_stick(bench / "stick.img"))
        assert visitor.glass.look().question == "insert_card", "a stick of anybody's changes nothing"
        await visitor.pulls_panel()
        await visitor.plugs_panel()
        card = around.payer
        await visitor.puts_card_in(card.handle)
        await visitor.sees("menu")
        await _pad_is_pulled_in_use(visitor)
        await visitor.looks_at_the_balance(card.pin)
        await _prints_a_certificate(visitor, around)
        bill, before = await _agrees(visitor, around), around.content_yuan
        await visitor.sees("feed_notes")
        fed = await visitor.feeds()
        change = await visitor.takes_notes()
        await visitor.sees("bill_settled")
        await _paid(around, bill)
        assert around.content_yuan - before == fed - change
        await until(lambda: bool(visitor.around.printer.papers), PAGE_S_MAX, "a receipt")
        paper = visitor.around.printer.papers[-1]
        assert paper.whole
        assert f"{_cash_fen(around, bill) / 100:,.2f}" in paper.text.replace(" ", "")
        await visitor.answers("understood", "menu")
        await visitor.answers("take_card", "take_card")
        await visitor.takes_card()
        visitor.around.printer.take_paper(paper.id)
        await visitor.sees("insert_card")
        await visitor.computer.press_power()
        await visitor.computer.until_off(PAGE_S_MAX)
    _books_of(around.journal())


@pytest.mark.longest(300)
async def test_the_power_fails_in_the_middle_of_a_settlement(image: Built, bench: Path) -> None:
    """The platform has booked and its answer is lost: the next start finds it, owes the change, and all books agree."""
    async with stage(image, bench) as around:
        before, owed_fen = around.content_yuan, _owed_fen(around)
        weather = around.around.outside.weather
        async with around.switched_on() as visitor:
            await visitor.finds_it_open()
            card = around.payer
            await visitor.puts_card_in(card.handle)
            await visitor.sees("menu")
            bill = await _agrees(visitor, around)
            await visitor.sees("feed_notes")
            weather.change(drop_answer=True, only=frozenset({"medical_insurance"}))
            fed = await visitor.feeds()
            await until(lambda: bool(_booked(around, bill)), BOOKED_S_MAX, "the platform books")
            await visitor.computer.cut_power()
        weather.clear()
        await visitor.takes_card()
        async with around.switched_on() as visitor:
            await visitor.finds_it_open()
            await _paid(around, bill)
            assert visitor.around.till.front().outlet == (), "no money for whoever stands there now"
            await until(lambda: _owed_fen(around) > owed_fen, BOOKED_S_MAX, "what is owed is registered")
            assert _owed_fen(around) - owed_fen == fed * 100 - _cash_fen(around, bill)
            assert around.content_yuan - before == fed
            await visitor.computer.press_power()
            await visitor.computer.until_off(PAGE_S_MAX)
        books, cash_fen = _books_of(around.journal()), _cash_fen(around, bill)
        assert books.get(Account.HOSPITAL, 0) == -cash_fen
        assert books.get(Account.HOLDER_DEBT, 0) == cash_fen - fed * 100


async def _glass_is_as_painted(visitor: Visitor, settings: Settings) -> None:
    """The page that asks for a card stands on the glass as the painter of this tree draws it, and no other."""
    asks, other = rendered(insert_card(), settings, settings), rendered(out_of_order(settings), settings, settings)
    glass = await visitor.computer.until_glass(lambda seen: differing(seen, asks) <= SHARE_MAX, PAGE_S_MAX)
    assert differing(glass, other) > SHARE_MAX


async def _pad_is_pulled(visitor: Visitor) -> None:
    """While nobody is there: the kiosk notices, and finds it again by its name."""
    place = await visitor.hears_of("pin_pad", "ready", 0)
    visitor.around.pad_cable.unplug()
    place = await visitor.hears_of("pin_pad", "absent|fault|unknown", place)
    visitor.around.pad_cable.plug()
    await visitor.hears_of("pin_pad", "ready", place)


async def _reader_is_pulled(visitor: Visitor) -> None:
    """While nobody is there: the glass sends people elsewhere, and asks for cards again once it is back."""
    await visitor.pulls_reader()
    await visitor.sees("out_of_order")
    await visitor.plugs_reader()
    await visitor.sees("insert_card")


async def _pad_is_pulled_in_use(visitor: Visitor) -> None:
    """While it asks for a PIN: the resident is told, nothing has happened, and the next try works."""
    place = len(visitor.computer.serial)
    await visitor.answers("query_account", "pin_entry")
    await until(lambda: visitor.around.pad.lit, PAGE_S_MAX, "the pad asks")
    visitor.around.pad_cable.unplug()
    await visitor.sees("device_out")
    visitor.around.pad_cable.plug()
    place = await visitor.hears_of("pin_pad", "absent|fault|unknown", place)
    await visitor.hears_of("pin_pad", "ready", place)
    await visitor.answers("understood", "menu")


async def _prints_a_certificate(visitor: Visitor, around: Stage) -> None:
    await visitor.answers("print_certificate", "choose_certificate")
    await visitor.answers("insurance_certificate", "certificate_done", limit_s=2 * PAGE_S_MAX)
    printer, holder = around.around.page_printer, _holder(around)
    await until(lambda: bool(printer.sheets), PAGE_S_MAX, "a sheet")
    assert names_holder(printer.sheets[-1].pdf, holder.name, holder.number)
    await visitor.answers("understood", "menu")


async def _agrees(visitor: Visitor, around: Stage) -> BillEntry:
    """To the figures of the first bill that is not paid, and to paying in notes."""
    bill = next(one for one in _holder(around).bills if around.hospital.claims.payment(one.id) is None)
    if await visitor.answers("settle_medical_bill", "pin_entry", "choose_bill") == "pin_entry":
        await visitor.types(around.payer.pin)
        await visitor.sees("choose_bill")
    await visitor.answers(bill.id, "confirm_quote")
    if await visitor.answers("pay", "choose_means", "feed_notes") == "choose_means":
        await visitor.answers("cash", "feed_notes")
    return bill


async def _paid(around: Stage, bill: BillEntry) -> None:
    """Once at the platform, in notes, and the hospital knows it."""
    claims = around.hospital.claims
    await until(lambda: claims.payment(bill.id) is not None, BOOKED_S_MAX, "the hospital has the payment")
    booked, payment = _booked(around, bill), claims.payment(bill.id)
    assert payment is not None
    assert len(booked) == 1
    assert (payment.means, payment.settlement_id) == ("cash", booked[0].setl_id)


def _booked(around: Stage, bill: BillEntry) -> list[Row]:
    return around.platform.platform.live(around.platform.person_number(_holder(around)), visit_of(bill))


def _owed_fen(around: Stage) -> int:
    """What the hospital's register says is owed to anybody."""
    return sum(row.left_fen for row in around.hospital.debts.standing())


def _cash_fen(around: Stage, bill: BillEntry) -> int:
    return int(_booked(around, bill)[0].cash)


def _holder(around: Stage) -> Resident:
    return around.around.world.resident(around.payer.resident)


def _books_of(journal: Path) -> dict[Account, int]:
    """What every account holds by the terminal's own journal, after the auditor's walk over its chain."""
    reader = open_reader(journal)
    try:
        assert verify(reader.connection, reader.public_key, root=reader.root).whole
        books = totals(posting for entry in reader.entries() for posting in entry.postings)
    finally:
        reader.connection.close()
    assert sum(books.values()) == 0, books
    assert not any(books.get(account) for account in NEVER_LEFT), books
    return dict(books)
