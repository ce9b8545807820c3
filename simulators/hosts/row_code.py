"""One row of a terminal's journal as it stands in the QR code of a receipt, read by the agency. INVENTED.

``YKT1:``, then base45 (RFC 9285) of an Ed25519 signature and a MessagePack array, as ``docs/hosts/agency_ledger.yaml``
lays down.
"""

from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from simulators.hosts.journal_bundle import OAEP

MARK = "YKT1:"
TAG = b"yikatong journal row 1\0"
SIGNATURE_BYTES = 64
CODE_CHARS_MAX = 4296  # of the largest QR code; a recovery key of 4096 bits makes about 1,300 (ISO/IEC 18004, table 7)
_DIGITS = {char: value for value, char in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")}


class CodeRefused(Exception):
    """No such code, one that was read wrongly, or one that no terminal signed."""


class PaperRow(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """``sealed``: facts for the custodians, b"" without any."""

    terminal: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9]{4,16}$")]
    seq: Annotated[int, msgspec.Meta(ge=1)]
    at: Annotated[str, msgspec.Meta(max_length=40)]
    act: Annotated[str, msgspec.Meta(max_length=80)]
    case_code: Annotated[str, msgspec.Meta(max_length=12)]
    card_index: Annotated[bytes, msgspec.Meta(max_length=32)]
    postings: Annotated[str, msgspec.Meta(max_length=400)]
    link: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
    sealed: bytes


class Code:
    """A code as it was read. Its ``row`` is nobody's word until ``signed_by`` said whose."""

    def __init__(self, text: str) -> None:
        """Raises CodeRefused."""
        if not text.startswith(MARK) or len(text) > CODE_CHARS_MAX:
            raise CodeRefused("not the code of a receipt")
        raw = _from_base45(text.removeprefix(MARK))
        self._signature, self._body = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
        try:
            self.row = msgspec.msgpack.decode(self._body, type=PaperRow)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise CodeRefused("read wrongly") from error

    def signed_by(self, public_key: str) -> bool:
        """``public_key`` in hex."""
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(self._signature, TAG + self._body)
        except InvalidSignature:
            return False
        return True


def opened(row: PaperRow, custodians: RSAPrivateKey) -> dict[str, str | int]:
    """What only the agency reads of it: the card's number, and of the facts what had room."""
    if not row.sealed:
        return {}
    facts: dict[str, str | int] = msgspec.msgpack.decode(custodians.decrypt(row.sealed, OAEP))
    return facts


def _from_base45(text: str) -> bytes:
    if len(text) % 3 == 1:
        raise CodeRefused("read wrongly")
    raw = bytearray()
    for place in range(0, len(text), 3):
        group = text[place : place + 3]
        try:
            number = sum(_DIGITS[char] * 45**power for power, char in enumerate(group))
            raw += number.to_bytes(len(group) - 1, "big")
        except (KeyError, OverflowError):
            raise CodeRefused("read wrongly") from None
    return bytes(raw)
