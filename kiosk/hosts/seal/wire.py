"""What passes between the kiosk and the short-lived checking process. No IO.

In: 4 bytes length (big endian), a JSON header, then the PDF until the end. All of it through a pipe: a personal number
in an argument list could be read by every process of the machine. Out: one JSON object.
"""

from typing import TypeVar

import msgspec

from kiosk.domain.certificate import SealExpectation, SealFinding

_LENGTH_BYTES = 4
HEADER_BYTES_MAX = 4096
REASON_MAX = 64

T = TypeVar("T")


class Order(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``anchors`` is a directory of authorities (.pem) and revocation lists (.crl)."""

    anchors: str
    time_tolerance_s: int
    cpu_s_max: int
    production: bool = False  # then a seal marked TEST is not trusted (pins-and-keys 10)
    expected: SealExpectation


class Verdict(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``reason`` is a word for staff and logs, never content."""

    finding: SealFinding
    reason: str = ""


def packed(order: Order, pdf: bytes) -> bytes:
    """An order and its document as one run of bytes."""
    header = msgspec.json.encode(order)
    assert len(header) <= HEADER_BYTES_MAX
    return len(header).to_bytes(_LENGTH_BYTES, "big") + header + pdf


def unpacked(sent: bytes) -> tuple[Order, bytes]:
    """The other way round.

    Raises:
        ValueError: cut off, or a header that is none.
    """
    length = int.from_bytes(sent[:_LENGTH_BYTES], "big")
    start = _LENGTH_BYTES + length
    if length > HEADER_BYTES_MAX or len(sent) < start:
        raise ValueError("order is cut off")
    return _read(sent[_LENGTH_BYTES:start], Order), sent[start:]


def verdict_from(said: bytes) -> Verdict:
    """What the process said.

    Raises:
        ValueError: nothing, or something else than a verdict.
    """
    return _read(said, Verdict)


def _read(raw: bytes, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(raw, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise ValueError(f"not a {shape.__name__}") from None
