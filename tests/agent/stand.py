"""A terminal's agent between a fleet in memory and a kiosk that answers on real sockets."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.basics.control import forward_path, kiosk_path, serve_control
from kiosk.basics.signed import Signer
from kiosk.ports import HostAnswer, HostRefused, OutcomeUnknown, Part
from kiosk.settings.agent_rules import AgentRules
from kiosk.settings.config import ConfigError, load_settings
from provisioning.terminal.bodies import Bodies
from provisioning.terminal.desired import DesiredState, Identity
from provisioning.terminal.disk import Disk
from provisioning.terminal.generations import Generations
from provisioning.terminal.house import House

TENANT, TERMINAL = "demo-city", "T0000001"
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
CITY = Signer(TENANT, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
STRANGER = Signer(TENANT, Ed25519PrivateKey.from_private_bytes(bytes(32)))


class PowerCut(BaseException):
    """Everything of the agent ends here; what it had flushed is what there is."""


class CuttingDisk(Disk):
    """Has power for so many effects. ``torn``: the last one of all is half done."""

    def __init__(self, effects: int = 1 << 30) -> None:
        self.left = effects

    def _spend(self) -> None:
        if self.left == 0:
            raise PowerCut
        self.left -= 1

    def put(self, path: Path, content: bytes, mode: int = 0o600) -> None:
        if self.left == 0:
            path.write_bytes(content[: len(content) // 2])
        self._spend()
        super().put(path, content, mode)

    def append(self, path: Path, at: int, content: bytes) -> None:
        self._spend()
        super().append(path, at, content)

    def rename(self, old: Path, new: Path) -> None:
        self._spend()
        super().rename(old, new)

    def link(self, path: Path, to: str) -> None:
        self._spend()
        super().link(path, to)

    def remove(self, path: Path) -> None:
        self._spend()
        super().remove(path)

    def folder(self, path: Path, mode: int = 0o700) -> None:
        self._spend()
        super().folder(path, mode)


@dataclass
class FleetInMemory:
    """Implements ``HostLink`` and ``DocumentLink`` for one terminal. ``dark``: nothing gets through."""

    documents: dict[str, bytes] = field(default_factory=dict)
    dark: bool = False
    breaks_after: int = 1 << 30  # pieces that come before the line breaks
    asked: list[str] = field(default_factory=list)
    polls: list[dict[str, Any]] = field(default_factory=list)
    answer: dict[str, Any] = field(default_factory=dict)
    refusal: HostRefused | OutcomeUnknown | None = None
    sent: dict[str, Any] = field(default_factory=dict)

    def wants(self, settings: Mapping[str, Any], version: int = 1, **changes: Any) -> int:
        """Publish settings; changes: fields of the document, or ``signer``, ``expires``."""
        signer = changes.pop("signer", CITY)
        expires = changes.pop("expires", NOW + timedelta(days=30))
        kind = changes.pop("kind", "desired_state")
        told = {"tenant": TENANT, "terminal_id": TERMINAL, "epoch": 0, "settings": settings, "bodies": [], **changes}
        self.documents["/desired"] = signer.signed(kind, version, NOW, expires, told)
        return version

    def body(self, name: str, content: bytes, kept: bytes | None = None) -> dict[str, Any]:
        """Put a file there; ``kept``: what lies there in its place."""
        sha256 = hashlib.sha256(content).hexdigest()
        self.documents[f"/bodies/{sha256}"] = content if kept is None else kept
        return {"name": name, "sha256": sha256, "bytes": len(content)}

    async def fetch_part(
        self,
        path: str,
        *,
        first: int = 0,
        bytes_max: int,
        etag: str = "",
        deadline_s: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Part | None:
        await trio.lowlevel.checkpoint()
        self.asked.append(path)
        if self.dark or self.breaks_after <= 0:
            raise OutcomeUnknown("fleet", "silence")
        self.breaks_after -= 1
        content = self.documents.get("/" + path.split("/", 5)[5])
        if content is None:
            return None
        piece = content[first : first + bytes_max]
        return Part(piece, first, len(content), etag, first + len(piece) == len(content))

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        key: str = "",
        deadline_s: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HostAnswer:
        await trio.lowlevel.checkpoint()
        self.asked.append(path)
        if self.dark:
            raise OutcomeUnknown("fleet", "silence")
        if self.refusal is not None:
            raise self.refusal
        told = json.loads(body) if isinstance(body, bytes) else body
        if path.endswith("/poll"):
            self.polls.append(told)
            return HostAnswer(200, {"time": NOW.isoformat(), "sleep_s": 300, **self.answer})
        self.sent[path.rsplit("/", 1)[1]] = told
        return HostAnswer(204, None)

    async def fetch(self, path: str, *, bytes_max: int, deadline_s: float | None = None) -> bytes:
        raise NotImplementedError


@dataclass
class KioskOnSockets:
    """Reads its settings at every start, as the real one does, and answers the agent's words. ``ill_with``: settings
    text with which it does not come up; ``slots`` as it finds them."""

    folder: Path
    settings_path: Path
    language: str = ""
    sum: str = ""
    starts: int = 0
    busy: str = ""  # "serving" | "under_way"
    ill_with: str = "\0"
    broken_slots: dict[str, str] = field(default_factory=dict)  # text in the settings -> slot that is broken by it
    hosts: dict[str, str] = field(default_factory=dict)
    silent_host_with: str = "\0"
    told: list[str] = field(default_factory=list)
    head: dict[str, Any] = field(default_factory=dict)
    comes_before_the_end: bool = False  # somebody puts a card in between the rest and the end
    under_way: int = 0
    unsent: int = 0
    kept: int = 7
    typed_keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    word: dict[str, Any] = field(default_factory=lambda: {"kept_up_to": 7, "newer": 0})
    _ended: trio.Event = field(default_factory=trio.Event)

    @property
    def run_dir(self) -> str:
        return str(self.folder / "run")

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        forward_path(self.run_dir).parent.mkdir(parents=True, exist_ok=True)
        async with trio.open_nursery() as nursery:
            forwards = {"unsent": self._unsent, "money": self._money, "end": self._nothing, "ledger": self._ledger}
            forwards["agencys_word"] = self._word
            await nursery.start(serve_control, forward_path(self.run_dir), forwards)
            task_status.started()
            while True:
                await self._live()

    async def _live(self) -> None:
        """One life of the kiosk: until it is told to end, or at once if it cannot work with its settings."""
        self._ended, self.starts = trio.Event(), self.starts + 1
        try:
            text = self.settings_path.read_text()
            settings = load_settings(self.settings_path)
            self.language, self.sum = settings.language, settings.sum
        except (ConfigError, OSError):
            text = self.ill_with
        if self.ill_with in text:
            await trio.sleep(0.02)
            return
        async with trio.open_nursery() as nursery:
            answers = {"health": self._health, "doctor": self._doctor, "end": self._end}
            words = {word: self._take(word) for word in ("out_of_service", "back_in_service", "reopen", "test_page")}
            told = {"pause": self._pause, "command_note": self._note, **words}
            await nursery.start(serve_control, kiosk_path(self.run_dir), answers, told)
            await self._ended.wait()
            nursery.cancel_scope.cancel()
        kiosk_path(self.run_dir).unlink()

    async def _health(self) -> dict[str, Any]:
        text = self.settings_path.read_text()
        slots = {"card_reader": {"condition": "ready", "reason": "", "since": NOW.isoformat()}}
        for words, slot in self.broken_slots.items():
            slots[slot] = {"condition": "fault" if words in text else "ready", "reason": "", "since": NOW.isoformat()}
        return {
            "life": str(self.starts),
            "settings": self.sum,
            "serving": True,
            "shut": "",
            "somebody": self.busy == "serving",
            "under_way": self.under_way,
            "slots": slots,
            "cash": {},
            "use": {"sessions": 3, "failed_interactions": 0, "staff_calls": 0},
            "typed_keys": self.typed_keys,
            "versions": {"kiosk": "0.1.0"},
        }

    async def _doctor(self) -> list[list[str]]:
        text = self.settings_path.read_text()
        return [["host hospital", "unknown" if self.silent_host_with in text else "ok", ""], ["clock", "ok", ""]]

    async def _end(self) -> str:
        if self.comes_before_the_end:
            self.busy, self.comes_before_the_end = "serving", False
        if self.busy:
            return self.busy
        trio.lowlevel.current_trio_token().run_sync_soon(self._ended.set)
        return "ending"

    def _pause(self, seconds: str) -> str:
        return self.busy or "paused"

    def _note(self, told: str) -> str:
        self.told.append(f"note {json.loads(told)['result']}")
        return "noted"

    def _take(self, word: str) -> Any:
        def take(about: str) -> Any:
            self.told.append(f"{word} {about}")
            return {"reopen": {"before": "", "cash_inside_fen": 0}, "test_page": "printed"}.get(word, "done")

        return take

    async def _unsent(self) -> dict[str, Any]:
        head = {"seq": 7, "link": "00", "signature": "11", "public_key": "22"}
        owed = {"unsent_count": self.unsent, "unsent_sum_fen": 100 * self.unsent, "oldest_at": ""}
        return {**head, **owed, "put_aside": 0, "open_effects": self.under_way, "under_way": self.under_way}

    async def _money(self) -> dict[str, Any]:
        return {"open_cases": 1, "suspense_fen": 500, "suspense_oldest": NOW.isoformat()}

    async def _ledger(self) -> dict[str, Any]:
        return {"up_to": self.kept, "disagrees": ""}

    async def _word(self) -> dict[str, Any]:
        return self.word

    async def _nothing(self) -> str:
        return "ending"


@dataclass
class Box:
    """One terminal's disk, with its local facts; ``agent()`` is its agent after each power-up."""

    folder: Path
    fleet: FleetInMemory = field(default_factory=FleetInMemory)
    lines: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    gate_s_max: float = 30.0  # a busy machine is no reason to be unwell

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.home, self.local = self.folder / "agent", self.folder / "local.toml"
        self.write_local()
        self.kiosk = KioskOnSockets(self.folder, self.home / "settings" / "current" / "settings.toml")

    def write_local(self, more: str = "") -> None:
        certificates = "".join(f'{name} = "{self.local}"\n' for name in ("ca", "certificate", "private_key"))
        self.local.write_text(
            f'run_dir = "{self.folder}/run"\ndata_dir = "{self.folder}/data"\n{more}'
            f'[terminal]\nterminal_id = "{TERMINAL}"\n[hosts.hospital]\nurl = "https://old"\n{certificates}'
        )

    def agent(self, disk: Disk | None = None) -> DesiredState:
        disk = disk or Disk()
        disk_of_start = Disk()
        disk_of_start.folder(self.home / "settings")
        identity = Identity(TENANT, TERMINAL, {CITY.name: CITY.key.public_key()})
        rules = AgentRules(
            home=str(self.home),
            gate_s_max=self.gate_s_max,
            host_ca=str(self.local),
            host_certificate=str(self.local),
            host_private_key=str(self.local),
        )
        return DesiredState(
            identity=identity,
            link=self.fleet,
            generations=Generations(self.home, disk),
            bodies=Bodies(self.fleet, identity.base, self.home / "bodies", disk),
            house=House(self.kiosk.run_dir, str(self.folder / "data")),
            local=self.local,
            rules=rules,
            now=lambda: NOW,
            log=self._log,
            program="0.1.0",
            look_every_s=0.01,
        )

    def _log(self, event: str, **fields: Any) -> None:
        self.lines.append((event, fields))
