"""What hosts are still owed: messages by key, in order for each card, until told, or put aside for a person. What was
put aside holds up only what follows from it (``kiosk/domain/notice_order.py``).

One file and one commit with the journal: a notice is owed by the very act that makes it due.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import apsw
import msgspec

from kiosk.domain.cases import Unsent
from kiosk.domain.entries import NewEntry, OwedNotice
from kiosk.domain.money import Fen
from kiosk.domain.notice_order import SAID_SINCE, WAITS_BEHIND
from kiosk.ports.outbox import Overtaken
from offline_queue.append import Appender
from offline_queue.layout import ROWS_OF, UNDER_WAY, Sql
from offline_queue.periods import Periods

REFUSALS_MAX = 3  # a host that says no so often will not say yes by itself: a person must look
COMMIT_ROWS_MAX = 50  # of one commit, so that the other writer never waits long
RESTING_LANES_MAX = 200  # named in one question

_QUOTED = {act: ", ".join(f"'{one}'" for one in before) for act, before in WAITS_BEHIND.items()}
_FOLLOWS = " ".join(f"when '{act}' then aside.act in ({before})" for act, before in _QUOTED.items())
# Walks one index; of the table only the rows that are sent are read, however many wait behind a lane that must not go.
# Notices of one commit go in the order in which their keys were made.
_TURN = """
    select act, key, card_index, tries + refusals, sealed, (select period from entry where entry.seq = notice.seq)
    from notice where state = 'owed' and host = ?1 and not exists (
        select 1 from notice as aside
        where aside.state = 'quarantined' and aside.host = ?1 and aside.card_index = notice.card_index
            and aside.seq <= notice.seq and case notice.act {follows} else 0 end
    ) {spared} order by seq, key limit ?2
"""
DUE = _TURN.format(follows=_FOLLOWS, spared="")
DUE_BESIDE = _TURN.format(follows=_FOLLOWS, spared="and card_index not in (select value from json_each(?3))")
_OWED_HOSTS = """
    select value from json_each(?) where exists (select 1 from notice where state = 'owed' and host = value)
"""
_UNSENT_KEYS = """
    select key from notice where state = 'owed' and host = ?1
    union all select key from notice where state = 'quarantined' and host = ?1
"""
_STORY_OF = "select entry.case_code, notice.host, notice.act from notice join entry using (seq) where key = ?"
_TOLD = """
    update notice set state = 'told', sealed = x'' where key = ? and state = 'owed'
    returning (select case_code from entry where entry.seq = notice.seq), host, act, amount_fen
"""
_ANSWERED = """
    update notice set state = 'answered', sealed = x''
    where key in (select value from json_each(?)) and state = 'owed' and amount_fen = 0 returning 1
"""
_SETTLE = "select key from notice where state = 'answered' and host = ? order by seq limit ?"
_SETTLED = "update notice set state = 'told' where key in (select value from json_each(?))"
_LANE_OF = "select seq, host, act, card_index from notice where key = ? and state = 'quarantined'"
_SAID = f"""
    {ROWS_OF.replace("entry.*", "entry.seq")} and card_index = ? and act = ? and entry.seq > ?
    order by entry.seq desc limit 1
"""
_FOLLOWS_YET = """
    select 1 from notice where host = ? and card_index = ? and act = ? and seq > ? and state in ('owed', 'quarantined')
    limit 1
