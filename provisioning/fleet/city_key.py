"""The keys by which a city signs settings and commands: files of their own; the first is made at the city's first need.

Which one signs, and which ones terminals believe, its newest trust list says (``provisioning.fleet.trust``).

Sticks, epochs and software are signed by people's own keys, which no server holds (docs/fleet.md).
"""

import os
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kiosk.basics.signed import Signer
from provisioning.fleet.schema.trust import TrustList

FOLDER = "city-keys"
MARK = "."  # in the name of a later key, before its number; no city's code has one


def city_signer(home: Path, tenant: str) -> Signer:
    """Its key of today: the one that its newest trust list names, or the first. ``home``: of the fleet, private.

    Raises:
        OSError, ValueError: the file cannot be made or read.
    """
    newest = TrustList.select(TrustList.signs).where(TrustList.tenant == tenant).order_by(TrustList.number.desc())
    name = newest.scalar() or tenant
    path = _file(home, name)
    if name == tenant and not path.exists():
        _make(path)
    return Signer(name, _read(path))


def city_keys(home: Path, tenant: str) -> Mapping[str, Ed25519PublicKey]:
    """Every key that this city ever had: a terminal may bring what an older one signed."""
    city_signer(home, tenant)
    names = [tenant, *(path.stem for path in sorted((home / FOLDER).glob(f"{tenant}{MARK}*.pem")))]
    return {name: _read(_file(home, name)).public_key() for name in names}


def make_key(home: Path, tenant: str, number: int) -> tuple[str, Ed25519PublicKey]:
    """The key that trust list ``number`` will bring, and its name; drawn up twice it is the same. Raises OSError."""
    name = f"{tenant}{MARK}{number}"
    path = _file(home, name)
    if not path.exists():
        _make(path)
    return name, _read(path).public_key()


def public_hex(signer: Signer) -> str:
    return signer.key.public_key().public_bytes_raw().hex()


def _file(home: Path, name: str) -> Path:
    return home / FOLDER / f"{name}.pem"


def _read(path: Path) -> Ed25519PrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey), "a city's key is Ed25519"
    return key


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
