"""The people who sign releases, their repository, and a terminal's trust in it: all real, in a folder."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner, Signer
from tuf.api.metadata import Metadata

from provisioning.fleet.updates.publish import publish, refresh
from provisioning.fleet.updates.repository import Repository
from provisioning.fleet.updates.staging import Signers, sign, stage_root, stage_targets
from provisioning.rules.releases import Software
from provisioning.terminal.disk import Disk
from provisioning.terminal.updates.refused import UpdateRefused
from provisioning.terminal.updates.sources import FolderSource
from provisioning.terminal.updates.trust import Allowed, Trust

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
DAY_MS = 86_400_000
PEOPLE = ("alice", "bob", "carol")


def new_signer() -> Signer:
    return CryptoSigner(Ed25519PrivateKey.generate())


@dataclass
class Office:
    """Alice, Bob and Carol keep the root; Alice and Bob sign software; ``online`` is the server's key."""

    home: Path
    now_ms: int = int(NOW.timestamp() * 1000)
    people: dict[str, Signer] = field(
        default_factory=lambda: {name: new_signer() for name in ("alice", "bob", "carol")}
    )
    online: Signer = field(default_factory=new_signer)
    _staged: int = 0

    @property
    def repository(self) -> Repository:
        return Repository(self.home / "public" / "tuf")

    def stage_folder(self) -> Path:
        self._staged += 1
        return self.home / f"staged-{self._staged}"

    def stage_root(self, folder: Path, root: tuple[str, ...] = PEOPLE) -> None:
        keys = [self.people[name].public_key for name in root]
        signers = Signers(
            keys, [self.people["alice"].public_key, self.people["bob"].public_key], self.online.public_key
        )
        stage_root(self.repository, signers, folder, self.now_ms)

    def begin(self) -> None:
        """The first root, signed by two of three, and an empty list of software."""
        folder = self.stage_folder()
        self.stage_root(folder)
        stage_targets(self.repository, [], [], folder, self.now_ms)
        self.sign_and_publish(folder)

    def sign_and_publish(self, folder: Path, by: tuple[str, ...] = ("alice", "bob")) -> None:
        for name in by:
            sign(folder, self.people[name])
        publish(self.repository, folder, self.online, self.now_ms)

    def release(
        self,
        version: str,
        content: bytes,
        withdraw: tuple[str, ...] = (),
        kind: str = "application",
        by: tuple[str, ...] = ("alice", "bob"),
    ) -> None:
        folder = self.stage_folder()
        made = self.home / f"made-{kind}-{version}"
        made.write_bytes(content)
        software = Software(kind, version)
        stage_targets(self.repository, [(made, software)], withdraw, folder, self.now_ms)
        self.sign_and_publish(folder, by)

    def refresh(self) -> None:
        refresh(self.repository, self.online, self.now_ms, always=True)

    def pass_days(self, days: float) -> None:
        self.now_ms += int(days * DAY_MS)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.now_ms / 1000, UTC)

    def trust(self, folder: Path, disk: Disk | None = None) -> Trust:
        """A terminal's, that was given the first root."""
        return Trust(folder, self.repository.folder / "1.root.json", disk or Disk(), self.now)


@dataclass
class Mirror:
    """Implements ``trust.Source``: the repository as somebody on the line serves it, with some files changed."""

    folder: Path
    changed: dict[str, bytes | None] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def metadata(self, name: str, bytes_max: int) -> bytes | None:
        self.asked.append(name)
        if name not in self.changed:
            return await FolderSource(self.folder).metadata(name, bytes_max)
        content = self.changed[name]
        if content is not None and len(content) > bytes_max:
            raise UpdateRefused("too_long", name)
        return content


def mirror_of(office: Office) -> Mirror:
    return Mirror(office.repository.folder)


async def refreshed(trust: Trust, office: Office) -> Allowed:
    return await trust.refresh(mirror_of(office))


def resigned(raw: bytes, *signers: Signer) -> bytes:
    """The same content under other signatures."""
    metadata = Metadata.from_bytes(raw)
    metadata.signatures.clear()
    for signer in signers:
        metadata.sign(signer, append=True)
    return metadata.to_bytes()
