"""The key by which a city signs settings and commands: a file of its own, made at the city's first need of it.

Sticks, epochs and software are signed by people's own keys, which no server holds (docs/fleet.md).
"""

import os
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kiosk.signed import Signer

FOLDER = "city-keys"


def city_signer(home: Path, tenant: str) -> Signer:
    """``home``: of the fleet, private. The signer's name is the city's code.

    Raises:
        OSError, ValueError: the file cannot be made or read.
    """
    path = home / FOLDER / f"{tenant}.pem"
    if not path.exists():
        _make(path)
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey), "a city's key is Ed25519"
    return Signer(tenant, key)


def city_keys(home: Path, tenant: str) -> Mapping[str, Ed25519PublicKey]:
    """Whom terminals of this city believe; what enrolment gives them."""
    signer = city_signer(home, tenant)
    return {signer.name: signer.key.public_key()}


def public_pem(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _make(path: Path) -> None:
    """Of several processes that make one at once, the first to link its file has made the key."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    beside = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(beside, path)
    except FileExistsError:
        pass  # made by another process meanwhile: that one counts
    finally:
        beside.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
