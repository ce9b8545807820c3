"""Client and sandbox of the hospital, with the published document between them: claims, payments, deposits, debts."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.domain.money import Fen
from kiosk.domain.settlement import Claim, HeldReceipt, PaidBy, Settlement, Split, UndoneDeposit, UndonePayment
from kiosk.hosts.hospital import codec
from kiosk.hosts.hospital.client import DebtRegisterClient, HospitalClient
from kiosk.hosts.hospital.details import codec as details
from kiosk.hosts.shape import BadShape
from kiosk.ports import HostRefused, OutcomeUnknown
from simulators.hosts.hospital import HospitalSandbox
from simulators.hosts.weather import Weather
from tests.hosts.medical import DEMO, MemoryLink, bill_of, card_of
from tests.hosts.memory import DocumentedLink, document

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)
TERMINAL = "T0000001"
NOTES = PaidBy("cash")
DAYS = (NOON.date(), NOON.date())


class Lobby:
    """A hospital, two terminals' clients, and a clock that can be turned."""

    def __init__(self, folder: Path) -> None:
        self.now = NOON
        self.sandbox = HospitalSandbox(DEMO, folder, Weather(), lambda: self.now)
        self.link = DocumentedLink(self.sandbox)
        self.hospital = HospitalClient(self.link, TERMINAL)
        self.debts = DebtRegisterClient(self.link, TERMINAL)
        self.card, self.holder = card_of(DEMO, "li_jianguo")
        self.bill = bill_of(DEMO.resident("li_jianguo").bills[1])

    def settlement(self, number: str = "S1") -> Settlement:
        total = self.bill.total_fen
        return Settlement(number, f"M{number}", self.bill.visit_number, Split(total, Fen(0), total, Fen(0), Fen(0)))


@pytest.fixture
def lobby(tmp_path: Path) -> Iterator[Lobby]:
    made = Lobby(tmp_path)
    yield made
    made.sandbox.close()


# --- bills and claims -------------------------------------------------------------------------------------------------


async def test_every_bill_of_the_demo_world_conforms(lobby: Lobby) -> None:
    """The bills of every card in the rack pass the document, add up, and come newest first."""
    shown = 0
    for card in DEMO.cards:
        bills = await lobby.hospital.unpaid_bills(*card_of(DEMO, card.handle))
        assert [bill.bill_id for bill in bills] == [
            bill.id for bill in sorted(DEMO.resident(card.resident).bills, key=lambda one: one.visited_on, reverse=True)
        ]
        shown += len(bills)
    assert shown > 8


async def test_another_holders_number_is_refused(lobby: Lobby) -> None:
    """A chip with another number than the hospital knows for the card is a case for the window."""
    with pytest.raises(HostRefused, match="holder_differs"):
        await lobby.hospital.unpaid_bills(lobby.card, card_of(DEMO, "zhao_min")[1])


async def test_one_lease_at_a_time(lobby: Lobby) -> None:
    """The same key holds the bill again, another is refused, until it is released."""
    claim = await lobby.hospital.claim(lobby.bill, "lease-1")
    assert await lobby.hospital.claim(lobby.bill, "lease-1") == claim
    with pytest.raises(HostRefused, match="claimed_elsewhere"):
        await lobby.hospital.claim(lobby.bill, "lease-2")
    await lobby.hospital.release(claim)
    await lobby.hospital.release(claim)
    assert (await lobby.hospital.claim(lobby.bill, "lease-2")).lease_key == "lease-2"


async def test_a_lease_runs_out_unless_extended(lobby: Lobby) -> None:
    """After its time the bill is free for others; an extended lease keeps them off."""
    claim = await lobby.hospital.claim(lobby.bill, "lease-1")
    lobby.now += timedelta(minutes=9)
    longer = await lobby.hospital.extend(claim)
    assert longer.leased_until > claim.leased_until
    lobby.now += timedelta(minutes=9)
    with pytest.raises(HostRefused, match="claimed_elsewhere"):
        await lobby.hospital.claim(lobby.bill, "lease-2")
    lobby.now += timedelta(minutes=2)
    await lobby.hospital.claim(lobby.bill, "lease-2")
    with pytest.raises(HostRefused, match="claimed_elsewhere"):
        await lobby.hospital.extend(longer)


