"""The end of a month's personal data of one kind: its key is destroyed, rows and the chain over them stay (rule 29).

A period is a month of one kind (``kiosk/domain/record_kinds.py``). It stays while anything of it is open, unsent, or
not surely kept by the agency, and while the newest entry of an act that somebody still reads stands in it. What was
sealed in it is told to nobody any more, by no copy of this terminal's: the agency's own copies end by the agency's own
rules.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress

import apsw
import msgspec

from kiosk.domain.entries import NewEntry
from kiosk.domain.record_kinds import kind_of_period, month_of
from kiosk.ports.ledger import Needed, StillNeeded
from offline_queue.append import Appender, newest
from offline_queue.layout import ROWS_OF, Sql
from offline_queue.periods import Periods

DESTROYED = "month_destroyed"
UNSENT_STATES = ("owed", "quarantined", "answered")

_ROWS = "select count(*), coalesce(max(seq), 0) from entry where period = ?"
# Of the kind of which there are always rows: its periods bear their months' own names.
_WRITTEN_AFTER = """
    select period from entry where seq < ? and period between ? and ? and substr(period, 6) <= '12' limit 1
"""
_LATER = "select 1 from entry where seq > ? and period = ? limit 1"
_OF_PERIOD = {
    "an act without an outcome": "select 1 from effect join entry using (seq) where period = ? limit 1",
    "money inside": "select 1 from purse join entry using (seq) where period = ? limit 1",
    **{
        f"a notice that is {state}": f"""
            select 1 from (select seq from notice where state = '{state}') join entry using (seq)
            where period = ? limit 1"""  # noqa: S608 - constants
        for state in UNSENT_STATES
    },
}
_OF_CASE = f"select 1 from ({ROWS_OF}) where case_code = ? and period = ? limit 1"  # noqa: S608 - constants
_NEWEST_OF = "select period from entry where act in (select value from json_each(?)) order by seq desc limit 1"


class Retention:
    """Implements ``ports.ledger.PeriodsKept``. ``commit``: one transaction of the journal's."""

    def __init__(
        self,
        connection: apsw.Connection,
        periods: Periods,
        appender: Appender,
        commit: Callable[[], AbstractContextManager[Sql]],
    ) -> None:
        self._connection, self._periods, self._appender, self._commit = connection, periods, appender, commit

    def periods(self) -> list[str]:
        """All that can still be read, in the order of their names."""
        return self._periods.readable()

    def destroy(self, period: str, needed: Needed) -> None:
        """Durable on return, with an entry that says so.

        Raises:
            StillNeeded, JournalBusy.
        """
        sql = self._connection.execute
        looked_to, _ = newest(sql)
        ((rows, last),) = sql(_ROWS, (period,))  # a walk over the file, before the other process has to wait for us
        for why in self._in_the_way(period, last, needed):
            raise StillNeeded(why)
        sql("pragma secure_delete = on")
        try:
            with self._commit() as sql:
                for why in self._still_open(period):
                    raise StillNeeded(why)
                if list(sql(_LATER, (looked_to, period))):
                    raise StillNeeded("rows that were added just now")
                self._periods.destroy(period)
                of = {"month": month_of(period), "kind": kind_of_period(period)}
                self._appender.append(sql, NewEntry(DESTROYED, "", {**of, "rows": rows, "up_to": last}))
        finally:
            self._connection.execute("pragma secure_delete = off")
        with suppress(apsw.Error):  # the old page is in the log until it is carried over: later, if somebody reads now
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def _in_the_way(self, period: str, last: int, needed: Needed) -> Iterator[str]:
        readable = self.periods()
        if period not in readable or month_of(period) == max(map(month_of, readable)):
            yield "it is the newest month, or is gone"
        yield from self._still_open(period)
        if last > needed.kept_up_to:
            yield f"the agency has surely kept rows up to {needed.kept_up_to}, and this month ends with row {last}"
        sql = self._connection.execute
        for (newer,) in sql(_WRITTEN_AFTER, (last, *needed.within)):
            # The order of rows is true, dates are not: a board without a battery begins again decades ago.
            yield f"rows of it were written after rows of {newer}, by a clock that was wrong"
        for code in needed.cases:
            if list(sql(_OF_CASE, (code, code, period))):
                yield f"case {code} is open"
        for acts in needed.lasting:
            if list(sql(_NEWEST_OF, (msgspec.json.encode(list(acts)).decode(),))) == [(period,)]:
                yield f"nothing newer is known of {', '.join(acts)}"

    def _still_open(self, period: str) -> Iterator[str]:
        for what, asked in _OF_PERIOD.items():
            if list(self._connection.execute(asked, (period,))):
                yield what
