"""What the running forwarder tells whoever asks: on its socket (money-rules 24), and a collector of figures."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import trio

from kiosk.domain.cases import OpenCase
from kiosk.forwarder.aside import NOTHING, OVERTAKEN, TWO_PEOPLE
from kiosk.ports import Clock
from kiosk.ports.outbox import Overtaken
from kiosk.records.metrics import Books, exposition, figures
from offline_queue.append import newest
from offline_queue.journal import SqliteJournal
from offline_queue.outbox import UnknownNotice
from offline_queue.staff_books import StaffBooks


def answers(journal: SqliteJournal, public_key: bytes = b"") -> dict[str, Callable[[], Awaitable[Any]]]:
    """What is unsent, under the signed head; what was put aside. ``public_key``: of the journal."""

    async def unsent() -> dict[str, Any]:
        """``under_way`` 0: an update may be done now. A reset needs ``open_effects`` and ``unsent_count`` 0, too."""
        head, waiting = journal.signed_head(), journal.outbox.unsent()
        return {
            "seq": head.seq,
            "link": head.link.hex(),
            "public_key": public_key.hex(),
            "signature": head.signature.hex(),
            "unsent_count": waiting.count,
            "unsent_sum_fen": waiting.sum_fen,
            "oldest_at": waiting.oldest_at,
            "put_aside": len(journal.outbox.put_aside()),
            "open_effects": len(journal.open_effects()),
            "under_way": journal.outbox.under_way(),
        }

    async def put_aside() -> list[dict[str, str]]:
        names = ("key", "host", "act", "reason")
        return [dict(zip(names, one, strict=True)) for one in journal.outbox.put_aside()]

    return {"unsent": unsent, "put_aside": put_aside}


def told(journal: SqliteJournal) -> Mapping[str, Callable[[str], str]]:
    """The ways out of quarantine."""
    return {"release": partial(_release, journal), "give_up": partial(_give_up, journal)}


def _release(journal: SqliteJournal, about: str) -> str:
    """``release KEY STAFF``: a person knows that the host will take it now."""
    key, _, by = about.partition(" ")
    try:
        journal.outbox.release(key, by)
    except UnknownNotice:
        return NOTHING
    except Overtaken:
        return OVERTAKEN
    return "released"


def _give_up(journal: SqliteJournal, about: str) -> str:
    """``give_up KEY STAFF STAFF WHY``: two people say that this host is never told."""
    key, by, approver, why = (*about.split(" ", 3), "", "", "")[:4]
    if not why or by == approver:
        return TWO_PEOPLE
    try:
        journal.outbox.give_up(key, by, approver, why)
    except UnknownNotice:
        return NOTHING
    return "given up"


class Figures:
    """The text for a collector. Its first look at the books walks the whole file, in a thread: only who asks waits."""

    def __init__(self, data_dir: Path, journal: SqliteJournal, clock: Clock, terminal_id: str) -> None:
        self._books = StaffBooks(data_dir)
        self._journal, self._clock, self._terminal_id = journal, clock, terminal_id
        self._one_at_a_time = trio.Lock()

    async def money(self) -> dict[str, Any]:
        """What nobody can explain yet, for the agent."""
        cases = await self._open_cases()
        unexplained = [case for case in cases if case.suspense_fen]
        return {
            "open_cases": len(cases),
            "suspense_fen": abs(sum(case.suspense_fen for case in unexplained)),
            "suspense_oldest": unexplained[0].since if unexplained else "",
        }

    async def _open_cases(self) -> tuple[OpenCase, ...]:
        async with self._one_at_a_time:
            return await trio.to_thread.run_sync(self._books.open_cases)

    async def text(self) -> str:
        cases = await self._open_cases()
        journal, outbox = self._journal, self._journal.outbox
        effects, aside = len(journal.open_effects()), len(outbox.put_aside())
        rows, _ = newest(journal.database.connection().execute)  # not the signed head: who looks writes nothing
        books = Books(outbox.unsent(), aside, effects, outbox.under_way(), cases, rows)
        return exposition(figures(books, self._clock.now()), self._terminal_id)
