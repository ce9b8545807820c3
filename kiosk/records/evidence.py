"""What of the journal nobody else has yet, and the way out for it by stick: status, export, acknowledgement, reset."""

import errno
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import trio

from kiosk.basics.control import ask_second_copy
from kiosk.basics.signed import NotTrusted
from kiosk.domain.ledger import LedgerHead, SecondCopy, StickCopy
from kiosk.domain.money import Fen, yuan
from kiosk.ports.staff import StickTrouble
from kiosk.settings.config import ConfigError, Settings
from offline_queue.acknowledgement import Acknowledged, keep_acknowledgement, kept_acknowledgement, read_acknowledgement
from offline_queue.agency_keys import ledger_keys, recovery_key
from offline_queue.bundle import BundleWriter
from offline_queue.copies import open_copies
from offline_queue.reset import NotReset, reset_journal

ANSWER_SUFFIX = ".acknowledgement.json"  # behind the terminal's number, on the stick that came back from the agency


@dataclass(frozen=True)
class Status:
    """``board_key``: by which the agency knows this board, in hex; whoever exchanges a board reads it off here.

    ``oldest_at``: ISO time of the act whose notice waits longest, "" where none does.

    ``under_way``: of the open effects, and of notes inside, what an update waits for.
    ``acknowledged_up_to``: the agency's last word that is kept here, 0 without one.
    """

    board_key: str
    rows: int
    unsent_count: int
    unsent_sum_fen: Fen
    oldest_at: str
    put_aside: int
    open_effects: int
    under_way: int
    acknowledged_up_to: int

    @property
    def may_be_destroyed(self) -> bool:
        """Nothing is open, nothing unsent, and the agency said that it keeps every row (money-rules 28)."""
        return not (self.unsent_count or self.open_effects) and self.acknowledged_up_to == self.rows


def read_status(settings: Settings) -> Status:
    """Raises one of ``offline_queue.reader.UNREADABLE``, ConfigError."""
    folder = Path(settings.data_dir)
    with closing(open_copies(folder)) as copies:
        unsent = copies.unsent()
        terminal = settings.terminal.terminal_id
        word = kept_acknowledgement(folder, ledger_keys(settings.agency_keys), terminal, copies)
        return Status(
            board_key=copies.public_key.hex(),
            rows=copies.newest(),
            unsent_count=unsent.count,
            unsent_sum_fen=unsent.sum_fen,
            oldest_at=unsent.oldest_at,
            put_aside=copies.put_aside(),
            open_effects=copies.open_effects(),
            under_way=copies.under_way(),
            acknowledged_up_to=word.kept_up_to if word else 0,
        )


def status_json(status: Status) -> str:
    shown = {name: getattr(status, name) for name in Status.__dataclass_fields__}
    return json.dumps({**shown, "may_be_destroyed": status.may_be_destroyed})


def status_words(status: Status) -> str:
    owed = f", the oldest since {status.oldest_at}" if status.oldest_at else ""
    return "\n".join(
        (
            f"board's key         {status.board_key}",
            f"rows                {status.rows}",
            f"unsent              {status.unsent_count}, {yuan(status.unsent_sum_fen)} yuan{owed}",
            f"put aside           {status.put_aside} refused by their host, a person must look",
            f"open effects        {status.open_effects}",
            f"update waits for    {status.under_way}",
            f"acknowledged up to  row {status.acknowledged_up_to}",
            f"may be destroyed    {'yes' if status.may_be_destroyed else 'no'}",
        )
    )


def export(settings: Settings, stick: Path) -> list[Path]:
    """Bundles of all rows that the agency has not acknowledged.

    Raises:
        ConfigError: no recovery key: nobody could read them. UNREADABLE, OSError.
    """
    with _writer(settings) as (writer, kept_up_to):
        return writer.write(stick, kept_up_to)


