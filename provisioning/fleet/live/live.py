"""The live part of one process: register, what was heard, room, and the work beside the questions that keeps them."""

import gc
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import anyio
import peewee

from kiosk.basics.log import JsonLog
from provisioning.fleet.live.errands import Errands
from provisioning.fleet.live.register import LiveRegister
from provisioning.fleet.live.room import Room
from provisioning.fleet.live.seen import Gathered
from provisioning.fleet.settings import Polls
from provisioning.fleet.web import now_ms

REFRESH_S = 0.5  # how soon another process's change is answered
FLUSH_S = 1.0
TICK_S = 0.1
THREADS = 20  # of a process, each with a connection of its own: PostgreSQL has a hundred by default
STALE_MS = 30_000  # a register that could not be read for so long answers nobody: it would miss a revocation

log = JsonLog()


class Busy(Exception):
    """Too much is in hand; the caller comes later."""


@dataclass
class Live:
    settings: Polls
    errands: Errands
    gathered: Gathered = field(default_factory=Gathered)
    register: LiveRegister = field(init=False)
    room: Room = field(init=False)
    _in_hand: int = 0
    _reading: threading.Lock = field(default_factory=threading.Lock)
    _writing: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.register = LiveRegister(self.errands)
        self.room = Room(self.settings)

    def may_enter(self, city: str, at_ms: int) -> bool:
        if self.gathered.full(at_ms) or at_ms - self.register.read_ms > STALE_MS:
            return False
        return self.room.enter(city, time.monotonic())

    @contextmanager
    def in_hand(self) -> Iterator[None]:
        """A poll that waits for the database.

        Raises:
            Busy: too many do.
        """
        if self._in_hand >= self.settings.in_hand_max:
            raise Busy
        self._in_hand += 1
        try:
            yield
        finally:
            self._in_hand -= 1

    def refresh(self, at_ms: int) -> None:
        with self._reading:
            self.register.refresh(at_ms)

    def reread(self, terminal: int, at_ms: int) -> None:
        with self._reading:
            self.register.reread([terminal], at_ms)

    def flush(self) -> None:
        with self._writing:
            self.gathered.flush()

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Reads everything first; writes what was heard last."""
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        await anyio.to_thread.run_sync(self.refresh, now_ms())
        gc.freeze()  # a hundred thousand terminals live as long as the process: nobody looks through them for garbage
        async with anyio.create_task_group() as tasks:
            for keeps in (self._keep_reading, self._keep_writing, self._keep_watching_the_loop):
                tasks.start_soon(keeps)
            try:
                yield
            finally:
                tasks.cancel_scope.cancel()
        await anyio.to_thread.run_sync(self.flush)

    async def _keep_reading(self) -> None:
        while True:
            await anyio.sleep(REFRESH_S)
            try:
                await anyio.to_thread.run_sync(self.refresh, now_ms())
            except peewee.PeeweeException as error:
                log("register_not_read", error=type(error).__name__)

    async def _keep_writing(self) -> None:
        while True:
            await anyio.sleep(FLUSH_S)
            try:
                await anyio.to_thread.run_sync(self.flush)
            except peewee.PeeweeException as error:
                log("seen_not_written", error=type(error).__name__)

    async def _keep_watching_the_loop(self) -> None:
        while True:
            before = time.monotonic()
            await anyio.sleep(TICK_S)
            self.room.woke(time.monotonic() - before - TICK_S)
