"""Offline data authentication, static and dynamic (EMV Book 2, chapters 5 and 6), with RSA as public texts describe it.

Recovery is a bare modular power of public numbers, so no library is asked for it; SHA-1 is what these cards sign.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from kiosk.ports.debit import CaKey, DebitRules

ISSUER_CERTIFICATE, STATIC_DATA, ICC_CERTIFICATE, DYNAMIC_DATA = 2, 3, 4, 5  # "data format" of what is recovered
_HASH_BYTES = 20
_ISSUER_HEAD, _ICC_HEAD = 14, 20  # bytes from the data format up to the digits of the key


class NotAuthentic(Exception):
    """The card's data, or the certificates over them, do not hold."""


@dataclass(frozen=True)
class PublicKey:
    modulus: bytes
    exponent: int


def recover(key: PublicKey, signed: bytes, kind: int) -> bytes:
    """What was signed, without header, trailer and hash sum; and the hash sum at its end.

    Raises:
        NotAuthentic: another length, header, trailer or kind than the standard's.
    """
    if len(signed) != len(key.modulus) or len(signed) < _HASH_BYTES + 4:
        raise NotAuthentic("length")
    if not any(key.modulus):
        raise NotAuthentic("modulus")
    plain = pow(int.from_bytes(signed, "big"), key.exponent, int.from_bytes(key.modulus, "big"))
    clear = plain.to_bytes(len(signed), "big")
    if clear[0] != 0x6A or clear[-1] != 0xBC or clear[1] != kind:
        raise NotAuthentic("recovered form")
    return clear[1:-1]


def _checked(key: PublicKey, signed: bytes, kind: int, more: bytes) -> bytes:
    """Recover, and compare the hash sum over the recovered part and ``more``."""
    recovered = recover(key, signed, kind)
    content, told = recovered[:-_HASH_BYTES], recovered[-_HASH_BYTES:]
    if hashlib.sha1(content + more, usedforsecurity=False).digest() != told:
        raise NotAuthentic("hash")
    return content


def _certified(
    authority: PublicKey, certificate: bytes, kind: int, head: int, rest: bytes, exponent: bytes, static: bytes
) -> tuple[bytes, PublicKey]:
    """The head of a certificate and the key that it certifies."""
    content = _checked(authority, certificate, kind, rest + exponent + static)
    if len(content) < head:
        raise NotAuthentic("length")
    length = content[head - 2]
    digits = content[head:]
    modulus = digits[:length] if length <= len(digits) else digits + rest
    if len(modulus) != length or not exponent:
        raise NotAuthentic("key length")
    return content[:head], PublicKey(modulus, int.from_bytes(exponent, "big"))


def authority_key(rules: DebitRules, rid: str, index: int, day: str) -> CaKey:
    """Raises NotAuthentic: not among the keys that this terminal holds, or past its day."""
    for key in rules.ca_keys:
        if (key.rid.upper(), key.index) == (rid.upper(), index) and (not key.expires or day <= key.expires):
            return key
    raise NotAuthentic("no authority key")


def issuer_key(rules: DebitRules, rid: str, tags: Mapping[str, bytes], day: str) -> PublicKey:
    """The issuer's key out of tags 8F, 90, 92, 9F32, checked against PAN, expiry date and revocation list."""
    index = tags["8F"][0] if tags.get("8F") else -1
    known = authority_key(rules, rid, index, day)
    head, key = _certified(
        PublicKey(known.modulus, known.exponent),
        tags.get("90", b""),
        ISSUER_CERTIFICATE,
        _ISSUER_HEAD,
        tags.get("92", b""),
        tags.get("9F32", b""),
        b"",
    )
    issuer, expires, serial = head[1:5].hex(), head[5:7], head[7:10].hex().upper()
    if not tags.get("5A", b"").hex().startswith(issuer.rstrip("f")):
        raise NotAuthentic("issuer is another")
    _in_time(expires, day)
    if (rid.upper(), index, serial) in rules.revoked:
        raise NotAuthentic("revoked")
    return key


def card_key(issuer: PublicKey, tags: Mapping[str, bytes], static: bytes, day: str) -> PublicKey:
    """The card's own key out of tags 9F46, 9F47, 9F48; the certificate also covers the static data."""
    head, key = _certified(
        issuer,
        tags.get("9F46", b""),
        ICC_CERTIFICATE,
        _ICC_HEAD,
        tags.get("9F48", b""),
        tags.get("9F47", b""),
        static,
    )
    if head[1:11].hex().rstrip("f") != tags.get("5A", b"").hex().rstrip("f"):
        raise NotAuthentic("certificate of another card")
    _in_time(head[11:13], day)
    return key


def check_static(issuer: PublicKey, tags: Mapping[str, bytes], static: bytes) -> None:
    """SDA over tag 93. Raises NotAuthentic."""
    _checked(issuer, tags.get("93", b""), STATIC_DATA, static)


def check_dynamic(card: PublicKey, signed: bytes, terminal_data: bytes) -> None:
    """DDA: what the card signed now, over the data that the DDOL asked for. Raises NotAuthentic."""
    _checked(card, signed, DYNAMIC_DATA, terminal_data)


def static_data(records: bytes, tags: Mapping[str, bytes]) -> bytes:
    """Records that the AFL marks, and the AIP where tag 9F4A names it; any other tag there makes it fail."""
    listed = tags.get("9F4A", b"")
    if listed not in (b"", b"\x82"):
        raise NotAuthentic("9F4A")
    return records + (tags.get("82", b"") if listed else b"")


def _in_time(expires: bytes, day: str) -> None:
    """``expires`` is MMYY, BCD; ``day`` YYMMDD."""
    text = expires.hex()
    if not text.isdigit() or text[2:] + text[:2] < day[:4]:
        raise NotAuthentic("certificate expired")
