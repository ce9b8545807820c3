"""The two threads behind one reader: one watches the slot, one works with the card. Neither is ever joined at exit.

A thread stuck in a mute card cannot be cancelled (SCardCancel does not reach SCardTransmit), so it is abandoned: it
closes its own context when pcscd lets it go, and a new one takes its place.
"""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import outcome
import trio

from drivers.transport.scard import CardHandle, CardJob, ReaderWatch, ServiceGone, drive

WATCH_S_MAX = 10.0  # bounds a lost SCardCancel; each end costs some messages with pcscd
BACK_OFF_S_MIN, BACK_OFF_S_MAX = 0.1, 1.0


@dataclass(frozen=True)
class Sighting:
    """What pcscd said of the slot."""

    reader: str
    present: bool
    mute: bool
    counter: int  # insertions and removals so far: shows a change that was too quick to be reported


class JobStopped(Exception):
    """The job was cancelled between two of its APDUs."""


@dataclass
class Job:
    """One card job on its way through the worker; ``done`` is set in trio's thread."""

    make: Callable[[bytes], CardJob[Any]]  # given the ATR
    reader: str
    insertion: int
    done: trio.Event = field(default_factory=trio.Event)
    result: outcome.Outcome[Any] | None = None
    alive_at: float = field(default_factory=time.monotonic)  # start of the call that the card owes an answer to
    stopped: bool = False


class CardWorker:
    """Runs whole jobs one after the other in its own thread with its own context."""

    def __init__(self, token: trio.lowlevel.TrioToken, leave_powered: bool) -> None:
        self._token = token
        self._leave_powered = leave_powered
        self._queue: queue.SimpleQueue[Job | Callable[[], None] | None] = queue.SimpleQueue()
        self._handle: CardHandle | None = None
        self._insertion = 0
        self._atr = b""
        self._thread = threading.Thread(target=self._work, daemon=True, name="card worker")
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def submit(self, job: Job) -> None:
        self._queue.put(job)

    def let_go(self, done: Callable[[], None]) -> None:
        """Give up the card handle, leaving the card powered, then call ``done`` in trio's thread."""

        def leave() -> None:
            if self._handle:
                self._handle.let_go(leave_powered=True)
            _post(self._token, done)

        self._queue.put(leave)

    def drop(self) -> None:
        """pcscd went away: the context is dead, and nothing but its use would tell."""
        self._queue.put(self._drop)

    def close(self) -> None:
        """End the thread after what is queued; it releases its context."""
        self._queue.put(None)

    def _work(self) -> None:
        while (order := self._queue.get()) is not None:
            if isinstance(order, Job):
                order.result = outcome.capture(self._do, order)
                _post(self._token, order.done.set)
            else:
                order()
        if self._handle:
            self._handle.close()

    def _do(self, job: Job) -> Any:
        try:
            handle, atr = self._connected(job)

            def transmit(apdu: bytes) -> bytes:
                if job.stopped:
                    raise JobStopped
                job.alive_at = time.monotonic()
                return handle.transmit(apdu)

            return drive(job.make(atr), transmit)
        except JobStopped:
            raise
        except BaseException:
            self._drop()  # after a failure nothing of this handle or context is trusted again
            raise

    def _connected(self, job: Job) -> tuple[CardHandle, bytes]:
        if self._handle is None:
            self._handle = CardHandle(self._leave_powered)
        if self._handle.connected and self._insertion == job.insertion:
            return self._handle, self._atr  # not asked again: a card that is gone says so at the first APDU
        job.alive_at = time.monotonic()
        self._atr = self._handle.connect(job.reader)
        self._insertion = job.insertion
        return self._handle, self._atr

    def _drop(self) -> None:
        if self._handle:
            self._handle.close(failed=True)
            self._handle = None


class SlotWatch:
    """Reports every change of one reader's slot by ``note`` in trio's thread; None when pcscd or reader is gone."""

    def __init__(
        self, token: trio.lowlevel.TrioToken, choose: Callable[[list[str]], str | None], note: Callable[..., None]
    ) -> None:
        self._token = token
        self._choose = choose
        self._note = note
        self._stop = threading.Event()
        self._watch: ReaderWatch | None = None
        self.ended = trio.Event()
        threading.Thread(target=self._run, daemon=True, name="card slot watch").start()

    def close(self) -> None:
        """Ask the thread to end; ``ended`` is set when its context is released."""
        self._stop.set()
        if watch := self._watch:
            watch.interrupt()

    def _run(self) -> None:
        """pcscd may go and come back at any time: back off and take fresh contexts for ever (pyscard's own monitor
        thread ends for good there)."""
        pause_s = BACK_OFF_S_MIN
        while not self._stop.is_set():
            try:
                self._watch_once()
            except ServiceGone:
                if self._watch:
                    pause_s = BACK_OFF_S_MIN
                _post(self._token, self._note, None)
            self._watch = None
            self._stop.wait(pause_s)
            pause_s = min(2 * pause_s, BACK_OFF_S_MAX)
        _post(self._token, self.ended.set)

    def _watch_once(self) -> None:
        handle = CardHandle()
        try:
            reader = self._choose(handle.readers())
            if reader is None:
                raise ServiceGone("no such reader")
            self._watch = ReaderWatch(handle, reader)
            while not self._stop.is_set():
                seen = self._watch.wait(WATCH_S_MAX)
                if seen:
                    _post(self._token, self._note, Sighting(reader, *seen))
        finally:
            handle.close()


def _post(token: trio.lowlevel.TrioToken, call: Callable[..., None], *arguments: object) -> None:
    try:
        token.run_sync_soon(call, *arguments)
    except trio.RunFinishedError:
        return  # the kiosk has ended; so may this thread
