"""A second medium and a USB stick of a terminal in memory: the real writers over real files, without their threads.

A medium is missing, full or slow, and the power goes in the middle of what is written to it. A stick is missing, full
or pulled; staff carry it to the agency, which keeps what is on it and writes its word onto it.
"""

import contextlib
import errno
import io
import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import trio

from kiosk.domain.ledger import LedgerBatch, SecondCopy, StickCopy
from kiosk.money.copy_to_medium import ANSWER_S_MAX, SecondCopies
from kiosk.ports import Log
from kiosk.ports.ledger import JournalRows, MediumFull
from kiosk.ports.staff import StickTrouble
from kiosk.records.evidence import ANSWER_SUFFIX, TerminalCopies
from kiosk.settings.config import JournalRules, Settings
from offline_queue.second_medium import SecondMedium
from simulators.alone.import_bundles import import_all
from simulators.deterministic.fuse import Fuse, PowerCut
from simulators.deterministic.office import StaffOffice
from simulators.hosts.agency_ledger import AgencyLedgerSandbox
from simulators.hosts.weather import Weather
from simulators.worlds.world import World

ANSWERS_S, WRITES_S = 0.05, 4.0
FILE_BYTES = 40_000  # of the medium: several files in a history


class Media:
    """They outlive the kiosk. ``medium_fault``: "" | missing | full | slow; ``stick_fault``: "" | missing | full |
    broken."""

    def __init__(self, folder: Path, office: StaffOffice, chance: random.Random, fuse: Fuse) -> None:
        self.medium, self.stick = folder / "medium", folder / "stick"
        self.medium.mkdir()
        self.stick.mkdir()
        self.medium_fault = self.stick_fault = ""
        self.office, self._folder, self._chance, self._fuse = office, folder, chance, fuse
        self._town: AgencyLedgerSandbox | None = None

    @property
    def rules(self) -> JournalRules:
        return JournalRules(second_medium=str(self.medium), stick=str(self.stick), stick_is_mount=False)

    def copies(self, settings: Settings, rows: JournalRows, public_key: bytes, log: Log) -> SecondCopies:
        """As ``kiosk.forwarder.forward`` makes them, for one life of the process."""
        real = SecondMedium(
            self.medium,
            settings.terminal.terminal_id,
            public_key,
            settings.journal.second_medium_bytes_max,
            FILE_BYTES,
        )
        medium = _TornMedium(self, real, self._chance, self._fuse)
        return SecondCopies(rows, medium, log, lambda: 0, self._asked)

    async def _asked(self, ask: Callable[..., Any], *about: object) -> Any:
        await trio.sleep(ANSWERS_S)
        if self.medium_fault == "slow":
            await trio.sleep(ANSWER_S_MAX)
            raise trio.TooSlowError
        return ask(*about)

    def carried_to_town(self, world: World, line: AgencyLedgerSandbox | None, now: Callable[[], datetime]) -> None:
        """Staff bring the stick to the agency and back; whether rows came by the line as well is all the same."""
        ledger = line or self._town or AgencyLedgerSandbox(world, self._folder / "town", Weather(), now)
        self._town = None if line else ledger
        with contextlib.redirect_stdout(io.StringIO()):
            import_all(self.stick, ledger, self.office.pki)
        for bundle in self.stick.glob("*.bundle"):
            bundle.unlink()

    def word_for(self, settings: Settings) -> Path:
        """Where the agency's word lies on the stick, once it gave one."""
        return self.stick / f"{settings.terminal.terminal_id}{ANSWER_SUFFIX}"

    def kept_up_to(self, settings: Settings, line: AgencyLedgerSandbox | None) -> int:
        """What the agency has, by line and by stick."""
        ledger = line or self._town
        return ledger.kept_up_to(settings.terminal.terminal_id)[0] if ledger else 0

    def close(self) -> None:
        if self._town is not None:
            self._town.close()


class _TornMedium:
    """Implements ``ports.RowsMedium``: what is being written when the power goes is there in part."""

    def __init__(self, media: Media, real: SecondMedium, chance: random.Random, fuse: Fuse) -> None:
        self._media, self._real, self._chance, self._fuse = media, real, chance, fuse

    def newest(self) -> int:
        if self._media.medium_fault == "missing":
            raise FileNotFoundError(errno.ENOENT, "no medium")
        return self._real.newest()

    def append(self, batch: LedgerBatch, kept_by_agency: int) -> None:
        self.newest()
        if self._media.medium_fault == "full":
            raise MediumFull("no room")
        lives = not self._fuse.dead
        try:
            self._fuse.burn("medium append")
        except PowerCut:
            if lives:
                self._tear(batch, kept_by_agency)
            raise
        self._real.append(batch, kept_by_agency)

    def _tear(self, batch: LedgerBatch, kept_by_agency: int) -> None:
        before = {path: path.stat().st_size for path in self._media.medium.iterdir()}
        self._real.append(batch, kept_by_agency)
        for path in self._media.medium.iterdir():
            was, now = before.get(path, 0), path.stat().st_size
            if now > was:
                with path.open("r+b") as file:
                    file.truncate(self._chance.randrange(was, now))


class MemoryCopies:
    """Implements ``ports.staff.OtherCopies`` for one life: the real writing, which elsewhere has a thread."""

    def __init__(self, media: Media, settings: Settings, second: SecondCopies) -> None:
        self._media, self._real, self._second = media, TerminalCopies(settings), second

    async def second_copy(self) -> SecondCopy | None:
        await trio.lowlevel.checkpoint()
        return self._second.now

    async def to_stick(self) -> StickCopy:
        await trio.sleep(WRITES_S)
        if self._media.stick_fault:
            raise StickTrouble(self._media.stick_fault)
        return self._real._write()
