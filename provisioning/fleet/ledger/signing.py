"""The key that signs what the ledger keeps: of people at a desk (``import --sign``), or the server's (``ledger_key``).

Terminals know both from the box's own settings, and believe the server's for nothing else (``agency_keys.ledger``).
"""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from kiosk.basics.signed import Signer


def signer_of(words: str) -> Signer:
    """``NAME=FILE``, as terminals name the key. Raises ValueError, OSError: no such key."""
    name, _, file = words.partition("=")
    key = load_pem_private_key(Path(file).read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{file}: not an Ed25519 key")
    return Signer(name, key)
