"""Settlement orders: bills that residents left to be settled when the line is back (money-rules 11).

What a resident agreed to stands in the entry that takes the order, and the cash that came with it is held in suspense
for that order. The entry opens an effect of the forwarder's; a notice in the same commit counts it as unsent. Nothing
about it is settled before the platform says so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from kiosk.domain.books import Account, balanced
from kiosk.domain.card import CardIdentity
from kiosk.domain.entries import Facts, NewEntry, NewNotice, StoredEntry
from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.settlement import MedicalBill
from kiosk.money.means import ACCOUNT, CASH
from kiosk.ports import Clock, Journal, Visit

ACT = "settlement_order"  # in the agency's policy, and in the outbox
HOST = "medical_insurance"
ORDERED, ENDED, OVER = "settlement_ordered", "settlement_order_ended", "settlement_order_over"
WAITS, TAKEN_BACK = "settlement_order_waits", "settlement_order_taken_back"


@dataclass(frozen=True)
class SettlementOrder:
    """``most_fen``: the most that this means may pay: the account, or the notes that were left (``held_fen``)."""

    key: str
    case_code: str
    card: CardIdentity
    left_at: datetime
    bill_id: str
    department: str
    total_fen: Fen
    means: str  # account | cash
    most_fen: Fen
    lease_key: str

    @property
    def held_fen(self) -> Fen:
        return self.most_fen if self.means == CASH else NOTHING

    @property
    def agreed(self) -> dict[str, str | int]:
        """What the intent of its 2207 keeps, for whoever finds the outcome."""
        by_account: dict[str, str | int] = {"account_most_fen": self.most_fen} if self.means == ACCOUNT else {}
        return {"order": self.key, **by_account}


def order_entry(visit: Visit, clock: Clock, bill: MedicalBill, means: str, most_fen: Fen) -> NewEntry:
    """For ``kiosk.offline.commit``: the order, its cash held, its receipt owed, its notice queued. Keys are made here,
    once."""
    key = clock.new_key()
    facts: Facts = {
        "order": key,
        "bill": bill.bill_id,
        "means": means,
        "most_fen": most_fen,
        "total_fen": bill.total_fen,
        "department": bill.department,
        "receipt_owed": 1,
        "lease": clock.new_key(),
        "chip": visit.identity.identification_code.hex(),
    }
    held = most_fen if means == CASH else NOTHING
    return NewEntry(
        ORDERED,
        visit.case_code,
        facts,
        visit.identity.card_number,
        balanced((Account.RESIDENT, held), (Account.SUSPENSE, -held)) if held else (),
        opens=effect_of(key),
        notices=(NewNotice(HOST, ACT, key, {}, held),),
    )


def unsettled_entry(
    clock: Clock, order: SettlementOrder, act: str, code: str, only_if: Callable[[], bool] | None = None
) -> NewEntry:
    """The end of an order of which nothing was settled: what was left with it is owed to the holder, and registered
    (money-rules 11 and 19); its lease is released, and a paper is owed. ``code``: why."""
    held = order.held_fen
    facts: Facts = {
        "order": order.key,
        "code": code,
        "owed_fen": held,
        "total_fen": order.total_fen,
        "department": order.department,
        "receipt_owed": 1,
    }
    lease: Facts = {"bill": order.bill_id, "lease": order.lease_key}
    notices: tuple[NewNotice, ...] = (NewNotice("hospital", "release", clock.new_key(), lease),)
    if held:
        debt: Facts = {"amount_fen": held, "reason": "not_settled", "card_number": order.card.card_number}
        notices += (NewNotice("hospital", "debt_register", clock.new_key(), debt, held),)
    return NewEntry(
        act,
        order.case_code,
        facts,
        order.card.card_number,
        balanced((Account.SUSPENSE, held), (Account.HOLDER_DEBT, -held)) if held else (),
        closes=effect_of(order.key),
        notices=notices,
        only_if=only_if,
    )


def is_open(journal: Journal, key: str) -> bool:
    """Asked inside a commit, it stays so until the commit's end."""
    return any(one.key == key for one in open_orders(journal))


def effect_of(key: str) -> str:
    return f"order:{key}"


def open_orders(journal: Journal) -> list[SettlementOrder]:
    """Oldest first."""
    return [_order(entry) for entry in journal.open_effects() if entry.act == ORDERED]


def order_of(journal: Journal, card_number: str) -> SettlementOrder | None:
    """The one that this card's holder has left and that is not over yet."""
    return next((one for one in open_orders(journal) if one.card.card_number == card_number), None)


def _order(entry: StoredEntry) -> SettlementOrder:
    assert entry.facts is not None, "the period of an open effect is never destroyed"
    facts = entry.facts
    return SettlementOrder(
        str(facts["order"]),
        entry.case_code,
        CardIdentity(bytes.fromhex(str(facts["chip"])), str(facts["card_number"]), "", None, None, b""),
        datetime.fromisoformat(entry.at),
        str(facts["bill"]),
        str(facts["department"]),
        Fen(int(facts["total_fen"])),
        str(facts["means"]),
        Fen(int(facts["most_fen"])),
        str(facts["lease"]),
    )
