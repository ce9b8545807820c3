"""Receipts that came out, told to the host of the service: its counter sees what paper a holder has in hand.

A record is a notice of the commit that says "printed", and only where the settings say that the host keeps them.
"""

from typing import Protocol

from kiosk.domain.card import CardIdentity
from kiosk.domain.entries import Facts, NewNotice, OwedNotice
from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.receipt import ReceiptRecord
from kiosk.domain.settlement import HOSPITAL
from kiosk.money.debts import AGENCY, OF_CONTRIBUTIONS, register_of
from kiosk.money.hospital_notices import Delivery
from kiosk.money.receipts_owed import OwedReceipt
from kiosk.ports import HostRefused, Kiosk

ACT = "receipt_record"
# Facts that name the act at its host, the host's own number first.
_REFERENCES = ("settlement_id", "hospital_number", "number", "voucher", "message_id", "key", "order")
_HELD = ("held_fen", "at_bank_fen")


class RecordDesk(Protocol):
    """The part of a host that keeps records."""

    async def keep_record(self, card: CardIdentity, record: ReceiptRecord, key: str) -> None: ...


def record_notices(kiosk: Kiosk, owed: OwedReceipt, *, reprint: bool) -> tuple[NewNotice, ...]:
    """For the commit that says that ``owed`` was printed; none where its host does not want to hear of it."""
    host = _host_of(kiosk, owed)
    if host not in kiosk.settings.hosts or not kiosk.settings.hosts[host].receipt_records:
        return ()
    facts: Facts = {
        "card_number": kiosk.visit.identity.card_number,
        "case_code": owed.case_code,
        "paper": owed.paper,
        "kind": owed.kind,
        "reference": next((str(owed.facts[name]) for name in _REFERENCES if owed.facts.get(name)), ""),
        "owed_at": owed.at,
        "printed_at": kiosk.clock.now().isoformat(timespec="seconds"),
        "reprint": int(reprint),
        "paid_out_fen": owed.paid_out_fen,
        "owed_fen": owed.owed_fen,
        "held_fen": _held_fen(owed),
    }
    return (NewNotice(host, ACT, kiosk.clock.new_key(), facts),)


def receipt_record_notices(host: str, desk: RecordDesk, terminal_id: str) -> dict[tuple[str, str], Delivery]:
    """For ``kiosk.forwarder.notices``. A refusal is no fault of the notice: nothing of its card may wait behind it."""

    async def record(notice: OwedNotice) -> None:
        card = CardIdentity(b"", str(notice.facts["card_number"]), "", None, None, b"")
        try:
            await desk.keep_record(card, _record(notice.facts, terminal_id), notice.key)
        except HostRefused as refusal:
            if refusal.retry_after_s:
                raise

    return {(host, ACT): record}


def _host_of(kiosk: Kiosk, owed: OwedReceipt) -> str:
    if "register" in owed.facts:
        return str(owed.facts["register"])
    if owed.kind == "money":
        return register_of(kiosk.journal.story(owed.case_code))
    return AGENCY if owed.kind.startswith(OF_CONTRIBUTIONS.removesuffix("_")) else HOSPITAL


def _held_fen(owed: OwedReceipt) -> Fen:
    pending = owed.kind.endswith("_pending")
    held = sum(int(owed.facts.get(name, NOTHING)) for name in _HELD) if pending else NOTHING
    return Fen(owed.under_check_fen + held)


def _record(facts: Facts, terminal_id: str) -> ReceiptRecord:
    return ReceiptRecord(
        terminal_id,
        str(facts["case_code"]),
        int(facts["paper"]),
        str(facts["kind"]),
        str(facts["reference"]),
        str(facts["owed_at"]),
        str(facts["printed_at"]),
        bool(facts["reprint"]),
        Fen(int(facts["paid_out_fen"])),
        Fen(int(facts["owed_fen"])),
        Fen(int(facts["held_fen"])),
    )
