"""The end of a journal: only once the agency has said that it keeps every row of it (money-rules 28).

Its key goes first, so that whatever else is left after a power cut is a journal that no terminal takes for its own. A
journal that is gone without this is noticed at the next start by what stands in ``journal.began``. The word that ended
a journal lies there as ``reset.json`` until the next one has rows: it excuses nothing that is gone later.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import apsw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.basics.signed import NotTrusted
from kiosk.domain.books import Account, totals
from kiosk.domain.money import yuan
from offline_queue.acknowledgement import read_acknowledgement
from offline_queue.file_modes import make_file
from offline_queue.postings import read_postings
from offline_queue.schema import JournalUnusable

KEY, DATABASE, BEGAN, RESET = "journal.key", "journal.db", "journal.began", "reset.json"
RESET_BEFORE = "reset.before.json"  # the word that ended the journal before this one
_INSIDE = (Account.ESCROW, Account.CASH_BOX, Account.DRUMS, Account.OUTLET)


class NotReset(Exception):
    """The journal stays as it is; the message says why, and what would have to be done first."""


def insist_on_what_began(folder: Path, rows: int) -> None:
    """Called with the journal open, before anything is written to it.

    Raises:
        JournalUnusable: rows were here before and are gone, and no agency has let them go.
    """
    began = folder / BEGAN
    if rows:
        make_file(began)
        with suppress(FileNotFoundError):
            (folder / RESET).replace(folder / RESET_BEFORE)
    elif began.exists():
        raise JournalUnusable(f"{folder}: the rows that were here are gone, and not by a reset. Call for help.")


def reset_journal(folder: Path, wire: bytes, keys: Mapping[str, Ed25519PublicKey], terminal_id: str) -> int:
    """Destroy journal and key; the last row there was. ``wire``: the agency's acknowledgement, kept beside.

    Raises:
        NotReset: a process has it open, the word does not cover it, or something is still open in it.
        apsw.Error: no journal, or a damaged one. OSError.
    """
    if not (folder / KEY).exists() and not (folder / DATABASE).exists() and (folder / RESET).exists():
        (folder / BEGAN).unlink(missing_ok=True)  # an earlier reset that the power cut short
        return 0
    with _alone(folder / DATABASE) as connection:
        rows = _Rows(connection)
        if (folder / RESET).exists() and not rows.newest():
            _remove(folder)  # cut short, too, and a start has made an empty one since
            return 0
        try:
            word = read_acknowledgement(wire, keys, terminal_id, rows)
        except NotTrusted as refused:
            raise NotReset(f"not the agency's word for this journal: {refused}") from refused
        if word.newer:
            raise NotReset(
                f"{word.newer} rows are newer than the agency's word: export them, and have them acknowledged"
            )
        for reason in rows.still_open():
            raise NotReset(reason)
        _keep(folder, wire)
        _remove(folder)
    return word.kept_up_to


class _Rows:
    """The rows without their key: an earlier reset may have come as far as that."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._sql = connection.execute

    def newest(self) -> int:
        return int(next(iter(self._sql("select coalesce(max(seq), 0) from entry")))[0])

    def link_of(self, seq: int) -> bytes:
        return bytes(next(iter(self._sql("select link from entry where seq = ?", (seq,))))[0])

    def still_open(self) -> Iterator[str]:
        """What somebody must do first, in words for staff."""
        unsent, effects = next(iter(self._sql("select unsent_count, open_effects from outbox_totals")))
        if effects:
            yield f"{effects} acts have no known outcome yet: let the terminal run until they have"
        if unsent:
            yield f"{unsent} messages are unsent: let the forwarder send them, or two of staff give them up"
        ((purses,),) = self._sql("select count(*) from purse")
        if purses:
            yield f"money of {purses} visits is inside and explained to nobody: start the terminal once"
        stored = self._sql("select postings from entry where postings != ''")
        sums = totals(posting for (postings,) in stored for posting in read_postings(postings))
        for account in _INSIDE:
            if account in sums:
                yield f"{account.value} holds {yuan(sums[account])} yuan by the books: empty it at the staff side"


@contextmanager
def _alone(path: Path) -> Iterator[apsw.Connection]:
    """The journal with everybody else shut out. Raises NotReset: somebody has it open."""
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)) as connection:
        connection.execute("pragma locking_mode = exclusive")
        try:
            connection.execute("begin immediate")
        except apsw.BusyError:
            raise NotReset("the kiosk or the forwarder is at work: stop both first") from None
        try:
            yield connection
        finally:
            connection.execute("rollback")


def _remove(folder: Path) -> None:
    for name in (KEY, DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", BEGAN):
        (folder / name).unlink(missing_ok=True)
        _flush(folder)


def _keep(folder: Path, wire: bytes) -> None:
    with (folder / RESET).open("wb") as file:
        file.write(wire)
        file.flush()
        os.fsync(file.fileno())
    _flush(folder)


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
