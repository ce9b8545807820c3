"""Every row of the journal goes to the agency's ledger, so that a stolen terminal takes no evidence with it (rule 25).

The ledger remembers how far it has them; this side keeps no mark on the disk that could be wrong.
"""

import random
from dataclasses import dataclass
from typing import NoReturn

import trio

from kiosk.ports import HostRefused, Journal, Log, OutcomeUnknown
from kiosk.ports.ledger import JournalRows, Ledger

ROWS_MAX = 50
BYTES_MAX = 30_000  # of sealed content in one question: the ledger reads 64 KiB, with base64 and the clear columns
LOOK_S = 10.0  # money rows are to be there within 60 s when online
BACK_OFF_S_MAX = 900.0
AGENCYS, FLEETS = "agency", "fleet"  # the agency's own ledger host, and the fleet's by way of the agent (ADR 55)


class LedgerDisagrees(Exception):
    """The ledger has other rows than this journal: a restored disk or a forgery, and a case for a person. ``row``: the
    first that it does not take."""

    def __init__(self, why: str, row: int) -> None:
        super().__init__(why)
        self.why, self.row = why, row


@dataclass
class Kept:
    """How far ``ledger`` (the agency's own or the fleet's) has said that it keeps the rows; 0 until it was asked.

    ``disagrees``: why it takes none, from the row ``disagrees_at`` on; 0: none at all, of this board.
    """

    up_to: int = 0
    disagrees: str = ""
    disagrees_at: int = 0
    ledger: str = AGENCYS

    @property
    def surely(self) -> int:
        """0 while it disagrees: what it said before may be of a ledger that was restored since."""
        return 0 if self.disagrees else self.up_to


async def keep_copying(journal: Journal, rows: JournalRows, ledger: Ledger, log: Log, kept: Kept) -> NoReturn:
    """For as long as the process lives. A disagreement is journaled once and looked at again every 15 minutes."""
    tries = 0
    while True:
        try:
            if rows.newest() > kept.up_to:
                kept.up_to = await copy_rows(rows, ledger)
        except OutcomeUnknown as silence:
            tries += 1
            await trio.sleep(silence.retry_after_s or _pause_s(tries))
        except (LedgerDisagrees, HostRefused) as problem:
            if isinstance(problem, HostRefused) and problem.retry_after_s:  # busy: that is no word about the rows
                await trio.sleep(problem.retry_after_s)
                continue
            _tell(problem, journal, log, kept)
            await trio.sleep(BACK_OFF_S_MAX)
        else:
            tries, kept.disagrees, kept.disagrees_at = 0, "", 0
            await trio.sleep(LOOK_S)


def _tell(problem: LedgerDisagrees | HostRefused, journal: Journal, log: Log, kept: Kept) -> None:
    """Once for each reason: the row that tells it is itself one more that this ledger does not take."""
    why, row = (problem.code, 0) if isinstance(problem, HostRefused) else (problem.why, problem.row)
    if why != kept.disagrees:
        journal.record("ledger_disagrees", ledger=kept.ledger, row=row, why=why)
        log("ledger_disagrees", host=f"{kept.ledger}_ledger", seq=row, why=why)
        kept.disagrees, kept.disagrees_at = why, row


def _pause_s(tries: int) -> float:
    return min(BACK_OFF_S_MAX, 2.0 ** min(tries, 16)) * (0.5 + random.random() / 2)


async def copy_rows(rows: JournalRows, ledger: Ledger) -> int:
    """Send what the ledger has not; how far it has them now. Repeats only what it may: the ledger keeps a row once.

    Raises:
        LedgerDisagrees, OutcomeUnknown, HostRefused.
    """
    kept = await ledger.kept_up_to()
    if kept > (newest := rows.newest()):
        await _show_ourselves(rows, ledger)
        raise LedgerDisagrees("journal_behind_ledger", newest + 1)
    while (batch := rows.after(kept, ROWS_MAX, BYTES_MAX)) is not None:
        answer = await ledger.keep(batch)
        if answer.refused:
            raise LedgerDisagrees(answer.refused, answer.refused_row)
        if answer.kept_up_to < batch.head.seq:
            raise OutcomeUnknown("agency_ledger", "kept less than it said")
        kept = batch.head.seq
    return kept


async def _show_ourselves(rows: JournalRows, ledger: Ledger) -> None:
    """A new board begins at row 1 where the old one had many: the ledger learns that another one asks, and says so.

    Raises HostRefused ("board_not_registered"); OutcomeUnknown.
    """
    newest = rows.after(rows.newest() - 1, 1, BYTES_MAX)
    if newest is not None:
        await ledger.keep(newest)
