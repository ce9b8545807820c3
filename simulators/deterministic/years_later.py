"""A history's journal years later: what must be forgotten is, nothing that is needed goes, the chain stays (rule 29).

The last thing that a life does, after its books were judged: the clock says another year, a host agrees, the agency has
every row, and the house's own retention looks at the months.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from kiosk.domain.entries import StoredEntry
from kiosk.domain.record_kinds import KINDS, VISIT, keep_months_by_kind, kind_of_act
from kiosk.money.keep_retention import LASTING, VERSIONS, Retention
from offline_queue.retention import DESTROYED, UNSENT_STATES
from offline_queue.verify import open_read_only, verify
from simulators.deterministic.terminal import Life

KEEP = keep_months_by_kind(24, {VISIT: 6})
HALF_A_YEAR, ALL = timedelta(days=240), timedelta(days=1200)
_NOTICES = "select seq, state from notice"
_PERIODS = "select seq, period from entry"


async def years_later(life: Life, acts: Counter[str]) -> list[str]:
    """First visits' months end, and after money's time all that nobody needs. What is broken, in words. ``acts``: gets
    what the retention did."""
    broken = []
    for waited, kinds in ((HALF_A_YEAR, {VISIT}), (ALL, set(KINDS))):
        life.terminal.clock_off += waited
        life.journal.record("kiosk_started")  # a new month has its first row
        before = life.journal.entries()
        needed = _needed(life, before)
        await _retention(life).look()
        broken += [f"retention: {said}" for said in _judged(life, before, needed, kinds)]
        broken += [f"retention: {said}" for said in _kept_too_long(life, before, needed)]
    acts[DESTROYED] = sum(entry.act == DESTROYED for entry in life.journal.entries())
    return broken


def _kept_too_long(life: Life, before: list[StoredEntry], needed: set[int]) -> Iterator[str]:
    """Of a month of one kind whose time is over nothing can be read any more, unless somebody needs a row of it, or the
    rows' own order says that a clock was wrong: then dates prove no age."""
    period_of = dict(life.journal.database.execute_sql(_PERIODS))
    rows_of: dict[str, list[StoredEntry]] = {}
    for one in before:
        rows_of.setdefault(period_of[one.seq], []).append(one)
    after = {entry.seq: entry for entry in life.journal.entries()}
    this_month = _months(life.forwarding.clock.now().isoformat())
    for rows in rows_of.values():
        since = this_month - max(KEEP[kind_of_act(row.act)] for row in rows)
        last = max(row.seq for row in rows)
        out_of_order = any(since <= _months(one.at) <= this_month for one in before if one.seq < last)
        if max(_months(row.at) for row in rows) >= since or out_of_order or needed & {row.seq for row in rows}:
            continue
        read = [row for row in rows if after[row.seq].facts is not None]
        yield from (f"{row.act} of {row.at[:7]} in row {row.seq} can still be read" for row in read)


def _months(at: str) -> int:
    """Of a moment that begins with year and month: whole months since the year 0."""
    return 12 * int(at[:4]) + int(at[5:7])


def _retention(life: Life) -> Retention:
    terminal = life.terminal

    async def open_cases() -> set[str]:
        return {case.code for case in life.books.open_cases()}

    def has_all() -> int:
        return life.journal.entries()[-1].seq

    return Retention(
        life.journal,
        life.journal.retention,
        life.forwarding.clock,
        KEEP,
        lambda: True,
        has_all,
        open_cases,
        terminal._write,
    )


def _needed(life: Life, entries: list[StoredEntry]) -> set[int]:
    """Rows that somebody still works with: by what the other books say, not by the retention's own questions."""
    cases = {case.code for case in life.books.open_cases() if case.code}
    rows = {effect.seq for effect in life.journal.open_effects()}
    rows |= {newest.seq for newest, _ in life.journal.unspent()}
    rows |= {entry.seq for entry in entries if entry.case_code in cases}
    rows |= {seq for seq, state in life.journal.database.execute_sql(_NOTICES) if state in UNSENT_STATES}
    for acts in LASTING:
        rows |= set([entry.seq for entry in entries if entry.act in acts][-1:])
    return rows


def _judged(life: Life, before: list[StoredEntry], needed: set[int], kinds: set[str]) -> Iterator[str]:
    after = {entry.seq: entry for entry in life.journal.entries()}
    gone = {entry.seq for entry in before if entry.facts is not None and after[entry.seq].facts is None}
    yield from (f"row {seq}, which is needed, cannot be read any more" for seq in sorted(gone & needed))
    yield from (
        f"{after[seq].act} in row {seq} is gone before its time"
        for seq in sorted(gone)
        if kind_of_act(after[seq].act) not in kinds
    )
    for one in before:
        now = after[one.seq]
        if (now.at, now.act, now.case_code, now.postings) != (one.at, one.act, one.case_code, one.postings):
            yield f"row {one.seq} is another one"
    for act in VERSIONS:
        newest = life.journal.last(act)
        if newest is not None and newest.facts is None:
            yield f"nobody knows any more which {act}"
    connection = open_read_only(life.terminal.folder / "data" / "journal.db")
    verdict = verify(connection, None)
    connection.close()
    if not verdict.whole:
        yield verdict.why
