"""A terminal before the fleet: its disk, its stick, its network, its agent's enrolment."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.basics.signed import Signer, cosigned, unsigned
from provisioning.rules.enrolment import CLAIM_KIND, CLAIM_VERSION
from provisioning.terminal.disk import Disk
from provisioning.terminal.enrolment.enrol import Address, Enrolment, Image
from provisioning.terminal.enrolment.identity import Identity
from provisioning.terminal.network import Networks
from tests.fleet.conftest import CITY
from tests.fleet.enrolment.asking import NOW
from tests.fleet.enrolment.lines import Town, clock_of

FLEET = Address("https://fleet.example:8444", "/etc/yikatong/fleet-ca.pem")
ANN, BOB, EVE = (Signer(name, Ed25519PrivateKey.generate()) for name in ("ann", "bob", "eve"))
IMAGE_KEYS = {one.name: one.key.public_key() for one in (ANN, BOB)}
NETWORK = {"static": {"address": "10.1.2.3/24", "gateway": "10.1.2.1"}, "vlan": 7}


def claim(place: int, *signers: Signer, **changed: Any) -> bytes:
    """A stick's document for SN-0000001, signed by ``signers`` or by two who may. ``changed``: fields of it, and
    ``ends`` (days from now)."""
    ends = changed.pop("ends", 30)
    facts = {"claim": "ab" * 16, "serial": "SN-0000001", "tenant": CITY, "terminal_id": "T0000007", "place": place}
    wire = unsigned(
        CLAIM_KIND, CLAIM_VERSION, NOW - timedelta(days=1), NOW + timedelta(days=ends), {**facts, **changed}
    )
    for signer in signers or (ANN, BOB):
        wire = cosigned(wire, signer)
    return wire


@dataclass
class Box:
    """``home`` survives; everything else is made anew with ``started``, as after a power cut."""

    home: Path
    town: Town
    serial: str = "SN-0000001"
    applied: list[str] = field(default_factory=list)  # names of network sets, "" for the image's own
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def stick(self) -> Path:
        return self.home / "stick"

    def put_stick(self, wire: bytes, serial: str = "") -> None:
        folder = self.stick / "yikatong" / "claims"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{serial or self.serial}.json").write_bytes(wire)

    def started(self, disk: Disk | None = None) -> Enrolment:
        disk = disk or Disk()
        identity = Identity(self.home / "identity", disk, self.serial)

        async def apply(folder: Path | None) -> None:
            self.applied.append(folder.name if folder else "")

        return Enrolment(
            identity=identity,
            networks=Networks(self.home, disk, apply),
            image=Image(FLEET, IMAGE_KEYS, "https://fleet.example:8445", self.stick),
            disk=disk,
            open_link=self.town.opener(identity),
            surely=clock_of(self.town.desk),
            log=lambda event, **fields: self.told.append((event, fields)),
        )

    def happened(self) -> list[tuple[str, str]]:
        """What its own record says was refused or done."""
        path = self.home / "identity" / "happened.json"
        return [(row["what"], row["why"]) for row in json.loads(path.read_bytes())] if path.exists() else []


async def steps(enrolment: Enrolment, most: int = 12) -> None:
    """Ask again and again, without the waiting between, until it is known or ``most`` steps led nowhere."""
    for _ in range(most):
        if enrolment.known() is not None:
            return
        await enrolment.step()
