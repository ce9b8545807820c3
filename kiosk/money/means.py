"""By which means the resident's part can be paid now, and why not by another that this terminal has."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from kiosk.domain.money import Fen
from kiosk.ports import CardGone, DeviceFault, HostRefused, Kiosk, ResidentLeft
from kiosk.settings.config import Settings

# As the hospital names them.
CASH, BANK_CARD, ACCOUNT = "cash", "bank_card", "account"
NOT_CONNECTED = "not_connected"  # a terminal without a bank: nothing to explain to anybody
# A terminal with a bank at which no bank card can pay all the same; whoever brings one is told so.
NO_DEBIT_READER = "no_debit_reader"  # the reader opens no bank application (the client's word for it)
NO_PAD = "no_bank_pad"  # no pad that takes a bank PIN; a reader's own pad (PIN mode A) never does


@dataclass(frozen=True)
class Means:
    """``working`` in the order in which they are offered. ``why_not``: the slot or the word that is in the way."""

    working: tuple[str, ...] = ()
    why_not: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


async def means_now(kiosk: Kiosk, due_fen: Fen) -> Means:
    """Asked before 2207: what fails only afterwards costs a 2208. Nothing is asked where nothing is due.

    Raises:
        ResidentLeft: the card is gone.
    """
    if not due_fen:
        return Means()
    why_not: dict[str, str] = {}
    settings = kiosk.settings
    fitted = [CASH] if "cash_acceptor" in settings.slots else []
    if CASH in fitted and (reason := _no_cash(kiosk)):
        why_not[CASH] = reason
    reason = await _no_card(kiosk) if "bank" in settings.hosts else NOT_CONNECTED
    if reason != NOT_CONNECTED:
        fitted.append(BANK_CARD)
        why_not |= {BANK_CARD: reason} if reason else {}
    return Means(tuple(one for one in fitted if one not in why_not), why_not)


def _no_cash(kiosk: Kiosk) -> str:
    """No note is accepted unless a receipt can be printed (rule 13)."""
    try:
        assert kiosk.cash_acceptor is not None
    except DeviceFault as fault:
        return fault.slot
    return "" if kiosk.receipt_health.condition.usable else "receipt_printer"


def no_bank_card_here(settings: Settings, reader: object) -> str:
    """Why no bank card can ever pay at a terminal that has a bank; "" where one can, or there is no bank.

    ``reader``: what is in slot ``card_reader``.
    """
    if "bank" not in settings.hosts:
        return ""
    if "pin_pad" not in settings.slots:
        return NO_PAD
    return "" if hasattr(reader, "open_debit") else NO_DEBIT_READER


async def _no_card(kiosk: Kiosk) -> str:
    if "pin_pad" not in kiosk.settings.slots:
        return NO_PAD
    try:
        await kiosk.bank.look()
    except HostRefused as refusal:
        kiosk.log("bank_not_offered", reason=refusal.code)
        return refusal.code
    except DeviceFault as fault:
        return fault.slot
    except CardGone:
        raise ResidentLeft("card_pulled") from None
    return ""