async def test_a_settling_lease_outlasts_the_next_morning(lobby: Lobby) -> None:
    """Held for a settlement, the bill is nobody else's past T+1 10:00, until it is released or paid."""
    claim = await lobby.hospital.extend(await lobby.hospital.claim(lobby.bill, "lease-1"), settling=True)
    lobby.now += timedelta(hours=47)
    with pytest.raises(HostRefused, match="claimed_elsewhere"):
        await lobby.hospital.claim(lobby.bill, "lease-2")
    await lobby.hospital.release(claim)
    await lobby.hospital.claim(lobby.bill, "lease-2")


async def test_the_window_was_faster_before_the_claim(lobby: Lobby) -> None:
    """A bill paid at the window is gone from the list and cannot be claimed."""
    lobby.sandbox.pay_at_window(lobby.bill.bill_id)
    with pytest.raises(HostRefused, match="paid_elsewhere"):
        await lobby.hospital.claim(lobby.bill, "lease-1")
    shown = await lobby.hospital.unpaid_bills(lobby.card, lobby.holder)
    assert lobby.bill.bill_id not in [bill.bill_id for bill in shown]


async def test_the_window_was_faster_after_the_money(lobby: Lobby) -> None:
    """A window that ignores the lease makes the payment notice refused, and never silently swallowed."""
    claim = await lobby.hospital.claim(lobby.bill, "lease-1")
    lobby.sandbox.pay_at_window(lobby.bill.bill_id)
    with pytest.raises(HostRefused, match="paid_elsewhere"):
        await lobby.hospital.notify_paid(claim, lobby.settlement(), "cash", "notice-1")


# --- payments and deposits --------------------------------------------------------------------------------------------


async def test_one_notice_one_invoice(lobby: Lobby) -> None:
    """Told twice by one key it is one payment with one invoice; told by another key it is refused."""
    claim = await lobby.hospital.claim(lobby.bill, "lease-1")
    first = await lobby.hospital.notify_paid(claim, lobby.settlement(), "account", "notice-1")
    assert await lobby.hospital.notify_paid(claim, lobby.settlement(), "account", "notice-1") == first
    assert first.code
    assert first.address.endswith(first.code)
    with pytest.raises(HostRefused, match="paid_elsewhere"):
        await lobby.hospital.notify_paid(claim, lobby.settlement("S2"), "account", "notice-2")
    assert [payment.key for payment in lobby.sandbox.claims.payments()] == ["notice-1"]


async def test_a_late_notice_is_taken_without_a_lease(lobby: Lobby) -> None:
    """The forwarder's notice comes hours later: the money has moved, so the lease does not matter any more."""
    claim = await lobby.hospital.claim(lobby.bill, "lease-1")
    lobby.now += timedelta(hours=20)
    assert (await lobby.hospital.notify_paid(claim, lobby.settlement(), "cash", "notice-1")).code
    with pytest.raises(HostRefused, match="paid_elsewhere"):
        await lobby.hospital.claim(lobby.bill, "lease-2")


async def test_a_notice_of_another_amount_is_refused(lobby: Lobby) -> None:
    """Parts that do not make the bill are a case, not a payment."""
    claim = await lobby.hospital.claim(lobby.bill, "lease-1")
    made = lobby.settlement()
    wrong = Settlement("S1", "M1", made.visit_number, Split(made.split.total_fen, Fen(1), Fen(0), Fen(0), Fen(0)))
    with pytest.raises(HostRefused, match="amounts_differ"):
        await lobby.hospital.notify_paid(claim, wrong, "cash", "notice-1")


