"""Details that the hospital gives once they are final, and a bill that was given back: client, document and sandbox."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from kiosk.domain.money import Fen
from kiosk.domain.settlement import PaidBy, UndoneDeposit, UndonePayment
from kiosk.hosts.hospital.client import DebtRegisterClient, HospitalClient
from kiosk.hosts.hospital.details import codec as details
from kiosk.hosts.shape import BadShape
from kiosk.ports import HostRefused
from simulators.hosts.bank_books import BankBooks, BookedAct
from simulators.hosts.hospital_detail import Means
from tests.hosts.medical import DEMO, Clinic, card_of
from tests.hosts.test_hospital import NOON, Lobby

STAY = "ZY20261101"


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


async def test_a_deposit_says_how_it_was_paid(lobby: Lobby) -> None:
    """Notes, or a card with the bank's numbers of the purchase; by the same key the first telling counts."""
    card, holder = card_of(DEMO, "wang_xiulan")
    by_card = PaidBy("bank_card", "000001", "000042", "R00000000042", "A00042", "1121")
    for _ in range(2):
        await lobby.hospital.deposit(card, holder, STAY, Fen(20_000), by_card, "deposit-1")
    await lobby.hospital.deposit(card, holder, STAY, Fen(10_000), PaidBy("cash"), "deposit-2")
    assert lobby.sandbox.acts.means("deposit-1") == Means("bank_card", "000001", "000042", "R00000000042")
    assert lobby.sandbox.acts.means("deposit-2") == Means("cash")


async def test_a_terminal_of_before_does_not_say_how(lobby: Lobby) -> None:
    """Without terminal, means and bank a deposit is taken as it always was."""
    card, _ = card_of(DEMO, "wang_xiulan")
    who = {
        "card_number": card.card_number,
        "identification_code": card.identification_code.hex(),
        "social_security_number": "",
    }
    asked = {**who, "admission": STAY, "amount_fen": 20_000}
    answer = await lobby.link.call("POST", "/v1/deposits", body=asked, key="deposit-1")
    assert answer.body == {"receipt_number": "YJ0000000001"}
    assert lobby.sandbox.acts.means("deposit-1") is None


async def test_the_deposits_of_this_terminal_by_their_keys(lobby: Lobby) -> None:
    """Over the days asked for, oldest first and each key once; nobody else's, and nothing of a day that is not over."""
    card, holder = card_of(DEMO, "wang_xiulan")
    other = HospitalClient(lobby.link, "T0000002")
    for day, key in enumerate(("deposit-1", "deposit-2", "deposit-2")):
        lobby.now = NOON + timedelta(days=day)
        await lobby.hospital.deposit(card, holder, STAY, Fen(20_000), PaidBy("cash"), key)
        await other.deposit(card, holder, STAY, Fen(700), PaidBy("cash"), f"other-{day}")
    days = NOON.date(), NOON.date() + timedelta(days=2)
    with pytest.raises(HostRefused, match="not_reconciled_yet"):
        await lobby.hospital.deposits_detail(days)
    lobby.now += timedelta(days=1)
    rows = await lobby.hospital.deposits_detail(days)
    assert [(row.key, row.amount_fen, row.means, row.booked_on) for row in rows] == [
        ("deposit-1", 20_000, "cash", days[0]), ("deposit-2", 20_000, "cash", days[0] + timedelta(days=1)),
    ]  # fmt: skip
    assert rows[0].receipt_number == "YJ0000000001"
    with pytest.raises(HostRefused, match="bad_request"):
        await lobby.hospital.deposits_detail((days[0] - timedelta(days=40), days[1]))


async def test_a_deposit_given_back_is_off_the_stay(lobby: Lobby) -> None:
    """Once by one key, whole, and only while the holder stays; the detail has it beside what it undid."""
    card, holder = card_of(DEMO, "wang_xiulan")
    await lobby.hospital.deposit(card, holder, STAY, Fen(20_000), PaidBy("cash"), "deposit-1")
    undone = UndoneDeposit("deposit-1", STAY, Fen(20_000))
    for wrong in (replace(undone, amount_fen=Fen(100)), replace(undone, deposit_key="deposit-9")):
        with pytest.raises(HostRefused, match="no_such_deposit"):
            await lobby.hospital.undo_deposit(wrong, "undo-0")
    for _ in range(2):
        await lobby.hospital.undo_deposit(undone, "undo-1")
    with pytest.raises(HostRefused, match="already_undone"):
        await lobby.hospital.undo_deposit(undone, "undo-2")
    stay = await lobby.hospital.admission(card, holder)
    assert stay is not None
    assert stay.deposited_fen == 0
    with pytest.raises(HostRefused, match="stay_settled"):
        await lobby.hospital.undo_deposit(replace(undone, admission="ZY-gone"), "undo-3")
    lobby.now += timedelta(days=1)
    rows = await lobby.hospital.deposits_detail((NOON.date(), NOON.date()))
    assert [(row.act, row.key, row.amount_fen) for row in rows] == [
        ("credited", "deposit-1", 20_000), ("undone", "undo-1", 20_000),
    ]  # fmt: skip


async def test_what_this_terminal_did_in_the_register(lobby: Lobby) -> None:
    """Registered, and each payout as it stands: reserved until it is confirmed or given back; nobody else's."""
    debts = [await lobby.debts.register(lobby.card, Fen(200), "change", f"debt-{one}") for one in range(3)]
    elsewhere = DebtRegisterClient(lobby.link, "T0000002")
    await elsewhere.register(lobby.card, Fen(900), "change", "debt-other")
    for one, debt in enumerate(debts):
        await lobby.debts.reserve(debt, f"payout-{one}")
    await lobby.debts.confirm(debts[0], Fen(150), "payout-0")
    await lobby.debts.give_back(debts[1], "payout-1")
    lobby.now += timedelta(days=1)
    rows = await lobby.hospital.debts_detail((NOON.date(), NOON.date()))
    assert sorted((row.act, row.key, row.amount_fen) for row in rows) == [
        ("given_back", "payout-1", 0),
        ("paid", "payout-0", 150),
        ("registered", "debt-0", 200), ("registered", "debt-1", 200), ("registered", "debt-2", 200),
        ("reserved", "payout-2", 200),
    ]  # fmt: skip
    assert {row.voucher_number for row in rows} == {debt.voucher_number for debt in debts}


@pytest.mark.parametrize("spoilt", ["other days", "a row of another day", "a key twice"])
def test_a_detail_of_something_else_is_not_understood(spoilt: str) -> None:
    """Other days than asked for, and a key that comes twice, prove nothing."""
    day = NOON.date()
    row = {"act": "paid", "key": "payout-1", "voucher_number": "QK1", "amount_fen": 1, "booked_on": day.isoformat()}
    body = {"first_day": day.isoformat(), "last_day": day.isoformat(), "rows": [row]}
    assert len(details.debts_detail(body, (day, day))) == 1
    if spoilt == "other days":
        body["last_day"] = "2026-11-22"
    elif spoilt == "a row of another day":
        body["rows"] = [row | {"booked_on": "2026-11-20"}]
    else:
        body["rows"] = [row, row | {"act": "reserved"}]
    with pytest.raises(BadShape):
        details.debts_detail(body, (day, day))