"""
_TRIED = "update notice set tries = tries + 1 where key in (select value from json_each(?))"
_Version = tuple[int, int]
UNSENT = "select unsent_count, unsent_sum_fen, oldest_at from outbox_totals"

_facts_of = msgspec.json.Decoder(dict[str, str | int]).decode


def _as_json(words: Iterable[str]) -> str:
    return msgspec.json.encode(list(words)).decode()


class UnknownNotice(Exception):
    """No notice of this key is in that state."""


class SqliteOutbox:
    """Implements ``ports.Outbox``. ``sql``: of ``connection``; ``commit``: one transaction of the journal's."""

    def __init__(
        self,
        connection: apsw.Connection,
        sql: Sql,
        periods: Periods,
        appender: Appender,
        commit: Callable[[], AbstractContextManager[Sql]],
    ) -> None:
        self._connection, self._sql = connection, sql
        self._periods = periods
        self._appender = appender
        self._commit = commit
        self._owed_hosts: tuple[_Version, tuple[str, ...], list[str]] = ((-1, -1), (), [])  # of this file, of those
        self._nothing_due: dict[str, _Version] = {}  # host -> the file in which nothing for it could be sent

    def owed_hosts(self, hosts: Iterable[str]) -> list[str]:
        """Those of them that are owed something which was not put aside; perhaps it must rest."""
        asked = tuple(hosts)
        version = self._version()  # before the look: the other process may write meanwhile
        if self._owed_hosts[:2] != (version, asked):
            owed = [host for (host,) in self._sql(_OWED_HOSTS, (_as_json(asked),))]
            self._owed_hosts = version, asked, owed
        return self._owed_hosts[2]

    def due(self, host: str, resting: Collection[str] = ()) -> OwedNotice | None:
        """The oldest notice that may be sent now; see ``due_together``."""
        return next(iter(self.due_together(host, 1, resting)), None)

    def due_together(self, host: str, most: int, resting: Collection[str] = ()) -> list[OwedNotice]:
        """The oldest notices that may be sent now, of one act, in order. Of one card nothing overtakes: behind a notice
        that rests all later ones of its card wait, and behind one that was put aside those that follow from it.
        ``resting``: lanes that are not to be tried yet.

        Raises:
            SealBroken: the file was tampered with.
        """
        assert len(resting) <= RESTING_LANES_MAX
        version = self._version()  # before the look: the other process may write meanwhile
        if self._nothing_due.get(host) == version:
            return []
        rows: Iterable[tuple[Any, ...]] = (
            self._sql(DUE_BESIDE, (host, most, _as_json(resting))) if resting else self._sql(DUE, (host, most))
        )
        found: list[OwedNotice] = []
        for act, key, lane, tries, sealed, period in rows:
            if found and act != found[0].act:
                break
            clear = self._periods.opened(period, sealed, key)
            assert clear is not None, "a period whose notices are owed is never destroyed"
            found.append(OwedNotice(host, act, key, tries, _facts_of(clear), lane))
        if not found and not resting:
            self._nothing_due[host] = version
        return found

    def told(self, *keys: str) -> None:
        """The host took them. Their sealed content goes with the commit."""
        assert len(keys) <= COMMIT_ROWS_MAX
        with self._commit() as sql:
            self._appender.append(sql, *[self._now_told(sql, key) for key in keys])

    def answered(self, *keys: str) -> None:
        """As ``told``, for notices from which nothing follows (money-rules 27): not flushed, so that a power cut may
        forget it and the same key is told again. The chain hears of it later, by ``settle_answered``.

        Raises:
            UnknownNotice: not owed, or about money, which is never acknowledged like this.
        """
        with self._unflushed(), self._commit() as sql:
            if len(list(sql(_ANSWERED, (_as_json(keys),)))) != len(set(keys)):
                raise UnknownNotice("one of several")

    def settle_answered(self, host: str) -> int:
        """Up to fifty that this host has ``answered`` enter the chain, in one row; how many. Durable on return."""
        with self._commit() as sql:
            keys = [key for (key,) in sql(_SETTLE, (host, COMMIT_ROWS_MAX))]
            if keys:
                sql(_SETTLED, (_as_json(keys),))
                facts: dict[str, str | int] = {"host": host, "count": len(keys), "keys": " ".join(keys)}
                self._appender.append(sql, NewEntry("notices_told", "", facts))
        return len(keys)

    def unanswered(self, *keys: str) -> None:
        with self._commit() as sql:
            sql(_TRIED, (_as_json(keys),))

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
        """A person says: try again. Raises UnknownNotice: it was not put aside. Overtaken: it stays so."""
        with self._commit() as sql:
            if self._is_overtaken(sql, key):
                raise Overtaken(key)
            self._out_of_quarantine(sql, key, "owed", "notice_released", {"by": by})

    def overtaken(self, key: str) -> bool:
        """Whether ``release`` is refused: its holder said the opposite since, and nothing of that is told after it."""
        return self._is_overtaken(self._sql, key)

    def give_up(self, key: str, by: str, approver: str, why: str) -> None:
        """Two persons say: this host will not be told. Raises UnknownNotice: it was not put aside."""
        facts: dict[str, str | int] = {"by": by, "approver": approver, "why": why}
        with self._commit() as sql:
            self._out_of_quarantine(sql, key, "given_up", "notice_given_up", facts)

    def put_aside(self) -> list[tuple[str, str, str, str]]:
        """Key, host, act and the host's last reason of every notice that waits for a person, oldest first."""
        return list(self._sql("select key, host, act, reason from notice where state = 'quarantined' order by seq"))

    def unsent_keys(self, host: str) -> frozenset[str]:
        """Of notices that this host has not surely heard, or has refused."""
        return frozenset(key for (key,) in self._sql(_UNSENT_KEYS, (host,)))

    def unsent_count(self) -> int:
        """Owed or put aside."""
        return self.unsent().count

    def under_way(self) -> int:
        """What an update must wait for (money-rules 28): money in motion, and outcomes that nobody knows."""
        return int(next(iter(self._sql(UNDER_WAY)))[0])

    def unsent(self) -> Unsent:
        """Owed or put aside: how many, their money, and when the oldest was owed."""
        count, total, oldest = next(iter(self._sql(UNSENT)))
        return Unsent(count, Fen(total), oldest)

    def _version(self) -> _Version:
        """Another one after every change, by other connections or by this one. Between two looks at an idle terminal
        there is none, and then the long question need not be asked."""
        ((others,),) = self._sql("pragma data_version")
        return others, self._connection.total_changes()

    @contextmanager
    def _unflushed(self) -> Iterator[None]:
        """Within, a commit waits for no disk; the next one that is flushed, of any process, makes it durable too."""
        self._sql("pragma synchronous = normal")
        try:
            yield
        finally:
            self._sql("pragma synchronous = full")

    def _is_overtaken(self, sql: Sql, key: str) -> bool:
        seq, host, act, lane = next(iter(sql(_LANE_OF, (key,))), (0, "", "", ""))
        if act not in SAID_SINCE or not lane:
            return False
        said, told = SAID_SINCE[act]
        newest = [since for (since,) in sql(_SAID, (lane, lane, said, seq))]
        return bool(newest) and not list(sql(_FOLLOWS_YET, (host, lane, told, newest[0])))

    def _out_of_quarantine(self, sql: Sql, key: str, state: str, act: str, facts: dict[str, str | int]) -> None:
        case_code, host, what = self._owed(sql, key, "quarantined")
        sealed = ", sealed = x''" if state == "given_up" else ""
        sql(f"update notice set state = ?, refusals = 0{sealed} where key = ?", (state, key))  # noqa: S608 - constants
        told: dict[str, str | int] = {"key": key, "host": host, "what": what, **facts}
        self._appender.append(sql, NewEntry(act, case_code, told))

    def _now_told(self, sql: Sql, key: str) -> NewEntry:
        found = next(iter(sql(_TOLD, (key,))), None)
        if found is None:
            raise UnknownNotice(key)
        case_code, host, act, fen = found
        told: dict[str, str | int] = {"key": key, "host": host, "what": act}
        return NewEntry("notice_told", case_code, {**told, "amount_fen": fen} if fen else told)

    def _owed(self, sql: Sql, key: str, state: str) -> tuple[str, str, str]:
        """Case, host and act of a notice in just this state."""
        found = next(iter(sql(f"{_STORY_OF} and state = ?", (key, state))), None)
        if found is None:
            raise UnknownNotice(key)
        case_code, host, act = found
        return str(case_code), str(host), str(act)
