"""A settlement order that still waits is taken back by its holder, with card and PIN (money-rules 11).

Forwarder and kiosk are two processes: each of their commits about an order asks, inside the commit, whether it is still
theirs, so that only one of them can win. What was left with it stays the holder's, as of an order that has ended.
"""

from kiosk.domain.entries import NewEntry, NewNotice, StoredEntry
from kiosk.money.settlement_orders import (
    ENDED,
    ORDERED,
    OVER,
    TAKEN_BACK,
    SettlementOrder,
    is_open,
    unsettled_entry,
)
from kiosk.ports import Clock, Journal

BY_HOLDER = "taken_back"  # in the place of a host's reason
# With these the money of an order went where it belongs, or the order is over: nothing of it is to be taken back.
_MONEY_WENT = ("settled_late", "settle_undone", "settle_not_booked", ENDED, OVER, TAKEN_BACK)


def may_take_back(journal: Journal, order: SettlementOrder) -> bool:
    """It waits, and nothing of it is on its way or unknown: no 2207, no 2601, nothing due."""
    if not is_open(journal, order.key):
        return False
    story = journal.story(order.case_code)
    ours = {_fact(one, "message_id") for one in story if one.act == "settle_intent" and _is_of(one, order)}
    if any({_fact(one, "message_id"), _fact(one, "original")} & ours for one in _others(journal)):
        return False
    ends = [one for one in story if one.act in _MONEY_WENT]
    return not any(_is_of(one, order) or _fact(one, "message_id") in ours for one in ends)


def take_back(journal: Journal, clock: Clock, order: SettlementOrder) -> int:
    """In one commit: the order is over, its lease to be released, its cash a debt to the holder; the entry's ``seq``.

    Raises:
        AlreadyClosed: the forwarder was faster, and nothing is written.
    """
    entry = unsettled_entry(clock, order, TAKEN_BACK, BY_HOLDER, only_if=lambda: may_take_back(journal, order))
    return journal.commit(entry)


def given_back_claim(clock: Clock, order: SettlementOrder) -> NewEntry:
    """The hospital gave the bill to an order that was taken back while it answered: that is to be released, too."""
    lease: dict[str, str | int] = {"bill": order.bill_id, "lease": order.lease_key}
    notice = NewNotice("hospital", "release", clock.new_key(), lease)
    return NewEntry("claim_given_back", order.case_code, lease, notices=(notice,))


def _others(journal: Journal) -> list[StoredEntry]:
    return [one for one in journal.open_effects() if one.act != ORDERED]


def _is_of(entry: StoredEntry, order: SettlementOrder) -> bool:
    return _fact(entry, "order") == order.key


def _fact(entry: StoredEntry, name: str) -> str:
    return str((entry.facts or {}).get(name, ""))
