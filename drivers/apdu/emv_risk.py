"""Terminal verification: restrictions, cardholder verification, and what the two action codes make of the result.

EMV Book 3, chapter 10 and annex C. The TVR is five bytes; bits are named by (byte, mask), byte 0 first.
"""

from collections.abc import Mapping
from enum import Enum

from kiosk.ports.debit import DebitAct, DebitRules

Bit = tuple[int, int]

ODA_NOT_DONE: Bit = (0, 0x80)
SDA_FAILED: Bit = (0, 0x40)
DATA_MISSING: Bit = (0, 0x20)
DDA_FAILED: Bit = (0, 0x08)
VERSIONS_DIFFER: Bit = (1, 0x80)
EXPIRED: Bit = (1, 0x40)
NOT_YET_EFFECTIVE: Bit = (1, 0x20)
NOT_ALLOWED: Bit = (1, 0x10)
HOLDER_NOT_VERIFIED: Bit = (2, 0x80)
UNKNOWN_CVM: Bit = (2, 0x40)
PIN_ONLINE: Bit = (2, 0x04)
FLOOR_EXCEEDED: Bit = (3, 0x80)
ISSUER_AUTHENTICATION_FAILED: Bit = (4, 0x40)
SCRIPT_FAILED_BEFORE: Bit = (4, 0x20)
SCRIPT_FAILED_AFTER: Bit = (4, 0x10)

ONLINE_PIN = 0x02
_CVM_ALWAYS = frozenset({0x00, 0x03})  # always; if the terminal supports it
_AUC_DOMESTIC_GOODS, _AUC_DOMESTIC_SERVICES = 0x20, 0x08
_AUC_NOT_ATM = 0x01


class Action(Enum):
    DENY = "deny"
    ONLINE = "online"


class Results:
    """TVR, TSI and CVM results as they grow."""

    def __init__(self) -> None:
        self.tvr = bytearray(5)
        self.tsi = bytearray(2)
        self.cvm = bytes.fromhex("3F0001")  # no CVM performed, failed

    def mark(self, bit: Bit) -> None:
        self.tvr[bit[0]] |= bit[1]


def restrictions(results: Results, tags: Mapping[str, bytes], rules: DebitRules, day: str) -> None:
    """Versions, usage control, dates (10.4). Dates compare as YYMMDD of this century."""
    if tags.get("9F08") not in (None, rules.app_version):
        results.mark(VERSIONS_DIFFER)
    effective, expires = tags.get("5F25", b"").hex(), tags.get("5F24", b"").hex()
    if effective and day < effective:
        results.mark(NOT_YET_EFFECTIVE)
    if not expires or day > expires:
        results.mark(EXPIRED)
    usage = tags.get("9F07")
    if usage is not None and len(usage) == 2 and not _usable(usage, tags, rules):
        results.mark(NOT_ALLOWED)


def _usable(usage: bytes, tags: Mapping[str, bytes], rules: DebitRules) -> bool:
    domestic = tags.get("5F28", b"").hex() == rules.country
    goods = _AUC_DOMESTIC_GOODS if domestic else _AUC_DOMESTIC_GOODS >> 1
    services = _AUC_DOMESTIC_SERVICES if domestic else _AUC_DOMESTIC_SERVICES >> 1
    return bool(usage[0] & _AUC_NOT_ATM) and bool(usage[0] & (goods | services))


def cardholder_verification(results: Results, tags: Mapping[str, bytes]) -> None:
    """Online PIN or nothing (10.5): any other method that the card lists is passed over, and none is a failure."""
    results.tsi[0] |= 0x40
    rule = _online_pin_rule(tags.get("8E", b""))
    if rule is None:
        results.mark(HOLDER_NOT_VERIFIED)
        return
    results.cvm = rule + b"\x00"  # result unknown: the issuer judges
    results.mark(PIN_ONLINE)


def _online_pin_rule(methods: bytes) -> bytes | None:
    for at in range(8, len(methods) - 1, 2):
        if methods[at] & 0x3F == ONLINE_PIN and methods[at + 1] in _CVM_ALWAYS:
            return methods[at : at + 2]
    return None


def terminal_risk(results: Results, act: DebitAct, rules: DebitRules) -> None:
    """The floor limit (10.6). Below a limit above zero the TAC decides; at zero everything is above it."""
    results.tsi[0] |= 0x08
    if act.amount_fen >= rules.floor_limit_fen:
        results.mark(FLOOR_EXCEEDED)


def decide(results: Results, tags: Mapping[str, bytes], rules: DebitRules) -> Action:
    """Denial first, else online (10.7): this terminal never approves by itself."""
    denial = _either(tags.get("9F0E", bytes(5)), rules.tac_denial)
    return Action.DENY if any(a & b for a, b in zip(results.tvr, denial, strict=True)) else Action.ONLINE


def _either(card: bytes, terminal: bytes) -> bytes:
    return bytes(a | b for a, b in zip(card.ljust(5, b"\0")[:5], terminal, strict=True))
