"""One PC/SC reader as an async line of card jobs.

Rules, each from something that was measured:

* An *insertion* ends at removal and at the first APDU without answer. A swift swap of cards is invisible to PC/SC and
  the new card then answers on the old handle, so nothing is ever continued after a failed transmit.
* After a failed transmit the slot counts as empty. If pcscd still reports a card SETTLE_S later, that card begins a
  new insertion with a fresh handle.
* A mute card blocks pcscd's slot until it is pulled; its worker is abandoned. Its insertion ends, but the slot counts
  as occupied until the card is out.
* pcscd may die and return: every context is taken afresh.
"""

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import trio

from drivers.transport.card_thread import CardWorker, Job, JobStopped, Sighting, SlotWatch
from drivers.transport.scard import CardJob, CardUnresponsive, ServiceGone, TransmitFailed
from kiosk.ports import CardGone

SETTLE_S = 0.9  # two of pcscd's 400 ms polls
ABANDONED_MAX = 3
STOP_S_MAX = 2.5
Answer = TypeVar("Answer")


class CardMute(CardGone):
    """There is a card and it does not answer."""


class ReaderMissing(Exception):
    """No such reader, or it stopped working for good."""


@dataclass(frozen=True)
class PcscSettings:
    """Which reader, and how long a card may take."""

    reader: str = ""  # regular expression searched in the reader's name
    index: int = 0  # among the readers that match
    socket: str = ""  # PCSCLITE_CSOCK_NAME; empty = as the environment has it
    answer_s_max: float = 5.0  # for one APDU
    job_s_max: float = 20.0  # for a whole job
    find_s_max: float = 5.0  # for the reader to be listed at start
    leave_powered: bool = False  # a PSAM stays powered

    def choose(self, names: list[str]) -> str | None:
        matching = [name for name in names if re.search(self.reader, name)]
        return matching[self.index] if self.index < len(matching) else None


class CardLine(Protocol):
    """A reader as an async line of card jobs: what drivers need of one. Each verb's promises stand at ``PcscLine``."""

    @property
    def card_present(self) -> bool: ...

    @property
    def insertion(self) -> int: ...

    @property
    def reader(self) -> str: ...

    async def wait_card(self) -> int: ...

    async def wait_no_card(self) -> None: ...

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None: ...

    async def job(self, insertion: int, make: Callable[[bytes], CardJob[Answer]]) -> Answer: ...

    async def let_go(self) -> None: ...

    def end_insertion(self) -> None: ...


OpenCardLine = Callable[[PcscSettings, Callable[[bool], None]], CardLine]