async def test_a_deposit_is_booked_once(lobby: Lobby) -> None:
    """One key is one deposit with one receipt; another amount under the same key is refused."""
    card, holder = card_of(DEMO, "wang_xiulan")
    first = await lobby.hospital.deposit(card, holder, "ZY20261101", Fen(50_000), NOTES, "deposit-1")
    assert await lobby.hospital.deposit(card, holder, "ZY20261101", Fen(50_000), NOTES, "deposit-1") == first
    with pytest.raises(HostRefused, match="key_reused"):
        await lobby.hospital.deposit(card, holder, "ZY20261101", Fen(60_000), NOTES, "deposit-1")
    with pytest.raises(HostRefused, match="no_such_admission"):
        await lobby.hospital.deposit(lobby.card, lobby.holder, "ZY20261101", Fen(50_000), NOTES, "deposit-2")
    assert lobby.sandbox.claims.deposits() == [("ZY20261101", 50_000)]
    stay = await lobby.hospital.admission(card, holder)
    assert stay is not None
    assert (stay.number, stay.deposited_fen) == ("ZY20261101", 50_000)
    assert await lobby.hospital.admission(lobby.card, lobby.holder) is None


# --- debts ------------------------------------------------------------------------------------------------------------


async def test_a_debt_from_register_to_paid(lobby: Lobby) -> None:
    """Register, reserve, confirm: afterwards nothing is owed, and a second payout is refused."""
    debt = await lobby.debts.register(lobby.card, Fen(673), "change", "debt-1")
    assert await lobby.debts.register(lobby.card, Fen(673), "change", "debt-1") == debt
    assert await lobby.debts.of_card(lobby.card) == (debt,)
    reserved = await lobby.debts.reserve(debt, "payout-1")
    assert reserved.reserved_until is not None
    for _ in range(2):
        await lobby.debts.confirm(debt, Fen(673), "payout-1")
    assert await lobby.debts.of_card(lobby.card) == ()
    for key in ("payout-1", "payout-2"):
        with pytest.raises(HostRefused, match="paid"):
            await lobby.debts.reserve(debt, key)


async def test_an_open_reserve_blocks_others_for_ever(lobby: Lobby) -> None:
    """What another terminal is paying out is nobody else's, however long it takes: it may have been paid."""
    debt = await lobby.debts.register(lobby.card, Fen(5000), "escrow", "debt-1")
    first = await lobby.debts.reserve(debt, "payout-1")
    lobby.now += timedelta(days=3)
    with pytest.raises(HostRefused, match="reserved_elsewhere"):
        await lobby.debts.reserve(debt, "payout-2")
    assert await lobby.debts.reserve(debt, "payout-1") == first
    with pytest.raises(HostRefused, match="reserved_elsewhere"):
        await lobby.debts.give_back(debt, "payout-2")
    await lobby.debts.give_back(debt, "payout-1")
    assert (await lobby.debts.reserve(debt, "payout-2")).amount_fen == 5000


async def test_the_rest_of_a_debt_stays_owed(lobby: Lobby) -> None:
    """Paid in part, the rest is owed under the same voucher; more than is owed is refused."""
    debt = await lobby.debts.register(lobby.card, Fen(5073), "change", "debt-1")
    await lobby.debts.reserve(debt, "payout-1")
    with pytest.raises(HostRefused, match="too_much"):
        await lobby.debts.confirm(debt, Fen(5074), "payout-1")
    await lobby.debts.confirm(debt, Fen(5000), "payout-1")
    (rest,) = await lobby.debts.of_card(lobby.card)
    assert (rest.voucher_number, rest.amount_fen, rest.reserved_until) == (debt.voucher_number, 73, None)
    with pytest.raises(HostRefused, match="paid"):
        await lobby.debts.give_back(debt, "payout-1")


