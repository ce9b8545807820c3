"""Every row of the journal goes to a second medium, where one is fitted: a dead board takes none along (rule 25).

The forwarder does it, behind the commits: what is slow, full or pulled there holds up nobody, is told to staff, and is
caught up with later. A medium that never answers keeps its one thread; the process goes on without it.
"""

import errno
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

import trio

from kiosk.domain.ledger import SILENT, SecondCopy
from kiosk.ports import Log
from kiosk.ports.ledger import JournalRows, MediumDisagrees, MediumFull, RowsMedium

LOOK_S = 1.0  # a resident who pays notes in does not wait for it; a board that dies takes the last second along
REST_S = 30.0  # after trouble, and between two looks whether the medium is still there
ANSWER_S_MAX = 20.0
ROWS_MAX, BYTES_MAX = 200, 256 << 10


class InThread:
    """Asks the medium in one thread, for so long. A call that was given up goes on; the next one waits for its end."""

    def __init__(self, answer_s_max: float = ANSWER_S_MAX) -> None:
        self._answer_s_max = answer_s_max
        self._one = trio.CapacityLimiter(1)

    async def __call__(self, ask: Callable[..., Any], *about: object) -> Any:
        """Raises trio.TooSlowError, and what the medium raises."""
        with trio.fail_after(self._answer_s_max):
            return await trio.to_thread.run_sync(ask, *about, abandon_on_cancel=True, limiter=self._one)


@dataclass
class SecondCopies:
    """``now`` is what staff are told. ``kept_by_agency``: of its ledger, so that the oldest may make room."""

    rows: JournalRows
    medium: RowsMedium
    log: Log
    kept_by_agency: Callable[[], int]
    asked: Callable[..., Awaitable[Any]] = field(default_factory=InThread)
    rest_s: float = REST_S
    now: SecondCopy = field(default_factory=lambda: SecondCopy(why=SILENT))

    async def keep(self) -> NoReturn:
        """For as long as the process lives. What changes about the medium is one log line."""
        while True:
            told = self.now.why
            self.now = await self._looked()
            if self.now.why != told:
                self.log("second_medium", why=self.now.why or "fine", seq=self.now.up_to)
            await self._rest()

    async def _rest(self) -> None:
        with trio.move_on_after(self.rest_s):
            while self.now.why or self.rows.newest() <= self.now.up_to:  # noqa: ASYNC110 - another process writes them
                await trio.sleep(LOOK_S)

    async def _looked(self) -> SecondCopy:
        up_to = self.now.up_to
        try:
            up_to = await self.asked(self.medium.newest)
            if up_to > self.rows.newest():
                raise MediumDisagrees("ahead of the journal")
            while (batch := self.rows.after(up_to or self.kept_by_agency(), ROWS_MAX, BYTES_MAX)) is not None:
                await self.asked(self.medium.append, batch, self.kept_by_agency())
                up_to = batch.head.seq
        except (trio.TooSlowError, MediumDisagrees, MediumFull, OSError) as trouble:
            return SecondCopy(up_to, _why(trouble))
        return SecondCopy(up_to)


def _why(trouble: Exception) -> str:
    match trouble:
        case trio.TooSlowError():
            return "slow"
        case MediumDisagrees():
            return "other_journal"
        case MediumFull():
            return "full"
        case OSError(errno=number):
            return {errno.ENOENT: "missing", errno.ENOTDIR: "missing", errno.ENOSPC: "full"}.get(number or 0, "broken")
    raise AssertionError(trouble)
