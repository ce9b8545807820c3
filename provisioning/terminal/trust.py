"""Whom this terminal believes: what its enrolment told, and every trust list since, each judged by the one before.

All lists are kept, one file each, and judged again at every start: what is believed never rests on a file alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.basics.signed import NotTrusted
from kiosk.ports import HostRefused, OutcomeUnknown
from provisioning.rules.enrolment import Welcome
from provisioning.rules.poll import PollAnswer
from provisioning.rules.trust import TRUST_BYTES_MAX, Trust, public_keys, read_trust
from provisioning.terminal.disk import Disk

TRUST_FOLDER = "trust"
LISTS_A_POLL_MAX = 32


class Fetches(Protocol):
    """The one verb of ``HostLink`` that lists need."""

    async def fetch(self, path: str, *, bytes_max: int) -> bytes: ...


@dataclass
class Believed:
    """``keys`` (of the city) and ``approvers`` are changed in place: every part of the agent that judges a signature
    holds the same two. ``told``: why a list is not taken."""

    folder: Path
    disk: Disk
    tenant: str
    told: Callable[[str], None]
    number: int = 0
    keys: dict[str, Ed25519PublicKey] = field(default_factory=dict)
    approvers: dict[str, Ed25519PublicKey] = field(default_factory=dict)

    @classmethod
    def since(cls, welcome: Welcome, folder: Path, disk: Disk, told: Callable[[str], None]) -> "Believed":
        """At the agent's start. A file that does not hold ends the walk: the fleet is asked for that list again."""
        one = cls(folder, disk, welcome.tenant, told, welcome.trust)
        one.keys, one.approvers = public_keys(welcome.keys), public_keys(welcome.approvers)
        while (wire := one._kept(one.number + 1)) is not None:
            try:
                one._believe(read_trust(wire, one.approvers, one.tenant, one.number + 1)[0])
            except NotTrusted as refused:
                told(f"kept list {one.number + 1}: {refused}")
                break
        return one

    async def follow(self, answer: PollAnswer, link: Fetches, base: str) -> None:
        """Fetch what is newer, one after the other. What fails is tried at the next poll."""
        try:
            for _ in range(min(answer.trust - self.number, LISTS_A_POLL_MAX)):
                self.take(await link.fetch(f"{base}/trust/{self.number + 1}", bytes_max=TRUST_BYTES_MAX))
        except NotTrusted as refused:
            self.told(str(refused))
        except (HostRefused, OutcomeUnknown):
            return

    def take(self, wire: bytes) -> None:
        """The next list. Raises NotTrusted: nothing changed; OSError: this machine's disk."""
        trust, _ = read_trust(wire, self.approvers, self.tenant, self.number + 1)
        self.disk.folder(self.folder)
        self.disk.write(self._file(self.number + 1), wire)
        self._believe(trust)

    def _believe(self, trust: Trust) -> None:
        self.number += 1
        for mine, new in ((self.keys, trust.keys), (self.approvers, trust.approvers)):
            mine.clear()
            mine.update(public_keys(new))

    def _file(self, number: int) -> Path:
        return self.folder / f"{number}.json"

    def _kept(self, number: int) -> bytes | None:
        try:
            return self._file(number).read_bytes()
        except FileNotFoundError:
            return None
