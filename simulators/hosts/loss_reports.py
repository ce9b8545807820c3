"""The card platform's book of temporary loss reports: in force at once, ended by time or by the holder."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from simulators.hosts.sandbox import Refusal

DAYS = 7  # other places differ: the answer names the day
SCHEMA = """
    CREATE TABLE IF NOT EXISTS loss_reports (
        key TEXT, card_number TEXT, since TEXT, ends_on TEXT, PRIMARY KEY (key, card_number));
    CREATE TABLE IF NOT EXISTS loss_lifts (key TEXT PRIMARY KEY, card_number TEXT, at TEXT, up_to INTEGER);
"""


@dataclass(frozen=True)
class Reported:
    since: datetime
    ends_on: date
    already_done: bool


class LossBook:
    """On the sandbox's own file. Formal states of the world (lost, cancelled ...) are none of its business."""

    def __init__(self, books: sqlite3.Connection) -> None:
        self._books = books

    def in_force(self, card_number: str, now: datetime) -> Reported | None:
        """The newest report of a card, unless it ended or was withdrawn after: by the order of the book, because one
        second is long enough for both."""
        newest = self._books.execute(
            "SELECT since, ends_on FROM loss_reports WHERE card_number = ?1 AND rowid > "
            "(SELECT coalesce(max(up_to), 0) FROM loss_lifts WHERE card_number = ?1) ORDER BY rowid DESC LIMIT 1",
            (card_number,),
        ).fetchone()
        if newest is None:
            return None
        since, ends_on = datetime.fromisoformat(newest[0]), date.fromisoformat(newest[1])
        return Reported(since, ends_on, already_done=True) if now.date() <= ends_on else None

    def was_withdrawn(self, card_number: str) -> bool:
        lifted = "SELECT 1 FROM loss_lifts WHERE card_number = ? LIMIT 1"
        return self._books.execute(lifted, (card_number,)).fetchone() is not None

    def report(self, key: str, cards: Iterable[str], now: datetime) -> Reported:
        """The same key, and a card that is reported already, are a success with what stands.

        A key that was withdrawn meanwhile brings nothing back: its answer is what it once did.
        """
        told = self._books.execute("SELECT since, ends_on FROM loss_reports WHERE key = ?", (key,)).fetchone()
        if told:
            return Reported(datetime.fromisoformat(told[0]), date.fromisoformat(told[1]), already_done=True)
        wanted = list(cards)
        standing = [found for card in wanted if (found := self.in_force(card, now))]
        if standing and len(standing) == len(wanted):
            return standing[0]
        ends_on = now.date() + timedelta(days=DAYS)
        rows = [(key, card, now.isoformat(), ends_on.isoformat()) for card in wanted if not self.in_force(card, now)]
        self._books.executemany("INSERT INTO loss_reports VALUES (?, ?, ?, ?)", rows)
        return Reported(now, ends_on, already_done=False)

    def withdraw(self, key: str, card_number: str, state: str, now: datetime) -> bool:
        """Whether it was done before. ``state``: the card's, as the platform knows it: of one whose other troubles hide
        the report that was taken for it, too, what was taken here is given back here.

        Raises:
            Refusal: a formal report is the counter's to lift, and of this card nothing was ever reported.
        """
        if self._books.execute("SELECT 1 FROM loss_lifts WHERE key = ?", (key,)).fetchone():
            return True
        if state == "lost":
            raise Refusal(409, "formal_loss", "正式挂失请到柜台解除")
        if state not in ("temporarily_lost", "normal") and not self.stands(card_number):
            raise Refusal(409, "not_reported", "该卡没有临时挂失")
        self._books.execute(
            "INSERT INTO loss_lifts "
            "SELECT ?, ?, ?, coalesce((SELECT max(rowid) FROM loss_reports WHERE card_number = ?2), 0)",
            (key, card_number, now.isoformat()),
        )
        return state == "normal"

    def reports(self) -> list[tuple[str, str]]:
        """Key and card of everything booked, oldest first."""
        return self._books.execute("SELECT key, card_number FROM loss_reports ORDER BY rowid").fetchall()

    def lifts(self) -> list[tuple[str, str]]:
        """Key and card of every withdrawal, oldest first."""
        return self._books.execute("SELECT key, card_number FROM loss_lifts ORDER BY rowid").fetchall()

    def stands(self, card_number: str) -> bool:
        """Whether its newest report was not withdrawn after, however long ago that is."""
        found = self._books.execute(
            "SELECT 1 FROM loss_reports WHERE card_number = ?1 AND rowid > "
            "(SELECT coalesce(max(up_to), 0) FROM loss_lifts WHERE card_number = ?1) LIMIT 1",
            (card_number,),
        )
        return found.fetchone() is not None