async def test_a_reserve_that_arrives_after_it_was_given_back_is_refused(lobby: Lobby) -> None:
    """A terminal that heard nothing gives back by the same key; a reserve overtaken on the way locks nothing."""
    debt = await lobby.debts.register(lobby.card, Fen(5000), "change", "debt-1")
    for _ in range(2):
        await lobby.debts.give_back(debt, "payout-1")
    with pytest.raises(HostRefused, match="paid"):
        await lobby.debts.reserve(debt, "payout-1")
    reserved = await lobby.debts.reserve(debt, "payout-2")
    assert reserved.amount_fen == 5000


async def test_the_register_keeps_what_the_world_says(tmp_path: Path) -> None:
    """A debt of the world file is registered once, for the resident's first card, however often the world opens."""
    for _ in range(2):
        hospital = HospitalSandbox(DEMO, tmp_path, Weather(), lambda: NOON)
        number = next(card.number for card in DEMO.cards if card.resident == "abdu")
        assert [(row.left_fen, row.reason) for row in hospital.debts.of_card(number)] == [(2350, "change")]
        hospital.close()


async def test_nothing_is_confirmed_without_a_reserve(lobby: Lobby) -> None:
    """A payout that nobody reserved is refused, and so is a voucher that nobody registered."""
    debt = await lobby.debts.register(lobby.card, Fen(100), "change", "debt-1")
    with pytest.raises(HostRefused, match="reserved_elsewhere"):
        await lobby.debts.confirm(debt, Fen(100), "payout-1")
    with pytest.raises(HostRefused, match="no_such_debt"):
        await lobby.link.call("POST", codec.RESERVE_PATH, body={"voucher_number": "QK99999999"}, key="payout-1")


# --- the whole --------------------------------------------------------------------------------------------------------


async def test_books_survive_a_restart(tmp_path: Path) -> None:
    """Lease, payment and reserve are the same after the hospital was started again."""
    before = Lobby(tmp_path)
    other = bill_of(DEMO.resident("zhao_min").bills[0])
    held = await before.hospital.claim(other, "lease-9")
    claim = await before.hospital.claim(before.bill, "lease-1")
    invoice = await before.hospital.notify_paid(claim, before.settlement(), "cash", "notice-1")
    debt = await before.debts.register(before.card, Fen(100), "change", "debt-1")
    await before.debts.reserve(debt, "payout-1")
    before.sandbox.close()
    after = Lobby(tmp_path)
    assert await after.hospital.notify_paid(claim, before.settlement(), "cash", "notice-1") == invoice
    assert await after.hospital.claim(other, "lease-9") == held
    with pytest.raises(HostRefused, match="claimed_elsewhere"):
        await after.hospital.claim(other, "lease-8")
    with pytest.raises(HostRefused, match="reserved_elsewhere"):
        await after.debts.reserve(debt, "payout-2")
    after.sandbox.close()


async def test_silence_and_the_same_key(lobby: Lobby) -> None:
    """A notice that was booked in silence is found by its key: one payment, one invoice."""
    link = MemoryLink(lobby.sandbox)
    hospital = HospitalClient(link)
    claim = await hospital.claim(lobby.bill, "lease-1")
    link.deaf = True
    with pytest.raises(OutcomeUnknown):
        await hospital.notify_paid(claim, lobby.settlement(), "cash", "notice-1")
    link.deaf = False
    assert (await hospital.notify_paid(claim, lobby.settlement(), "cash", "notice-1")).code
    assert len(lobby.sandbox.claims.payments()) == 1


