"""What is kept outside of the journal, judged at a history's end: the second medium, the agency's word, the reset."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kiosk.domain.books import Account, totals
from kiosk.domain.entries import StoredEntry
from kiosk.records.evidence import export, read_status
from kiosk.settings.config import Settings
from offline_queue.acknowledgement import FILE as WORD
from offline_queue.agency_keys import document_keys
from offline_queue.reset import NotReset, reset_journal
from simulators.deterministic.terminal import Life, Terminal
from simulators.hosts.medium_files import SUFFIX, read_medium

CAUGHT_UP_S = 40.0  # a look, and the rest after trouble
INSIDE = (Account.CASH_BOX, Account.DRUMS)


def second_medium_holds(life: Life, up_to: int) -> Iterator[str]:
    """Rule 25: every row up to this one, in order and as it is here, under heads that the terminal signed."""
    assert life.terminal.media is not None
    files = sorted(life.terminal.media.medium.glob(f"*{SUFFIX}"))
    rows = [row for path in files for row in read_medium(path).rows]
    if [row.seq for row in rows] != list(range(1, len(rows) + 1)):
        yield "second_medium_holds: its rows are not one after another"
    ours = dict(life.journal.database.execute_sql("select seq, hex(link) from entry"))
    strange = [row.seq for row in rows if ours.get(row.seq, "").lower() != row.link]
    yield from (f"second_medium_holds: row {seq} there is not ours" for seq in strange)
    if len(rows) < up_to:
        yield f"second_medium_holds: it ends at row {len(rows)}, {up_to} were there to be copied"


def acknowledged_is_kept(life: Life, settings: Settings) -> Iterator[str]:
    """The terminal believes no more of the agency than it said."""
    terminal = life.terminal
    assert terminal.media is not None
    believed = read_status(settings).acknowledged_up_to
    kept = terminal.media.kept_up_to(settings, terminal.hosts.get("agency_ledger"))
    if believed > kept:
        yield f"acknowledged_is_kept: row {believed} counts as acknowledged, the agency has {kept}"


def must_stay(life: Life, entries: list[StoredEntry]) -> bool:
    """Whether there is anything for which this journal is still needed (rule 28)."""
    inside = totals(posting for entry in entries for posting in entry.postings)
    money = any(inside.get(account) for account in INSIDE)
    return bool(life.books.unsent().count or life.journal.open_effects() or life.journal.unspent() or money)


@dataclass(frozen=True)
class Words:
    """What the agency had said before, and what it says now that it has every row. ``stays``: see ``must_stay``."""

    before: bytes
    now: bytes
    stays: bool


def last_words(life: Life, entries: list[StoredEntry]) -> Words:
    """The last thing that happens in a life: everything goes to the agency, and its word comes back."""
    terminal, settings = life.terminal, life.forwarding.settings
    assert terminal.media is not None
    before = terminal.folder / "data" / WORD
    export(settings, terminal.media.stick)
    terminal.media.carried_to_town(terminal.world, terminal.hosts.get("agency_ledger"), terminal.now)
    word = terminal.media.word_for(settings)
    return Words(_read(before), _read(word), must_stay(life, entries))


def _read(word: Path) -> bytes:
    return word.read_bytes() if word.exists() else b"{}"


def nothing_is_reset_unacknowledged(terminal: Terminal, words: Words, settings: Settings) -> Iterator[str]:
    """Rule 28, with the terminal switched off: not by an old word, and not by a new one while it is needed."""
    if words.before != words.now and _is_reset(terminal, words.before, settings):
        yield "nothing_is_reset_unacknowledged: rows went that nobody has"
    elif _is_reset(terminal, words.now, settings) and words.stays:
        yield "nothing_is_reset_unacknowledged: what was still open went with it"


def _is_reset(terminal: Terminal, wire: bytes, settings: Settings) -> bool:
    try:
        keys = document_keys(settings.agency_keys)
        reset_journal(terminal.folder / "data", wire, keys, settings.terminal.terminal_id)
    except NotReset as refused:
        terminal.tell(f"no reset: {refused}")
        return False
    return True
