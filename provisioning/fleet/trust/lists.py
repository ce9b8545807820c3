"""The trust lists that a city published, and what holds before the first one."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import peewee
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from provisioning.fleet.city_key import city_signer, public_hex
from provisioning.fleet.database import tuples
from provisioning.fleet.enrolment import claims
from provisioning.fleet.schema.trust import TrustList
from provisioning.rules.trust import Trust, public_keys


def newest(tenant: str) -> int:
    """Number of the newest list; 0: none was published."""
    found = TrustList.select(peewee.fn.MAX(TrustList.number)).where(TrustList.tenant == tenant).scalar()
    return int(found or 0)


def newest_of_all() -> Mapping[str, int]:
    """City -> the number of its newest list."""
    rows: Any = TrustList.select(TrustList.tenant, peewee.fn.MAX(TrustList.number)).group_by(TrustList.tenant)
    return dict(tuples(rows))


def wire_of(tenant: str, number: int) -> bytes | None:
    found = TrustList.get_or_none((TrustList.tenant == tenant) & (TrustList.number == number))
    return found.wire.encode() if found else None


def trusted_now(home: Path, tenant: str) -> Trust:
    """What a terminal that is enrolled now is told: the newest list, or the city's key and its people."""
    wire = wire_of(tenant, newest(tenant))
    if wire is not None:
        return msgspec.convert(json.loads(wire)["document"], Trust)  # judged when it was published
    signer = city_signer(home, tenant)
    return Trust(tenant=tenant, signs=signer.name, keys={signer.name: public_hex(signer)}, approvers=_people(tenant))


def approvers(tenant: str) -> Mapping[str, Ed25519PublicKey]:
    """Whose signatures count: terminals believe them, and they are still approvers here."""
    wire, here = wire_of(tenant, newest(tenant)), _people(tenant)
    listed = json.loads(wire)["document"]["approvers"] if wire else here
    return public_keys({name: key for name, key in listed.items() if here.get(name) == key})


def _people(tenant: str) -> dict[str, str]:
    return {one.name: one.public_key for one in claims.keys(tenant)}