async def test_every_operation_is_asked(lobby: Lobby) -> None:
    """The two clients use every documented operation but what test_receipt_records.py judges."""
    card, holder = card_of(DEMO, "wang_xiulan")
    await lobby.link.call("GET", "/v1/health")
    await lobby.hospital.unpaid_bills(lobby.card, lobby.holder)
    claim = await lobby.hospital.extend(await lobby.hospital.claim(lobby.bill, "lease-1"))
    await lobby.hospital.notify_paid(claim, lobby.settlement(), "cash", "notice-1")
    await lobby.hospital.release(claim)
    await lobby.hospital.admission(card, holder)
    await lobby.hospital.deposit(card, holder, "ZY20261101", Fen(100), NOTES, "deposit-1")
    debt = await lobby.debts.register(lobby.card, Fen(200), "change", "debt-1")
    await lobby.debts.of_card(lobby.card)
    await lobby.hospital.statement(date(2026, 11, 20), 1, 9999)
    await lobby.hospital.bank_statement(date(2026, 11, 20), "00000001")
    await lobby.hospital.undo_deposit(UndoneDeposit("deposit-1", "ZY20261101", Fen(100)), "undo-1")
    await lobby.hospital.deposits_detail((date(2026, 11, 19), date(2026, 11, 20)))
    await lobby.hospital.debts_detail((date(2026, 11, 19), date(2026, 11, 20)))
    made = lobby.settlement()
    undone = UndonePayment(lobby.bill.bill_id, made.settlement_id, "V1", made.split.total_fen, Fen(0))
    await lobby.hospital.notify_undone(undone, "undone-1")
    await lobby.debts.reserve(debt, "payout-1")
    await lobby.debts.give_back(debt, "payout-1")
    await lobby.debts.reserve(debt, "payout-2")
    await lobby.debts.confirm(debt, Fen(200), "payout-2")
    receipt = HeldReceipt("receipt-1", "T1", "451207", date(2026, 11, 22), "内科", "S1", *[Fen(1)] * 6)
    await lobby.hospital.hold_receipt(lobby.card, receipt)
    await lobby.hospital.held_receipts(lobby.card)
    await lobby.hospital.take_receipt("receipt-1", "take-1")
    documented = {
        operation["operationId"] for path in document("hospital")["paths"].values() for operation in path.values()
    }
    assert documented - {"keepReceiptRecord"} == set(lobby.link.operations)


# --- codec ------------------------------------------------------------------------------------------------------------

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda one: st.lists(one, max_size=4) | st.dictionaries(st.text(max_size=12), one, max_size=4),
)


@given(JSON)
def test_noise_is_never_understood(body: Any) -> None:
    """Any JSON that is not the documented answer is BadShape, and no other exception."""
    for decode in (
        codec.unpaid_bills, codec.invoice, codec.admission, codec.receipt_number, codec.debt, codec.debts,
        lambda told: codec.claim(told, "B-1", "key"), lambda told: details.statement(told, NOON.date()),
        lambda told: details.bank_statement(told, NOON.date()), lambda told: details.deposits_detail(told, DAYS),
        lambda told: details.debts_detail(told, DAYS),
    ):  # fmt: skip
        with pytest.raises(BadShape):
            decode(body)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=20), st.integers(-2, 2))
def test_a_bill_must_add_up(lines: list[int], off: int) -> None:
    """A bill whose lines do not make its total is nobody's to pay."""
    total = max(0, sum(lines) + off)
    body = {
        "bills": [
            {
                "bill_id": "B1", "department": "d", "visited_on": "2026-11-21", "total_fen": total,
                "lines": [{"name": "n", "quantity": "1", "amount_fen": amount} for amount in lines],
                "visit_number": "V", "batch_number": "C", "medical_kind": "11", "own_expense_fen": 0,
                "over_limit_fen": 0, "first_self_pay_fen": 0, "in_scope_fen": total,
            }
        ]
    }  # fmt: skip
    if total == sum(lines):
        assert codec.unpaid_bills(body)[0].total_fen == total
    else:
        with pytest.raises(BadShape):
            codec.unpaid_bills(body)


def test_a_claim_answers_for_its_own_bill() -> None:
    """An answer about another bill is not understood."""
    body = {"bill_id": "B-2", "leased_until": "2026-11-21T12:10:00+08:00"}
    assert codec.claim(body, "B-2", "key") == Claim("B-2", "key", datetime.fromisoformat(body["leased_until"]))
    with pytest.raises(BadShape):
        codec.claim(body, "B-1", "key")
