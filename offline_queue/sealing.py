"""Keys of the journal: what seals the entries, what indexes the cards, what signs the head.

One secret file of the terminal, readable by its owner alone, is the root; the sealing keys live in the journal, one a
month, wrapped twice: for the terminal, and for the agency's recovery key, so that a dead board loses no evidence
(money-rules 25). Destroying a month's wraps destroys its personal data and leaves the chain whole (money-rules 29).
"""

import hmac
import os
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from offline_queue.file_modes import mode_in

_NONCE_BYTES = 12
_KEY_BYTES = 32
_PROOF_BYTES = 16
_OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


class SealBroken(Exception):
    """The sealed bytes were changed, belong to another row, or were sealed under another or a destroyed key."""


class Root:
    """Keys derived from the terminal's one secret."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != _KEY_BYTES:
            raise ValueError("the journal's root key has 32 bytes")
        self._wrapping = AESGCM(_derived(secret, b"wrap"))
        # Copied for each use: to set the key up takes longer than to use it.
        self._index = hmac.new(_derived(secret, b"card index"), digestmod="sha256")
        self._proof = hmac.new(_derived(secret, b"proof"), digestmod="sha256")
        self.signing = Ed25519PrivateKey.from_private_bytes(_derived(secret, b"sign"))

    @classmethod
    def at(cls, path: Path) -> "Root":
        """The root in ``path``, made at first use, for those who write the journal alone (``file_modes``).

        Raises:
            OSError: cannot be read or made. ValueError: not a key of 32 bytes.
        """
        if not path.exists():  # under its own name only when it is whole: the power may go, another process may look
            beside = path.with_suffix(f".{os.getpid()}.new")
            beside.unlink(missing_ok=True)
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                os.fchmod(handle, mode_in(path.parent))
                file.write(os.urandom(_KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(beside, path)
            beside.unlink()
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        return cls(path.read_bytes())

    def card_index(self, card_number: str) -> str:
        """32 hex digits that find a card's entries and tell nobody its number."""
        return _mac(self._index, card_number.encode())[:16].hex()

    def proof(self, link: bytes) -> bytes:
        """That this terminal made this link, to whoever has the root. A MAC: thirty times quicker than a signature."""
        return _mac(self._proof, link)[:_PROOF_BYTES]

    def proves(self, link: bytes, proof: bytes) -> bool:
        return hmac.compare_digest(self.proof(link), proof)

    def wrap(self, key: bytes, period: str) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._wrapping.encrypt(nonce, key, period.encode())

    def unwrap(self, wrapped: bytes, period: str) -> bytes:
        """Raises SealBroken."""
        return _opened(self._wrapping, wrapped, period.encode())


def wrap_for_agency(key: bytes, recovery: rsa.RSAPublicKey) -> bytes:
    return recovery.encrypt(key, _OAEP)


def unwrap_by_agency(wrapped: bytes, recovery: rsa.RSAPrivateKey) -> bytes:
    """What the custodians do when a board is dead. Raises SealBroken."""
    try:
        return recovery.decrypt(wrapped, _OAEP)
    except ValueError:
        raise SealBroken("recovery") from None


class Sealer:
    """Seals and opens entries of one period."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, clear: bytes, row: str) -> bytes:
        """``row`` binds the bytes to their place, so that sealed rows cannot be swapped."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, clear, row.encode())

    def open(self, sealed: bytes, row: str) -> bytes:
        """Raises SealBroken."""
        return _opened(self._cipher, sealed, row.encode())


def _mac(keyed: hmac.HMAC, content: bytes) -> bytes:
    one = keyed.copy()
    one.update(content)
    return one.digest()


def _opened(cipher: AESGCM, sealed: bytes, bound: bytes) -> bytes:
    try:
        return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound)
    except (InvalidTag, ValueError):
        raise SealBroken(bound.decode(errors="replace")) from None


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(hashes.SHA256(), _KEY_BYTES, None, b"yikatong journal " + purpose).derive(secret)
