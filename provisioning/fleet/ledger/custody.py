"""What the two custodians' key opens: keys of months, bundles, facts on receipts. The server never holds it.

A sealed row is a nonce of 12 bytes and AES-256-GCM under its month's key, its number as associated data.
"""

import base64
import json
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import load_pem_private_key

_NONCE_BYTES = 12
_OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
Facts = dict[str, str | int]


class NoCustody(Exception):
    """This is no key of custodians, or the words that protect it are others."""


class Custodians:
    """Holds the key for one command."""

    def __init__(self, key: RSAPrivateKey) -> None:
        self._key = key

    def opened(self, wrapped: bytes) -> bytes:
        """Raises ValueError: wrapped to other custodians, or altered."""
        return self._key.decrypt(wrapped, _OAEP)

    def month_keys(self, periods: Mapping[str, str]) -> dict[str, AESGCM]:
        """``periods``: month -> wrapped key, base64. Those that this key does not open are left out."""
        keys: dict[str, AESGCM] = {}
        for period, wrapped in periods.items():
            try:
                keys[period] = AESGCM(self.opened(base64.b64decode(wrapped, validate=True)))
            except ValueError:
                continue
        return keys


def load_custodians(pem: Path, words: str = "") -> Custodians:
    """Raises NoCustody."""
    try:
        key = load_pem_private_key(pem.read_bytes(), words.encode() or None)
    except (OSError, ValueError, TypeError) as error:
        raise NoCustody(f"{pem.name}: {type(error).__name__}") from None
    if not isinstance(key, RSAPrivateKey):
        raise NoCustody(f"{pem.name}: not an RSA key")
    return Custodians(key)


def facts_of(sealed: str, seq: int, key: AESGCM | None) -> Facts | None:
    """What a row holds; None where its month's key is not there, was destroyed, or does not open it."""
    if key is None:
        return None
    raw = base64.b64decode(sealed)
    try:
        facts: Facts = json.loads(key.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], str(seq).encode()))
    except (InvalidTag, ValueError):
        return None
    return facts
