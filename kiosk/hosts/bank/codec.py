"""Messages of the acquirer as bytes (UnionPay POS style ISO 8583; card-and-hosts 5.2), and what their codes mean.

A frame is a two-byte length, TPDU (5 bytes), header (6) and a message: MTI, bitmap, fields in packed digits. Field 64,
the MAC, is always last, and covers everything from the MTI up to it. The MAC itself is made in the PIN pad.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import iso8583

from kiosk.domain.money import Fen

TPDU_BYTES, HEADER_BYTES, LENGTH_BYTES, MAC_BYTES = 5, 6, 2, 8
FRAME_BYTES_MAX = 2048  # a message with field 55 and keys has some 600
CHECK_VALUE_BYTES = 4

Fields = dict[str, str]


class Unreadable(Exception):
    """Bytes that are no message of this bank: the outcome is unknown. Carries nothing of what was in them."""


def _digits(length: int) -> dict[str, Any]:
    pad = {"len_count": "nibbles", "right_pad": "0"} if length % 2 else {"len_count": "nibbles"}
    return {"data_enc": "b", "len_enc": "bcd", "len_type": 0, "max_len": length, "desc": "", **pad}


def _text(length: int) -> dict[str, Any]:
    return {"data_enc": "ascii", "len_enc": "bcd", "len_type": 0, "max_len": length, "desc": ""}


def _var(length_bytes: int, length_max: int, kind: str) -> dict[str, Any]:
    """``kind``: digits, text, bytes or gbk. Lengths are packed digits and count what the field counts in."""
    common = {"len_enc": "bcd", "len_type": length_bytes, "max_len": length_max, "desc": ""}
    if kind == "digits":
        return {"data_enc": "b", "len_count": "nibbles", "right_pad": "0", **common}
    return {"data_enc": {"text": "ascii", "gbk": "gb18030", "bytes": "b"}[kind], **common}


def _bytes(length: int) -> dict[str, Any]:
    return {"data_enc": "b", "len_enc": "bcd", "len_type": 0, "max_len": length, "desc": ""}


def _spec(pin_block_bytes: int) -> dict[str, dict[str, Any]]:
    return {
        "h": _bytes(0),
        "t": _bytes(2),
        "p": _bytes(8),
        "2": _var(1, 19, "digits"),  # PAN
        "3": _digits(6),  # processing code
        "4": _digits(12),  # amount in fen
        "11": _digits(6),  # trace number
        "12": _digits(6),  # time, of the host
        "13": _digits(4),  # date, of the host
        "14": _digits(4),  # card expires, YYMM
        "15": _digits(4),  # settlement date
        "22": _digits(3),  # 051 chip and PIN, 052 chip without PIN
        "23": {**_digits(4)},  # sequence of the PAN, "0001"
        "25": _digits(2),
        "26": _digits(2),  # longest PIN
        "32": _var(1, 11, "digits"),
        "35": _var(1, 37, "digits"),  # track 2, "D" between
        "37": _text(12),  # reference
        "38": _text(6),  # authorization
        "39": _text(2),  # response
        "41": _text(8),  # terminal
        "42": _text(15),  # merchant
        "44": _var(1, 25, "gbk"),
        "49": _text(3),
        "52": _bytes(pin_block_bytes),
        "53": _digits(16),
        "54": _var(2, 20, "text"),  # balances
        "55": _var(2, 255, "bytes"),  # chip
        "60": _var(2, 17, "digits"),
        "61": _var(2, 29, "digits"),
        "62": _var(2, 512, "bytes"),  # keys in 0810
        "63": _var(2, 163, "gbk"),
        "64": _bytes(MAC_BYTES),
    }


_PLAIN = _spec(8)
# INVENTED: no public text says where a 16-byte SM4 PIN block goes; here field 52 is as long as the block.
_SM = _spec(16)


@dataclass(frozen=True)
class Answer:
    """A message from the bank. ``covered`` is what its MAC must cover; ``mac`` is None without field 64."""

    mti: str
    fields: Fields = field(repr=False)
    covered: bytes = field(repr=False)
    mac: bytes | None = field(default=None, repr=False)

    def get(self, number: str) -> str:
        """A field, "" if it is not there."""
        return self.fields.get(number, "")


def encode(mti: str, fields: Mapping[str, str], *, with_mac: bool, sm_pin_block: bool = False) -> bytes:
    """A message; with ``with_mac`` the bitmap promises field 64, which ``sealed`` then appends.

    Raises:
        ValueError: a field that does not fit; names the field, never its content.
    """
    document = {"t": mti, **fields, **({"64": "00" * MAC_BYTES} if with_mac else {})}
    try:
        raw, _ = iso8583.encode(document, _SM if sm_pin_block else _PLAIN)
    except iso8583.EncodeError as error:
        raise ValueError(f"field {error.field}: {error.msg}") from None
    return bytes(raw[:-MAC_BYTES]) if with_mac else bytes(raw)


def decode(message: bytes, *, sm_pin_block: bool = False) -> Answer:
    """Read a message.

    Raises:
        Unreadable
    """
    try:
        document, _ = iso8583.decode(message, _SM if sm_pin_block else _PLAIN)
    except (iso8583.DecodeError, UnicodeError, KeyError):  # KeyError: a field that the table has not
        raise Unreadable("not a message") from None
    mti = document.pop("t")
    for name in ("h", "p", "1"):
        document.pop(name, None)
    mac = document.pop("64", None)
    if mac is None:
        return Answer(mti, dict(document), message)
    return Answer(mti, dict(document), message[:-MAC_BYTES], bytes.fromhex(mac))


def fold(covered: bytes) -> bytes:
    """The XOR of all 8-byte blocks, the first step of UnionPay's ECB MAC, which needs no key.

    A pad takes 247 bytes and folds by itself; given one block it folds that to itself, so the MAC is the same, and a
    message with field 55 fits.
    """
    folded = bytes(8)
    padded = covered + bytes(-len(covered) % 8)
    for at in range(0, len(padded), 8):
        folded = bytes(a ^ b for a, b in zip(folded, padded[at : at + 8], strict=True))
    return folded


def same_mac(told: bytes | None, made: bytes) -> bool:
    return told is not None and hmac.compare_digest(told, made)


# --- frames ----------------------------------------------------------------------------------------------------------


def frame(tpdu: bytes, header: bytes, message: bytes) -> bytes:
    assert len(tpdu) == TPDU_BYTES and len(header) == HEADER_BYTES
    body = tpdu + header + message
    assert len(body) <= FRAME_BYTES_MAX
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


class FrameReader:
    """Bytes in any pieces to whole messages, without TPDU and header."""

    def __init__(self) -> None:
        self._buffer = b""

    def receive(self, chunk: bytes) -> list[bytes]:
        """Raises Unreadable: a length that no frame has; the line is of no more use then."""
        self._buffer += chunk
        found: list[bytes] = []
        while len(self._buffer) >= LENGTH_BYTES:
            length = int.from_bytes(self._buffer[:LENGTH_BYTES], "big")
            if not TPDU_BYTES + HEADER_BYTES < length <= FRAME_BYTES_MAX:
                raise Unreadable("length of frame")
            if len(self._buffer) < LENGTH_BYTES + length:
                break
            body, self._buffer = self._buffer[LENGTH_BYTES:][:length], self._buffer[LENGTH_BYTES + length :]
            found.append(body[TPDU_BYTES + HEADER_BYTES :])
        return found


# --- meanings --------------------------------------------------------------------------------------------------------


class Verdict(Enum):
    """What a response code means to this terminal."""

    DONE = "done"
    PARTIAL = "partial"  # approved for less: reversed (money-rules 8)
    REFUSED = "refused"
    CALL_BANK = "call_bank"  # the host wants the card kept; a kiosk has no bin for it and gives it back
    SIGN_ON = "sign_on"  # refused, and the working keys or the batch are void
    UNKNOWN = "unknown"


_CODES = {
    Verdict.DONE: "00 11 A2 A4 A5 A6",
    Verdict.PARTIAL: "10",
    Verdict.SIGN_ON: "77 99 A0",
    Verdict.CALL_BANK: "04 07 41 43 67",
    # 98 (the centre had no answer from the issuer) is a listed code, but it is the centre's own "I do not know".
    Verdict.UNKNOWN: "09 68 94 98",
    Verdict.REFUSED: "01 02 03 05 06 12 13 14 15 19 20 21 22 25 30 33 34 35 36 38 40 42 45 51 54 55 57 58 59 61 62 63 "
    "64 65 66 75 90 91 92 93 95 96 97 A1 A3 A7",
}
_VERDICTS = {code: meaning for meaning, codes in _CODES.items() for code in codes.split()}


def verdict(code: str) -> Verdict:
    """Of field 39. A code that is not listed is UNKNOWN, never a no (money-rules 1)."""
    return _VERDICTS.get(code, Verdict.UNKNOWN)


@dataclass(frozen=True)
class WorkingKey:
    """A cryptogram under the pad's master key, and the check value that the pad must answer."""

    cryptogram: bytes = field(repr=False)
    check_value: bytes


