"""How long whoever drives unknown outcomes rests: rarer and rarer over old ones, and never long over a new one."""

from collections.abc import Awaitable, Callable, Collection
from typing import NoReturn

import trio

from kiosk.domain.entries import JournalBusy
from kiosk.ports import Journal, Log

LOOK_S = 20.0
BACK_OFF_S_MAX = 300.0  # most are to be known within ten minutes (money-rules 2)
BUSY_REST_S = 15.0  # every look at a busy journal holds up the whole forwarder for two seconds


class Pauses:
    """``acts``: intents that are driven here. What waits for the next day's detail must not keep others waiting."""

    def __init__(self, journal: Journal, acts: Collection[str], live: Callable[[], Collection[str]]) -> None:
        self._journal, self._acts, self._live = journal, acts, live
        self._pause_s, self._open_before = LOOK_S, 0

    async def rest(self, still_open: int) -> None:
        """20 s, doubled up to 5 minutes while nothing becomes known; cut short by an effect that was not there."""
        passed_over = 0 < still_open <= self._open_before
        self._pause_s = min(2 * self._pause_s, BACK_OFF_S_MAX) if passed_over else LOOK_S
        self._open_before = still_open
        known = self._ours()
        with trio.move_on_after(self._pause_s):
            while self._ours() <= known:  # noqa: ASYNC110 - the other process writes, and tells no event
                await trio.sleep(LOOK_S)

    def _ours(self) -> set[int]:
        effects = [one for one in self._journal.open_effects() if one.act in self._acts]
        live = self._live() if effects else ()
        return {one.seq for one in effects if one.case_code not in live}


async def over_busy_journal(log: Log, job: str, loop: Callable[..., Awaitable[object]], *about: object) -> NoReturn:
    """``loop`` for ever, begun anew after a rest where the other process held the journal's file too long.

    For the forwarder's loops: what they know stands in the journal, and what they repeat carries its key, so that a new
    beginning is to the world what a restart of the process is, without its cost to the others.
    """
    while True:
        try:
            await loop(*about)
        except JournalBusy:
            log("journal_busy", job=job)
            await trio.sleep(BUSY_REST_S)
