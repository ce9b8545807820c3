"""The files of a social security card, built from a world's card and its resident.

Written from LD/T 32 as publicly described (EF05, EF06 by tag; access rules). The chip record in DF04 is INVENTED:
tag 60 months contributed (2 bytes, binary), 61 personal account (4 bytes, fen), 62 as-of date (cn, YYYYMMDD).
"""

import hashlib
from dataclasses import dataclass
from enum import Enum

from simulators.cards.keys import encrypt
from simulators.worlds.world import Card, Keys, Resident

SSSE = bytes.fromhex("7378312E73682EC9E7BBE1B1A3D5CF")
DF04 = bytes.fromhex("D15600000503")
_RID = bytes.fromhex("D156000005")
_INITIAL_PIN = "123456"
_WORLD_DEFAULT_PIN = Card(handle="", title="", resident="").pin
_CARD_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CARD_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


class Access(Enum):
    """What must have happened since power-on before a file opens."""

    FREE = "free"
    KEY = "key"
    PIN_OR_KEY = "pin or key"


@dataclass(frozen=True)
class ChipFile:
    access: Access
    items: dict[int, bytes]  # tag -> value, in record order


Files = dict[tuple[bytes, int], ChipFile]  # (application, file id)


def build_identification_code(card: Card, city: str, keys: Keys) -> bytes:
    """City, RID, chip serial and a 4-byte MAC (INVENTED) under the internal authentication key."""
    if card.identification_code:
        return bytes.fromhex(card.identification_code)
    body = bytes.fromhex(city) + _RID + hashlib.sha256(card.handle.encode()).digest()[:4]
    return body + encrypt(bytes.fromhex(keys.internal_authentication), body[-8:])[:4]


def build_atr(card: Card, identification_code: bytes) -> bytes:
    """13 historical bytes behind 4 header bytes; the last four are the chip serial. 3.00 speaks T=1, others T=0."""
    if card.atr:
        return bytes.fromhex(card.atr)
    serial = identification_code[8:12]
    history = bytes.fromhex("00814E434386") + identification_code[:3] + serial
    if not card.spec.startswith("3"):
        return bytes.fromhex("3B6D0000") + history
    body = bytes.fromhex("9D1101") + history
    check = 0
    for byte in body:
        check ^= byte
    return b"\x3b" + body + bytes([check])


def build_number(card: Card) -> str:
    """Nine characters with the check character of GB 11714."""
    if card.number:
        return card.number
    body = f"{int.from_bytes(hashlib.sha256(card.handle.encode()).digest()[4:8], 'big') % 10**8:08d}"
    total = sum(_CARD_ALPHABET.index(char) * weight for char, weight in zip(body, _CARD_WEIGHTS, strict=True))
    check = 11 - total % 11
    return body + {10: "X", 11: "0"}.get(check, str(check))


def pin_of(card: Card) -> str:
    """The PIN in the chip. A card in its initial state has the usual initial PIN unless the world names another."""
    return _INITIAL_PIN if card.pin_state == "initial" and card.pin == _WORLD_DEFAULT_PIN else card.pin


def build_files(card: Card, resident: Resident, identification_code: bytes) -> Files:
    """Every file of the chip; ``card.raw`` has the last word on any tag."""
    name = resident.name.encode("gb18030")
    issuing = {
        0x01: identification_code,
        0x02: b"3",
        0x03: _padded(card.spec.encode("ascii"), 4),
        0x04: bytes.fromhex("915600000243010000430100"),
        0x05: _digits(card.issued, 4),
        0x06: _digits(card.expires, 4),
        0x07: _padded(build_number(card).encode("ascii"), 9),
    }
    holder = {
        0x08: _padded(resident.number.encode("ascii"), 18),
        0x09: _padded(name[:30], 30),
        0x4E: _padded(name[30:50], 20),
        0x0A: resident.sex.encode("ascii"),
        0x0B: _digits(resident.nation, 1),
        0x0C: bytes.fromhex(resident.number[:6] if resident.number[:6].isdigit() else "000000"),
        0x0D: _digits(resident.born.replace("-", ""), 4),
    }
    for tag, value in card.raw.items():
        (issuing if int(tag, 16) <= 0x07 else holder)[int(tag, 16)] = bytes.fromhex(value)
    files: Files = {
        (SSSE, 0xEF05): ChipFile(Access.FREE, issuing),
        (SSSE, 0xEF06): ChipFile(Access.KEY if card.spec.startswith("3") else Access.FREE, holder),
    }
    if card.chip_months >= 0 or card.chip_account_fen >= 0:
        files[DF04, 0xEF05] = ChipFile(Access.PIN_OR_KEY, _chip_record(card))
    return files


def _chip_record(card: Card) -> dict[int, bytes]:
    items = {}
    if card.chip_months >= 0:
        items[0x60] = card.chip_months.to_bytes(2, "big")
    if card.chip_account_fen >= 0:
        items[0x61] = card.chip_account_fen.to_bytes(4, "big")
    if card.chip_as_of:
        items[0x62] = _digits(card.chip_as_of.replace("-", ""), 4)
    return items


def _padded(value: bytes, length: int) -> bytes:
    return value[:length].ljust(length, b"\x00")


def _digits(text: str, length: int) -> bytes:
    """cn: decimal digits two a byte, padded right with F; what is no digit is dropped."""
    digits = "".join(char for char in text if char in "0123456789")
    return bytes.fromhex(digits[: 2 * length].ljust(2 * length, "F"))
