"""Sealing of what a notice says. One key file beside the journal, readable by its owner alone.

Per-period keys and their wrapping to the agency come with the money journal.
"""

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class SealBroken(Exception):
    """The sealed bytes were changed, belong to another row, or were sealed under another key."""


class Sealer:
    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def at(cls, path: Path) -> "Sealer":
        """The key in ``path``, made at first use with mode 0600.

        Raises:
            OSError: cannot be read or made. ValueError: not a key of 32 bytes.
        """
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return cls(path.read_bytes())
        key = AESGCM.generate_key(256)
        with os.fdopen(handle, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        return cls(key)

    def seal(self, clear: bytes, row: str) -> bytes:
        """``row`` binds the bytes to their place, so that sealed rows cannot be swapped."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, clear, row.encode())

    def open(self, sealed: bytes, row: str) -> bytes:
        """Raises SealBroken."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], row.encode())
        except (InvalidTag, ValueError):
            raise SealBroken(row) from None
