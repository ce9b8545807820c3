"""``ports.TerminalBooks``: sums and open cases of the journal, kept up to date by reading only what is new."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from kiosk.domain.books import Account, Posting, totals
from kiosk.domain.cases import OpenCase, Unsent
from kiosk.domain.money import NOTHING, Fen
from offline_queue.postings import read_postings
from offline_queue.verify import open_read_only

_EXPLAIN = (Account.SUSPENSE, Account.SURPLUS, Account.SHORTAGE)
# Nothing is posted for these, because nobody knows the amount, or which of two figures is right.
_OPENS_A_CASE = (
    "note_uncertain", "device_differs", "box_differs", "amounts_disagree", "reconciliation_differs", "notice_put_aside",
    "settlement_order_ended",
)  # fmt: skip
# What a device tells of a payout that it had left uncertain: while its case is open only its story gains by it. Once
# the case is closed, what people decided may be the opposite: a difference, and so a case again.
_OPENS_ANEW = ("dispense_told_late",)
# A hand count of two people stands above what a device says of the same place.
_SETTLES = {"drums_exchanged": "device_differs", "cash_box_exchanged": "box_differs"}
_TAKEN_UP = ("notice_released", "notice_given_up")
# Money that a visit of an earlier life left inside: nobody's, until every cash module has told what it knows (rule 2).
LEFT_INSIDE = "money_left_inside"
_LEFT_INSIDE_BEFORE = "select purse.case_code, at from purse join entry using (seq) where seq < ? order by seq"
_NEW_ROWS = "select seq, at, act, case_code, postings from entry where seq > ? order by seq"


@dataclass
class _Case:
    since: str
    sums: dict[Account, int] = field(default_factory=dict)
    acts: set[str] = field(default_factory=set)

    @property
    def is_open(self) -> bool:
        return bool(self.acts) or any(self.sums.values())


class StaffBooks:
    """Reads by a connection of its own. The first call walks the whole file; later ones only what came since.

    Raises at construction: apsw.Error: there is no journal.
    """

    def __init__(self, data_dir: Path) -> None:
        self._connection = open_read_only(data_dir / "journal.db")
        self._seen = 0
        self._life_began = 0
        self._latest: datetime | None = None
        self._balances: dict[Account, Fen] = {}
        self._cases: dict[str, _Case] = {}

    def close(self) -> None:
        self._connection.close()

    def high_water(self) -> datetime | None:
        self._read_on()
        return self._latest

    def balances(self) -> Mapping[Account, Fen]:
        self._read_on()
        return {account: amount for account, amount in self._balances.items() if amount}

    def day(self, day: str) -> tuple[Mapping[Account, Fen], Mapping[Account, Fen]]:
        at_end: list[Posting] = []
        within: list[Posting] = []
        rows = self._connection.execute("select at, postings from entry where postings != '' order by seq")
        for at, postings in rows:
            if at[:10] <= day:
                at_end += read_postings(postings)
            if at[:10] == day:
                within += read_postings(postings)
        return totals(at_end), totals(within)

    def unsent(self) -> Unsent:
        count, total, oldest = next(
            iter(self._connection.execute("select unsent_count, unsent_sum_fen, oldest_at from outbox_totals"))
        )
        return Unsent(count, Fen(total), oldest)

    def open_cases(self) -> tuple[OpenCase, ...]:
        self._read_on()
        effects: dict[str, list[str]] = {}
        since: dict[str, str] = {}
        for act, code, at in self._connection.execute(
            "select entry.act, entry.case_code, entry.at from effect join entry using (seq) order by seq"
        ):
            effects.setdefault(code, []).append(act)
            since.setdefault(code, at)
        for code, at in self._connection.execute(_LEFT_INSIDE_BEFORE, (self._life_began,)):
            effects.setdefault(code, []).append(LEFT_INSIDE)
            since.setdefault(code, at)
        codes = [code for code, case in self._cases.items() if case.is_open]
        found = [self._open_case(code, effects.get(code, []), since.get(code, "")) for code in {*codes, *effects}]
        return tuple(sorted(found, key=lambda case: (case.since, case.code)))

    def _open_case(self, code: str, effects: list[str], since: str) -> OpenCase:
        case = self._cases.get(code)
        if case is None or not case.is_open:
            return OpenCase(code, since, effects=tuple(effects))
        suspense, surplus, shortage = (Fen(case.sums.get(account, NOTHING)) for account in _EXPLAIN)
        acts = tuple(dict.fromkeys([*effects, *sorted(case.acts)]))
        return OpenCase(code, min(filter(None, (case.since, since))), suspense, surplus, shortage, acts)

    def _read_on(self) -> None:
        for seq, at, act, code, stored in self._connection.execute(_NEW_ROWS, (self._seen,)):
            self._seen = seq
            self._life_began = seq if act == "kiosk_started" else self._life_began
            moment = datetime.fromisoformat(at)
            self._latest = max(self._latest, moment) if self._latest else moment
            postings = read_postings(stored) if stored else ()
            for posting in postings:
                self._balances[posting.account] = Fen(self._balances.get(posting.account, 0) + posting.amount_fen)
            self._explain(at, act, code, postings)

    def _explain(self, at: str, act: str, code: str, postings: tuple[Posting, ...]) -> None:
        if act in _SETTLES:
            for differing in self._cases.values():
                differing.acts.discard(_SETTLES[act])
        if act in _TAKEN_UP and code in self._cases:
            self._cases[code].acts.discard("notice_put_aside")
        moved = [posting for posting in postings if posting.account in _EXPLAIN]
        closes = act == "case_closed" and code in self._cases
        case = self._cases.get(code)
        is_open = case is not None and case.is_open
        opens = act in _OPENS_A_CASE or (act in _OPENS_ANEW and not is_open)
        if not moved and not closes and not opens:
            return
        if case is None or not is_open:
            case = self._cases[code] = _Case(at)
        for posting in moved:
            case.sums[posting.account] = case.sums.get(posting.account, 0) + posting.amount_fen
        if opens:
            case.acts.add(act)
        if closes:
            # What is still a surplus or a shortage was accepted as such by two people.
            del self._cases[code]


def case_codes(data_dir: Path) -> set[str]:
    """Of every open case. Walks the whole file: it belongs into a thread. Raises apsw.Error: there is no journal."""
    with closing(StaffBooks(data_dir)) as books:
        return {case.code for case in books.open_cases()}
