"""The epoch that this terminal lives in, and the memo that it carries for its fleet. Files; old or new, never between.

An epoch is believed only with the signatures of two approvers. A memo is believed when its city signed it, and never
goes back to an older one: it is worth most to a fleet that has forgotten.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.basics.signed import NotTrusted
from kiosk.ports import HostLink, HostRefused, OutcomeUnknown
from provisioning.rules.epoch import read_epoch, read_memo
from provisioning.rules.poll import PollAnswer
from provisioning.terminal.disk import Disk

EPOCH_FILE, MEMO_FILE = "epoch.json", "memo.json"
MEMO_BYTES_MAX = 4 << 20


@dataclass
class Remembers:
    """``approvers``: people whose signatures open an epoch; ``keys``: of the city. ``told``: why one is not taken."""

    folder: Path
    disk: Disk
    tenant: str
    approvers: Mapping[str, Ed25519PublicKey]
    keys: Mapping[str, Ed25519PublicKey]
    now: Callable[[], datetime]
    told: Callable[[str], None]

    @property
    def epoch(self) -> int:
        """0: the first one."""
        wire = self._kept(EPOCH_FILE)
        try:
            return read_epoch(wire, self.approvers, self.tenant, 0, None)[0]
        except NotTrusted:
            return 0

    @property
    def memo(self) -> int:
        """Number of the one that is carried, 0 for none."""
        try:
            return read_memo(self._kept(MEMO_FILE), self.keys, self.tenant)[1].version
        except NotTrusted:
            return 0

    async def follow(self, answer: PollAnswer, link: HostLink, base: str) -> None:
        """Fetch what the answer says is newer, bring what it asks for. What fails is tried at the next poll."""
        try:
            if answer.want_memo and self._kept(MEMO_FILE):
                await link.call("POST", f"{base}/memo", body=self._kept(MEMO_FILE))
            if answer.epoch > self.epoch:
                self.take_epoch(await link.fetch(f"{base}/epoch", bytes_max=65_536))
            if answer.memo > self.memo:
                self.take_memo(await link.fetch(f"{base}/memo", bytes_max=MEMO_BYTES_MAX))
        except NotTrusted as refused:
            self.told(str(refused))
        except (HostRefused, OutcomeUnknown):
            return

    def take_epoch(self, wire: bytes) -> None:
        """Raises NotTrusted: the one in force stays."""
        read_epoch(wire, self.approvers, self.tenant, self.epoch, self.now())
        self.disk.write(self.folder / EPOCH_FILE, wire)

    def take_memo(self, wire: bytes) -> None:
        """Raises NotTrusted: the one that is carried stays."""
        read_memo(wire, self.keys, self.tenant, self.memo + 1)
        self.disk.write(self.folder / MEMO_FILE, wire)

    def _kept(self, name: str) -> bytes:
        try:
            return (self.folder / name).read_bytes()
        except OSError:
            return b""
