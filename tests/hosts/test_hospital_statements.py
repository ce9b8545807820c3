"""Details that the hospital gives once they are final, and a bill that was given back: client, document and sandbox."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from kiosk.domain.money import Fen
from kiosk.domain.settlement import UndonePayment
from kiosk.ports import HostRefused
from simulators.hosts.bank_books import BankBooks, BookedAct
from tests.hosts.medical import Clinic
from tests.hosts.test_hospital import NOON, Lobby


@pytest.fixture
def lobby(tmp_path: Path) -> Iterator[Lobby]:
    made = Lobby(tmp_path)
    yield made
    made.sandbox.close()


async def test_the_statement_shows_this_terminals_acts(tmp_path: Path) -> None:
    """On the day after, the platform's detail has this terminal's settlements and voids, and nobody else's."""
    lobby, clinic = Lobby(tmp_path), Clinic(tmp_path)
    person, bill = await clinic.person("li_jianguo"), clinic.bill("li_jianguo", 1)
    made = await clinic.client.settle(person, bill, True, clinic.client.new_message_id())
    undone = clinic.client.new_message_id()
    await clinic.client.void(person, made, undone)
    with pytest.raises(HostRefused, match="not_reconciled_yet"):
        await lobby.hospital.statement(NOON.date(), 100, 199)
    lobby.now += timedelta(days=1)
    rows = await lobby.hospital.statement(NOON.date(), 100, 199)
    assert [(row.message_id, row.undoing, row.agrees) for row in rows] == [
        (made.message_id, False, True), (undone, True, True),
    ]  # fmt: skip
    assert sum(row.total_fen for row in rows) == sum(row.account_fen for row in rows) == 0
    assert rows[0].fund_fen == made.split.fund_fen
    assert await lobby.hospital.statement(NOON.date(), 200, 299) == ()
    lobby.sandbox.close()
    clinic.platform.close()


async def test_a_day_can_be_over_early(tmp_path: Path) -> None:
    """Whoever lives the next day in one sitting has the hospital reconcile today at once."""
    lobby = Lobby(tmp_path)
    lobby.sandbox.weather.change(day_is_over=True)
    assert await lobby.hospital.statement(NOON.date(), 1, 9999) == ()
    assert await lobby.hospital.bank_statement(NOON.date(), "00000001") == ()
    lobby.sandbox.close()


async def test_the_banks_file_reaches_the_terminal_it_is_about(tmp_path: Path) -> None:
    """Acts of this terminal as the bank has them, nobody else's, and not what never arrived."""
    lobby, books = Lobby(tmp_path), BankBooks(tmp_path, [])
    for terminal, trace, state in (
        ("00000001", "000001", "booked"), ("00000001", "000002", "reversed"), ("00000002", "000003", "booked"),
        ("00000001", "000004", "never"),
    ):  # fmt: skip
        books.add(BookedAct(terminal, "000001", trace, "purchase", "6" * 19, 700, "R1", "A1", state, "2026-11-21"))
    with pytest.raises(HostRefused, match="not_reconciled_yet"):
        await lobby.hospital.bank_statement(NOON.date(), "00000001")
    lobby.now += timedelta(days=1)
    rows = await lobby.hospital.bank_statement(NOON.date(), "00000001")
    assert [(row.trace_number, row.amount_fen, row.state) for row in rows] == [
        ("000001", 700, "booked"), ("000002", 700, "reversed"),
    ]  # fmt: skip
    books.close()
    lobby.sandbox.close()


async def test_a_bill_given_back_is_unpaid_again(lobby: Lobby) -> None:
    """Once by one key; a bill that was paid elsewhere is not given back here."""
    made = lobby.settlement()
    undone = UndonePayment(lobby.bill.bill_id, made.settlement_id, "V1", lobby.bill.total_fen, Fen(0))
    with pytest.raises(HostRefused, match="not_paid_here"):
        await lobby.hospital.notify_undone(undone, "undone-0")
    claim = await lobby.hospital.claim(lobby.bill, "lease-1")
    await lobby.hospital.notify_paid(claim, made, "account", "notice-1")
    for _ in range(2):
        await lobby.hospital.notify_undone(undone, "undone-1")
    assert lobby.bill.bill_id in [bill.bill_id for bill in await lobby.hospital.unpaid_bills(lobby.card, lobby.holder)]
    with pytest.raises(HostRefused, match="key_reused"):
        await lobby.hospital.notify_undone(replace(undone, message_id="V2"), "undone-1")
