"""A person's own key for sticks and epochs: an Ed25519 key under a passphrase, its owner's name on the first line.

It is made and used on that person's machine. The server learns its public half by ``claim trust``.
"""

import getpass
import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.basics.signed import Signer, cosigned

PASSPHRASE = "CLAIM_PASSPHRASE"  # noqa: S105 - the name of a variable


def make_own_key(path: Path, name: str) -> str:
    """Its public half in hex. Raises OSError: there is such a file already, or it cannot be written."""
    key = Ed25519PrivateKey.generate()
    locked = serialization.BestAvailableEncryption(_passphrase().encode())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(f"{name}\n".encode() + pem)
    return key.public_key().public_bytes_raw().hex()


def read_own_key(path: Path) -> Signer:
    """Asks for the passphrase. Raises OSError; ValueError: another passphrase, or no such key."""
    name, _, pem = path.read_bytes().partition(b"\n")
    key = serialization.load_pem_private_key(pem, _passphrase().encode())
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path}: not an Ed25519 key")
    return Signer(name.decode(), key)


def sign_file(path: Path, key: Path) -> None:
    """Add one person's signature to what several sign. Raises as ``read_own_key``; NotTrusted: this person did already,
    or it is nothing that several sign."""
    path.write_bytes(cosigned(path.read_bytes(), read_own_key(key)))


def _passphrase() -> str:
    """Never an argument, which other users could read."""
    return os.environ.get(PASSPHRASE) or getpass.getpass("Passphrase of your key: ")
