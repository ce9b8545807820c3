"""What is kept so that the fleet reads it and a thief of the database does not: AES-256-GCM by the fleet's own key.

The key is a file in ``home``, readable by its owner alone. Processes on several machines are given the same file.
"""

import base64
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FILE = "console.key"
KEY_BYTES = 32
NONCE_BYTES = 12


class Unreadable(Exception):
    """Sealed by another key, or for another purpose."""


@dataclass(frozen=True)
class Seal:
    """``purpose`` is bound to what is sealed: a secret moved to another person's row does not open."""

    key: bytes = field(repr=False)

    def close(self, plain: str, purpose: str) -> str:
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = AESGCM(self.key).encrypt(nonce, plain.encode(), purpose.encode())
        return base64.b64encode(nonce + sealed).decode()

    def open(self, sealed: str, purpose: str) -> str:
        """Raises Unreadable."""
        raw = base64.b64decode(sealed)
        try:
            return AESGCM(self.key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], purpose.encode()).decode()
        except InvalidTag:
            raise Unreadable(purpose.partition(":")[0]) from None

    def mark(self, words: str) -> str:
        """A tag, hex, that nobody without the key can make for ``words``."""
        return hmac.new(self.key, b"mark:" + words.encode(), hashlib.sha256).hexdigest()


def load_seal(home: Path) -> Seal:
    """The fleet's key; made at the first start. Of two processes that start together the first one's stands.

    Raises:
        OSError: ``home`` cannot be read or written.
    """
    path = home / FILE
    if not path.exists():
        _make(path)
    return Seal(path.read_bytes())


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    own = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, secrets.token_bytes(KEY_BYTES))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        path.hardlink_to(own)  # whole, or not there; never over an older one
    except FileExistsError:
        pass
    finally:
        own.unlink()
