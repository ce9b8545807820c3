"""The staff card: an application that holds an agency-signed certificate and signs a random. INVENTED (money-rules 30).

No public text describes one, so every number here is ours; docs/devices/staff_card.md has the whole of it. Jobs yield
APDUs and select the application first, as those of the social security card do. This module is also imported by the
short-lived PIN process, so it stays light: what a certificate says is read elsewhere.
"""

import hashlib
from collections.abc import Generator

from drivers.apdu import social_security_card
from drivers.apdu.command import Command
from drivers.apdu.exchange import demand
from drivers.apdu.read_file import select_application
from drivers.apdu.status import CardRefused

APPLICATION = bytes.fromhex("F0594B5453544631")  # "F0" (proprietary, ISO 7816-5) and the ASCII of YKTSTF1
CERTIFICATE_FILE = 0xEF0C
KEY = 0x01
CHALLENGE_BYTES = 32
SIGNATURE_BYTES = 64  # r and s of ECDSA on P-256
# What is signed begins with it, so that no answer of this key can be taken for a signature of anything else.
SIGNED_PREFIX = b"yikatong staff card 1\x00"
CERTIFICATE_BYTES_MAX = 2048
CODE_BYTES = 16

_PIECE_BYTES = 0xF0
_DER_HEAD_BYTES = 4
_DER_SEQUENCE_OF_256_AND_MORE = b"\x30\x82"


def certificate() -> Generator[bytes, bytes, bytes]:
    """The card's X.509 certificate in DER, as it lies there: nothing of it is believed yet.

    Raises:
        CardRefused: no staff card, or no certificate of a possible length in it.
    """
    yield from select_application(APPLICATION)
    identifier = CERTIFICATE_FILE.to_bytes(2, "big")
    yield from demand("select_certificate", Command(0x00, 0xA4, 0x02, 0x00, identifier))
    found = yield from _read(0, _DER_HEAD_BYTES)
    length = _DER_HEAD_BYTES + int.from_bytes(found[2:4], "big")
    if found[:2] != _DER_SEQUENCE_OF_256_AND_MORE or length > CERTIFICATE_BYTES_MAX:
        raise CardRefused("certificate_length", 0x6984)
    while len(found) < length:
        found += yield from _read(len(found), min(_PIECE_BYTES, length - len(found)))
    return found


def _read(offset: int, length: int) -> Generator[bytes, bytes, bytes]:
    piece = yield from demand("read_certificate", Command(0x00, 0xB0, offset >> 8, offset & 0xFF, le=length))
    if len(piece) != length:
        raise CardRefused("read_certificate", 0x6282)
    return piece


def code_of(certificate_der: bytes) -> bytes:
    """What stands for this card wherever a resident's card has its identification code: a hash of its certificate."""
    return hashlib.sha256(certificate_der).digest()[:CODE_BYTES]


def identification_code() -> Generator[bytes, bytes, bytes]:
    """``code_of`` the certificate; b"" if this is no staff card. Leaves the application selected."""
    try:
        found = yield from certificate()
    except CardRefused:
        return b""
    return code_of(found)


def resident_or_staff_code() -> Generator[bytes, bytes, bytes]:
    """Which card is in the slot, of either kind; b"" if of neither. Leaves its application selected, for a VERIFY."""
    resident = yield from social_security_card.identification_code()
    return resident or (yield from identification_code())


def signature(challenge: bytes) -> Generator[bytes, bytes, bytes]:
    """What the card's key makes of ``SIGNED_PREFIX`` and a 32-byte challenge, by ECDSA with SHA-256; b"" if nothing.

    ``00 88 00 01 20 <challenge> 40``.
    """
    assert len(challenge) == CHALLENGE_BYTES
    try:
        yield from select_application(APPLICATION)
        answer = yield from demand("staff_signature", Command(0x00, 0x88, 0x00, KEY, challenge, le=SIGNATURE_BYTES))
    except CardRefused:
        return b""
    return answer if len(answer) == SIGNATURE_BYTES else b""
