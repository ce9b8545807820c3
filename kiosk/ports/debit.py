"""The bank application of the social security card, as the client of the bank needs it (EMV; card-and-hosts 1b).

Scope: the terminal's part of one online chip payment. Kernel certification is out of scope: production takes a
certified L2 kernel or reader behind this same port (money-rules 22).
"""

from dataclasses import dataclass, field
from typing import Protocol

from kiosk.domain.money import Fen


@dataclass(frozen=True)
class CaKey:
    """A payment system's public key. ``expires``: YYMMDD, "" = for ever."""

    rid: str  # ten hex digits
    index: int
    modulus: bytes
    exponent: int
    expires: str = ""


@dataclass(frozen=True)
class DebitRules:
    """What the acquirer lays down for this terminal. Masks are five bytes over the TVR (EMV Book 3, annex C5)."""

    aids: tuple[str, ...] = ("A000000333010101",)  # in order of preference; debit only, unless the region says more
    ca_keys: tuple[CaKey, ...] = ()
    revoked: frozenset[tuple[str, int, str]] = frozenset()  # (rid, key index, certificate serial as six hex digits)
    tac_default: bytes = bytes.fromhex("D84000A800")
    tac_denial: bytes = bytes.fromhex("0010000000")
    tac_online: bytes = bytes.fromhex("D84004F800")
    app_version: bytes = bytes.fromhex("0030")
    terminal_capabilities: bytes = bytes.fromhex("2040C0")  # contact chip; online PIN; SDA and DDA
    terminal_type: int = 0x24  # merchant's, unattended, online only
    ifd_serial: str = "00000001"
    country: str = "0156"
    currency: str = "0156"
    floor_limit_fen: int = 0  # every payment goes online


@dataclass(frozen=True)
class DebitAct:
    """One use of the card. ``day`` YYMMDD, ``time`` HHMMSS; ``unpredictable`` four fresh random bytes."""

    kind: int  # tag 9C: 00 goods and services, 20 refund, 31 balance
    amount_fen: Fen
    trace_number: str
    day: str
    time: str
    unpredictable: bytes


@dataclass(frozen=True)
class DebitAccount:
    """Who pays. Nothing of it is ever logged; ``track2`` and ``holder_name`` are never kept either."""

    pan: str = field(repr=False)
    sequence: str  # of the PAN, two digits
    expires: str  # YYMM
    track2: str = field(repr=False)  # with "D" as separator, no padding
    aid: str

    @property
    def pan12(self) -> str:
        """The rightmost twelve digits without the check digit: what a PIN block takes."""
        return self.pan[:-1][-12:].rjust(12, "0")

    @property
    def first6_last4(self) -> str:
        return f"{self.pan[:6]}{'*' * (len(self.pan) - 10)}{self.pan[-4:]}"


class CardDeclined(Exception):
    """The card itself said no, or its data forbid going on. Surely nothing was asked of the bank by it.

    ``reason``: "no_application", "blocked", "malformed", "terminal_declines", "card_declines", "not_permitted".
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class DebitEnd:
    """How the card took the answer. ``approved``: it made a TC. The other fields are for the host.

    ``reversal_chip`` is field 55 of a reversal, ``notice_chip`` of the 0620; the latter is b"" without scripts.
    """

    approved: bool
    reversal_chip: bytes = field(repr=False)
    notice_chip: bytes = field(default=b"", repr=False)


class DebitRun(Protocol):
    """One payment with the card in the slot. Verbs in this order; any other card verb between them ends the run.

    Each raises ``CardGone`` when the card was pulled, swapped or stopped answering, ``CardDeclined`` as said.
    """

    @property
    def account(self) -> DebitAccount: ...

    async def request(self) -> bytes:
        """Risk management and the first GENERATE AC, for an ARQC: field 55 of the request.

        Raises:
            CardDeclined: by the terminal's or the card's own rules; the card has made an AAC.
        """
        ...

    @property
    def reversal_chip(self) -> bytes:
        """Field 55 of a reversal as things stand now."""
        ...

    async def finish(self, code: str, chip: bytes) -> DebitEnd:
        """Issuer authentication, scripts and the second GENERATE AC.

        ``code``: field 39 (two characters; "Z3": the bank could not be asked); ``chip``: field 55 of the answer.
        """
        ...

    async def abandon(self) -> None:
        """End without the bank: an AAC if the card can still make one. Never raises for a card that is gone."""
        ...


class DebitReader(Protocol):
    """What a card reader offers beside ``CardReader`` where the card's bank application may be used."""

    async def open_debit(self, rules: DebitRules, act: DebitAct) -> DebitRun:
        """Select the application, read it, authenticate its data, check restrictions.

        Raises:
            CardDeclined, CardGone, DeviceFault.
        """
        ...