@dataclass(frozen=True)
class WorkingKeys:
    pin: WorkingKey
    mac: WorkingKey


def working_keys(raw: bytes) -> WorkingKeys:
    """Field 62 of a sign-on's answer: 24 bytes (two single-length keys) or 40 (double-length; the MAC key may be a
    single one with eight zeros behind it).

    Raises:
        Unreadable: any other length.
    """
    if len(raw) == 24:
        return WorkingKeys(WorkingKey(raw[:8], raw[8:12]), WorkingKey(raw[12:20], raw[20:24]))
    if len(raw) == 40:
        mac = raw[20:28] if raw[28:36] == bytes(8) else raw[20:36]
        return WorkingKeys(WorkingKey(raw[:16], raw[16:20]), WorkingKey(mac, raw[36:40]))
    raise Unreadable("working keys")


def balance(text: str) -> Fen:
    """The available balance out of field 54: account type 2, amount type 2, currency 3, sign C or D, twelve digits.

    Raises:
        Unreadable: not there.
    """
    for at in range(0, len(text) - 19, 20):
        one = text[at : at + 20]
        if one[2:4] == "02" and one[4:7] == "156" and one[7] in "CD" and one[8:].isdigit():
            return Fen(int(one[8:]) * (1 if one[7] == "C" else -1))
    raise Unreadable("balance")
