"""Receipts of bills that were settled after their holders had gone: kept here, and at the hospital for any terminal.

The paper is owed by this terminal's journal whatever the hospital says; the register is what makes it printable
elsewhere. A hospital that keeps no such register refuses, and that is all.
"""

from collections.abc import Iterable
from datetime import date
from typing import Protocol

from kiosk.domain.card import CardIdentity
from kiosk.domain.entries import Facts, NewEntry, NewNotice, OwedNotice
from kiosk.domain.money import Fen
from kiosk.domain.settlement import HeldReceipt
from kiosk.money.hospital_notices import Delivery
from kiosk.money.receipts_owed import OwedReceipt
from kiosk.ports import Clock, HostRefused, Kiosk

HOLD, TAKE = "receipt_hold", "receipt_take"
KEY = "receipt_key"  # in the entry that owes the paper
TAKEN, HANDED_OUT = "receipt_taken", "receipt_handed_out"
_SAID = ("settlement_id", "total_fen", "fund_fen", "account_fen", "shared_account_fen", "cash_fen")


class ReceiptDesk(Protocol):
    """The part of ``ports.Hospital`` that notices need."""

    async def hold_receipt(self, card: CardIdentity, receipt: HeldReceipt) -> None: ...
    async def take_receipt(self, receipt_key: str, key: str) -> None: ...


def hold_notice(clock: Clock, case_code: str, card_number: str, facts: Facts) -> NewNotice:
    """For the commit that settles. ``facts``: of the paper, with its ``department`` and ``owed_fen``."""
    told: Facts = {
        "card_number": card_number,
        "case_code": case_code,
        "settled_on": clock.now().date().isoformat(),
        **{name: facts[name] for name in (*_SAID, "department", "owed_fen")},
    }
    return NewNotice("hospital", HOLD, clock.new_key(), told)


def receipt_notices(hospital: ReceiptDesk, terminal_id: str) -> dict[tuple[str, str], Delivery]:
    """For ``kiosk.forwarder.notices``. A refusal is no fault of the notice: nothing of its card may wait behind it."""

    async def hold(notice: OwedNotice) -> None:
        try:
            await hospital.hold_receipt(_card(str(notice.facts["card_number"])), _held(notice, terminal_id))
        except HostRefused as refusal:
            if refusal.retry_after_s:
                raise

    async def take(notice: OwedNotice) -> None:
        try:
            await hospital.take_receipt(str(notice.facts[KEY]), notice.key)
        except HostRefused as refusal:
            if refusal.retry_after_s:
                raise

    return {("hospital", HOLD): hold, ("hospital", TAKE): take}


def take_over(kiosk: Kiosk, held: HeldReceipt) -> int:
    """What the hospital gave this terminal to print is owed here from now on; the paper's number."""
    facts: Facts = {
        "receipt_owed": 1,
        "department": held.department,
        "owed_fen": held.owed_fen,
        "of_case": held.case_code,
        **{name: getattr(held, name) for name in _SAID},
    }
    return kiosk.journal.commit(NewEntry(TAKEN, kiosk.visit.case_code, facts, kiosk.visit.identity.card_number))


def note_handed_out(kiosk: Kiosk, paper: OwedReceipt) -> None:
    """Printed here: no other terminal needs to. Nothing for a paper that no hospital keeps."""
    if KEY not in paper.facts:
        return
    about: Facts = {KEY: paper.facts[KEY]}
    notice = NewNotice("hospital", TAKE, kiosk.clock.new_key(), about)
    card = kiosk.visit.identity.card_number
    kiosk.journal.commit(NewEntry(HANDED_OUT, kiosk.visit.case_code, {"paper": paper.paper}, card, notices=(notice,)))


def elsewhere(held: Iterable[HeldReceipt], terminal_id: str) -> tuple[HeldReceipt, ...]:
    """Those that another terminal owes. What this one owes stands in its own journal."""
    return tuple(one for one in held if one.terminal_id != terminal_id)


def _held(notice: OwedNotice, terminal_id: str) -> HeldReceipt:
    facts = notice.facts
    fen = {name: Fen(int(facts[name])) for name in (*_SAID[1:], "owed_fen")}
    return HeldReceipt(
        notice.key,
        terminal_id,
        str(facts["case_code"]),
        date.fromisoformat(str(facts["settled_on"])),
        str(facts["department"]),
        str(facts["settlement_id"]),
        **fen,
    )


def _card(card_number: str) -> CardIdentity:
    """A card that nobody holds before us now: its number is all that a receipt is kept under."""
    return CardIdentity(b"", card_number, "", None, None, b"")