def export_next(settings: Settings, folder: Path, after: int) -> tuple[Path, LedgerHead] | None:
    """One bundle of the rows after ``after`` that the agency has not acknowledged; None: there are no more. Raises as
    ``export``."""
    with _writer(settings) as (writer, kept_up_to):
        return writer.write_next(folder, max(after, kept_up_to))


@contextmanager
def _writer(settings: Settings) -> Iterator[tuple[BundleWriter, int]]:
    """And up to which row the agency keeps them."""
    recovery = recovery_key(settings.agency_keys)
    if recovery is None:
        raise ConfigError("agency_keys.recovery names no key to export to")
    folder, terminal = Path(settings.data_dir), settings.terminal.terminal_id
    with closing(open_copies(folder)) as copies:
        word = kept_acknowledgement(folder, ledger_keys(settings.agency_keys), terminal, copies)
        yield BundleWriter(copies, terminal, recovery), word.kept_up_to if word else 0


def acknowledge(settings: Settings, file: Path) -> str:
    """Judge the agency's word and keep it.

    Raises:
        ConfigError: it is not the agency's, or not for these rows; UNREADABLE, OSError.
    """
    try:
        word = take_word(settings, file.read_bytes())
    except NotTrusted as refused:
        raise ConfigError(f"{file}: {refused}") from refused
    return f"the agency keeps every row up to {word.kept_up_to}; {word.newer} newer"


def take_word(settings: Settings, wire: bytes, now: datetime | None = None) -> Acknowledged:
    """``now``: of a word that came over the line a moment ago, and must not have ended.

    Raises:
        NotTrusted: it is not the agency's, not for these rows, or of another day; ConfigError, UNREADABLE, OSError.
    """
    folder, keys = Path(settings.data_dir), ledger_keys(settings.agency_keys)
    with closing(open_copies(folder)) as copies:
        word = read_acknowledgement(wire, keys, settings.terminal.terminal_id, copies, now)
    keep_acknowledgement(folder, wire)
    return word


STICK_S_MAX = 120.0


class TerminalCopies:
    """Implements ``ports.staff.OtherCopies``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._one = trio.CapacityLimiter(1)  # a stick that hangs keeps its one thread

    async def second_copy(self) -> SecondCopy | None:
        return await ask_second_copy(self._settings.run_dir) if self._settings.journal.second_medium else None

    async def to_stick(self) -> StickCopy:
        try:
            with trio.fail_after(STICK_S_MAX):
                return await trio.to_thread.run_sync(self._write, abandon_on_cancel=True, limiter=self._one)
        except trio.TooSlowError:
            raise StickTrouble("slow") from None
        except OSError as error:
            why = {errno.ENOENT: "missing", errno.ENOSPC: "full"}.get(error.errno or 0, "broken")
            raise StickTrouble(why) from error

    def _write(self) -> StickCopy:
        rules, terminal = self._settings.journal, self._settings.terminal.terminal_id
        stick = Path(rules.stick)
        if not stick.is_dir() or (rules.stick_is_mount and not stick.is_mount()):
            raise FileNotFoundError(errno.ENOENT, "no stick", rules.stick)
        word, answer = "", stick / f"{terminal}{ANSWER_SUFFIX}"
        if answer.exists():
            try:
                acknowledge(self._settings, answer)
                word = "kept"
            except ConfigError:
                word = "refused"
        files = export(self._settings, stick)
        first, last = (int(files[at].stem.split("-")[-2 - at]) for at in (0, -1)) if files else (0, 0)
        return StickCopy(first, last, word)


def reset(settings: Settings, file: Path) -> str:
    """Destroy the journal, because the agency keeps all of it.

    Raises:
        ConfigError: nothing was destroyed, and why; UNREADABLE, OSError.
    """
    folder, keys = Path(settings.data_dir), ledger_keys(settings.agency_keys)
    try:
        last = reset_journal(folder, file.read_bytes(), keys, settings.terminal.terminal_id)
    except NotReset as refused:
        raise ConfigError(str(refused)) from refused
    return f"the journal is gone; its last row was {last}. The agency must register the next one as another board"