class PcscLine:
    """``run`` must be running; the rest is for tasks beside it.

    ``on_link(True | False)`` tells whether pcscd lists the reader.
    """

    def __init__(self, settings: PcscSettings, on_link: Callable[[bool], None] = lambda up: None) -> None:
        self.settings = settings
        self._on_link = on_link
        self._sighting: Sighting | None = None
        self._insertion = 0  # number of the insertion that began last
        self._over = "removed"  # why that one ended: "" | "removed" | "failed" | "mute"
        self._changed = trio.Event()
        self._turn = trio.Lock()
        self._worker: CardWorker | None = None
        self._abandoned: list[CardWorker] = []

    @property
    def card_present(self) -> bool:
        """A card is in the slot, be it one that went mute."""
        return self._over in ("", "mute")

    @property
    def insertion(self) -> int:
        """Number of the insertion that can take jobs now, 0 if none."""
        return 0 if self._over else self._insertion

    @property
    def reader(self) -> str:
        """The reader's name, "" while pcscd does not list it."""
        return self._sighting.reader if self._sighting else ""

    async def wait_card(self) -> int:
        """Return the number of an insertion that can take jobs, at once or when it begins."""
        while self._over:
            await self._changed.wait()
        return self._insertion

    async def wait_no_card(self) -> None:
        """Return when the slot is empty, or its card must count as pulled: also when another is there instead."""
        insertion = self._insertion
        while self.card_present and self._insertion == insertion:
            await self._changed.wait()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Watch the slot until cancelled; started once the reader is found.

        Raises:
            ReaderMissing: not listed within find_s_max, or ABANDONED_MAX threads are stuck in it.
        """
        _name_socket(self.settings.socket)
        token = trio.lowlevel.current_trio_token()
        self._worker = CardWorker(token, self.settings.leave_powered)
        watch = SlotWatch(token, self.settings.choose, self._note)
        try:
            with trio.move_on_after(self.settings.find_s_max):
                while not self._sighting:
                    await self._changed.wait()
            if not self._sighting:
                raise ReaderMissing
            task_status.started()
            await self._settle()
        finally:
            self._worker.close()
            watch.close()
            with trio.move_on_after(STOP_S_MAX, shield=True):
                await watch.ended.wait()

    async def job(self, insertion: int, make: Callable[[bytes], CardJob[Answer]]) -> Answer:
        """Run a whole APDU generator as one job in the card's thread; ``make`` is given the ATR.

        What the generator raises comes out here. Cancelling stops it between two APDUs.

        Raises:
            CardMute: no answer within the limits. CardGone: this insertion is over.
        """
        if self._turn.locked():
            await self._turn.acquire()
        else:
            self._turn.acquire_nowait()  # saves a turn of the event loop on the way to the card
        try:
            if self.insertion != insertion or not self._worker or not self._sighting:
                raise CardGone
            job = Job(make, self._sighting.reader, insertion)
            self._worker.submit(job)
            await self._attend(job)
            assert job.result
            try:
                answer: Answer = job.result.unwrap()
            except CardUnresponsive as error:
                self._end("mute")
                raise CardMute from error
            except (TransmitFailed, ServiceGone) as error:
                self._end("failed")
                raise CardGone from error
            return answer
        finally:
            self._turn.release()

    async def let_go(self) -> None:
        """End our card work with LEAVE_CARD, so that another process may speak to the card. The next job reconnects."""
        async with self._turn:
            gone = trio.Event()
            if self._worker:
                self._worker.let_go(gone.set)
                with trio.move_on_after(self.settings.answer_s_max):
                    await gone.wait()

    def end_insertion(self) -> None:
        """Somebody else saw the card fail: this insertion is over."""
        self._end("failed")

    async def _attend(self, job: Job) -> None:
        """Wait for the job, but not for ever: its thread cannot be cancelled, only left behind."""
        deadline = time.monotonic() + self.settings.job_s_max
        try:
            while not job.done.is_set():
                limit = min(deadline, job.alive_at + self.settings.answer_s_max)
                if time.monotonic() >= limit:
                    self._abandon()
                    raise CardMute
                with trio.move_on_after(limit - time.monotonic()):
                    await job.done.wait()
        except trio.Cancelled:
            job.stopped = True
            with trio.move_on_after(self.settings.answer_s_max, shield=True):
                await job.done.wait()
            if not job.done.is_set():
                self._abandon()
            elif isinstance(error := getattr(job.result, "error", None), TransmitFailed | ServiceGone):
                self._end("mute" if isinstance(error, CardUnresponsive) else "failed")
            raise

    def _abandon(self) -> None:
        assert self._worker
        self._worker.close()
        self._abandoned = [worker for worker in [*self._abandoned, self._worker] if worker.alive]
        self._worker = CardWorker(trio.lowlevel.current_trio_token(), self.settings.leave_powered)
        self._end("mute")

    def _end(self, why: str) -> None:
        if not self._over:
            self._over = why
            self._wake()

    def _note(self, sighting: Sighting | None) -> None:
        """What the watch thread saw, in order; None: pcscd or the reader is gone."""
        before, self._sighting = self._sighting, sighting
        if (before is None) != (sighting is None):
            self._on_link(sighting is not None)
            if sighting is None and self._worker:
                self._worker.drop()
        if sighting is None or not sighting.present:
            self._over = "removed"
        elif before is None or not before.present or before.counter != sighting.counter:
            self._insertion += 1
            self._over = ""
        self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, trio.Event()
        changed.set()

    async def _settle(self) -> None:
        """After a failed transmit: if pcscd goes on reporting a card, it begins a new insertion."""
        while len(self._abandoned) < ABANDONED_MAX:
            if self._over != "failed":
                await self._changed.wait()
                continue
            failed = self._insertion
            await trio.sleep(SETTLE_S)
            if self._over == "failed" and self._insertion == failed and self._sighting:
                self._insertion += 1
                self._over = ""
                self._wake()
        raise ReaderMissing


def _name_socket(path: str) -> None:
    """pcsc-lite reads the variable at this process's first call and never again."""
    if path:
        os.environ["PCSCLITE_CSOCK_NAME"] = path


__all__ = ["CardLine", "CardMute", "JobStopped", "OpenCardLine", "PcscLine", "PcscSettings", "ReaderMissing"]
