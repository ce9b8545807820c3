"""What hosts are still owed: messages by key, in order for each card, until told, or put aside for a person.

One file and one commit with the journal: a notice is owed by the very act that makes it due.
"""

import json
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager

from playhouse.apsw_ext import APSWDatabase

from kiosk.domain.entries import NewEntry, OwedNotice
from offline_queue.append import Appender
from offline_queue.layout import Sql
from offline_queue.periods import Periods

REFUSALS_MAX = 3  # a host that says no so often will not say yes by itself: a person must look

_WAITING = """
    select notice.act, key, notice.card_index, tries + refusals, notice.sealed, notice.state, entry.period
    from notice join entry using (seq)
    where notice.state in ('owed', 'quarantined') and notice.host = ? order by notice.seq
"""
_STORY_OF = "select entry.case_code, notice.host, notice.act from notice join entry using (seq) where key = ?"


class UnknownNotice(Exception):
    """No notice of this key is in that state."""


class SqliteOutbox:
    """Implements ``ports.Outbox``. ``commit``: one transaction of the journal's."""

    def __init__(
        self,
        database: APSWDatabase,
        periods: Periods,
        appender: Appender,
        commit: Callable[[], AbstractContextManager[Sql]],
    ) -> None:
        self._database = database
        self._periods = periods
        self._appender = appender
        self._commit = commit

    def due(self, host: str, resting: Collection[str] = ()) -> OwedNotice | None:
        """The oldest notice that may be sent now. Of one card nothing overtakes: behind a notice that rests or was put
        aside all later ones of its card wait. ``resting``: lanes that are not to be tried yet.

        Raises:
            SealBroken: the file was tampered with.
        """
        waiting = set(resting)
        for act, key, lane, tries, sealed, state, period in self._sql(_WAITING, (host,)):
            if state == "owed" and lane not in waiting:
                clear = self._periods.opened(period, sealed, key)
                assert clear is not None, "a period whose notices are owed is never destroyed"
                return OwedNotice(host, act, key, tries, json.loads(clear), lane)
            waiting.add(lane)
        return None

    def told(self, key: str) -> None:
        """The host took it. Its sealed content goes with the commit."""
        with self._commit() as sql:
            case_code, host, act = self._owed(sql, key, "owed")
            sql("update notice set state = 'told', sealed = x'' where key = ?", (key,))
            self._appender.append(sql, NewEntry("notice_told", case_code, {"key": key, "host": host, "what": act}))

    def unanswered(self, key: str) -> None:
        with self._commit() as sql:
            sql("update notice set tries = tries + 1 where key = ?", (key,))

    def refused(self, key: str, code: str) -> bool:
        """The host said no. At the third no the notice is put aside for a person; whether it was."""
        with self._commit() as sql:
            case_code, host, act = self._owed(sql, key, "owed")
            sql("update notice set refusals = refusals + 1, reason = ? where key = ?", (code, key))
            ((refusals,),) = sql("select refusals from notice where key = ?", (key,))
            facts: dict[str, str | int] = {"key": key, "host": host, "what": act, "code": code, "times": refusals}
            aside = bool(refusals >= REFUSALS_MAX)
            if aside:
                sql("update notice set state = 'quarantined' where key = ?", (key,))
            self._appender.append(sql, NewEntry("notice_put_aside" if aside else "notice_refused", case_code, facts))
        return aside

    def release(self, key: str, by: str) -> None:
        """A person says: try again. Raises UnknownNotice: it was not put aside."""
        self._out_of_quarantine(key, "owed", "notice_released", {"by": by})

    def give_up(self, key: str, by: str, approver: str, why: str) -> None:
        """Two persons say: this host will not be told. Raises UnknownNotice: it was not put aside."""
        self._out_of_quarantine(key, "given_up", "notice_given_up", {"by": by, "approver": approver, "why": why})

    def put_aside(self) -> list[tuple[str, str, str, str]]:
        """Key, host, act and the host's last reason of every notice that waits for a person, oldest first."""
        return list(self._sql("select key, host, act, reason from notice where state = 'quarantined' order by seq"))

    def unsent_count(self) -> int:
        """Owed or put aside."""
        return int(next(iter(self._sql("select unsent_count from outbox_totals")))[0])

    @property
    def _sql(self) -> Sql:
        sql: Sql = self._database.connection().execute
        return sql

    def _out_of_quarantine(self, key: str, state: str, act: str, facts: dict[str, str | int]) -> None:
        with self._commit() as sql:
            case_code, host, what = self._owed(sql, key, "quarantined")
            sealed = ", sealed = x''" if state == "given_up" else ""
            sql(f"update notice set state = ?, refusals = 0{sealed} where key = ?", (state, key))  # noqa: S608 - constants
            told: dict[str, str | int] = {"key": key, "host": host, "what": what, **facts}
            self._appender.append(sql, NewEntry(act, case_code, told))

    def _owed(self, sql: Sql, key: str, state: str) -> tuple[str, str, str]:
        """Case, host and act of a notice in just this state."""
        found = next(iter(sql(f"{_STORY_OF} and state = ?", (key, state))), None)
        if found is None:
            raise UnknownNotice(key)
        case_code, host, act = found
        return str(case_code), str(host), str(act)
