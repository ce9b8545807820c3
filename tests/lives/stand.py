"""One life of the real kiosk after another: a resident comes, and at some moment the process is killed."""

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import trio

from simulators.stack import Stack
from simulators.waiting import until
from simulators.worlds.world import Resident
from tests.lives.books import Books, reached
from tests.lives.visitor import Visitor
from tests.lives.world import Errand

TENS_MORE = 20  # for the recycler: change for every life
LOOK_S = 0.001
COMES_BACK_S_MAX = 60.0
LIFE_S_MAX = 180.0


@dataclass(frozen=True)
class Kill:
    """So many rows of the visit in, or at this act of it, and so much later. ``deaf_from``: from there to the kill the
    answers of hosts get lost. ``power_cut``: forwarder and devices go down with it."""

    at: int | str
    delay_s: float
    deaf_from: int | str = ""
    power_cut: bool = False


@dataclass
class Lives:
    """``errands``: of the world's residents, in their order. ``told``: a line for each life."""

    stack: Stack
    errands: Sequence[Errand]
    killed: int = 0
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stack.hardware.till.recycler.load(10, TENS_MORE)
        self.visitor = Visitor(self.stack)
        self.books = Books(self.stack, self.visitor)

    @property
    def data_dir(self) -> Path:
        return self.stack.plan.run_dir / "data"

    async def live(self, kill: Kill | None) -> None:
        """The next resident comes. None: the kiosk is left alone.

        Raises:
            Unexpected, trio.TooSlowError: another page came than a resident would see, or none.
        """
        errand, resident = self.errands[len(self.books.come)], self.stack.world.residents[len(self.books.come)]
        self.books.come.append((errand, resident))
        with trio.fail_after(LIFE_S_MAX):
            await self._live(kill, errand, resident)

    async def _live(self, kill: Kill | None, errand: Errand, resident: Resident) -> None:
        await self.visitor.glass.until("insert_card", limit_s=COMES_BACK_S_MAX)
        before, kills, began = self.books.rows(), self.killed + 1, trio.current_time()
        async with trio.open_nursery() as nursery:
            if kill is not None:
                nursery.start_soon(self._kill_at, kill, before, nursery.cancel_scope)
            await self.visitor.come_for(errand, resident)
            nursery.cancel_scope.cancel()
        if kill is not None and self.killed < kills:
            await self._kill(kill)  # the visit had fewer rows
        await self._tidy_up()
        took_s = trio.current_time() - began
        self.told.append(f"{errand.value}, {kill}, took {took_s:.0f} s: {self.books.acts_since(before)}")

    async def _kill_at(self, kill: Kill, before: int, visit: trio.CancelScope) -> None:
        if kill.deaf_from:
            await self._reached(kill.deaf_from, before)
            self.stack.weather.change(drop_answer=True)
        await self._reached(kill.at, before)
        await trio.sleep(kill.delay_s)
        await self._kill(kill)
        visit.cancel()

    async def _reached(self, at: int | str, before: int) -> None:
        with self.books.reading() as connection:
            while not reached(connection, at, before):
                await trio.sleep(LOOK_S)

    async def _kill(self, kill: Kill) -> None:
        self.killed += 1
        before = self.stack.kiosk.pid
        os.kill(before, signal.SIGKILL)
        if kill.power_cut:
            os.kill(self.stack.forwarder.pid, signal.SIGKILL)
            self.stack.hardware.power_cut()
        self.stack.weather.clear()
        again = self.stack.kiosk
        await until(lambda: again.pid not in (0, before) and again.ready, COMES_BACK_S_MAX, "the kiosk again")

    async def _tidy_up(self) -> None:
        """The resident takes the card and what lies in the outlets, and goes."""
        if self.stack.hardware.inserted is not None:
            await self.stack.pull()
        await until(self._has_gone, COMES_BACK_S_MAX, "the welcome page")
        await until(self._has_recovered, COMES_BACK_S_MAX, "every fen has an owner, and the bank has answered")
        self.visitor.take_notes()

    def _has_recovered(self) -> bool:
        return self.visitor.notes.lit is False and self.books.have_recovered()

    def _has_gone(self) -> bool:
        for paper in self.stack.hardware.papers():
            self.stack.take_paper(paper.id)
        return self.visitor.glass.look().question == "insert_card"
