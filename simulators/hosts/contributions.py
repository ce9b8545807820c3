"""The agency's book of contributions that residents pay by themselves: what is payable, and what was credited."""

import sqlite3
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from simulators.hosts.sandbox import Refusal
from simulators.worlds.world import Resident

# Invented grades in the order of size that regions have; a year in fen.
GRADES_FEN = {"resident_pension": (20_000, 30_000, 50_000, 100_000, 200_000), "resident_medical": (40_000,)}
SCHEMA = """
    CREATE TABLE IF NOT EXISTS contributions (
        serial INTEGER PRIMARY KEY, key TEXT UNIQUE, resident TEXT, kind TEXT, year INTEGER, amount_fen INTEGER,
        received_at TEXT, terminal_id TEXT, credited_on TEXT);
"""


@dataclass(frozen=True)
class Received:
    """What a terminal took."""

    resident: Resident
    kind: str
    year: int
    amount_fen: int
    received_at: datetime
    terminal_id: str


class ContributionBook:
    """On the sandbox's own file."""

    def __init__(self, books: sqlite3.Connection) -> None:
        self._books = books

    def payable(self, resident: Resident, today: date) -> list[dict[str, Any]]:
        """This year and the last one; an employee pays none of them."""
        years = (today.year, today.year - 1)
        return [
            {"kind": kind, "year": year, "grades_fen": list(grades), "paid": self._paid(resident.handle, kind, year)}
            for kind, grades in GRADES_FEN.items()
            if entitled(resident, kind)
            for year in years
        ]

    def credit(self, key: str, told: Received, today: date) -> tuple[str, bool]:
        """Its number, and whether it was credited before. The same key is answered always the same.

        Raises:
            Refusal: key_reused, not_entitled, amount_differs, year_closed, already_paid.
        """
        wanted = (told.resident.handle, told.kind, told.year, told.amount_fen)
        found = self._books.execute(
            "SELECT serial, resident, kind, year, amount_fen FROM contributions WHERE key = ?", (key,)
        ).fetchone()
        if found is not None:
            if tuple(found[1:]) != wanted:
                raise Refusal(409, "key_reused", "请求编号重复")
            return _number(found[0]), True
        self._judge(told, today)
        serial = self._books.execute(
            "INSERT INTO contributions (key, resident, kind, year, amount_fen, received_at, terminal_id, credited_on)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (key, *wanted, told.received_at.isoformat(), told.terminal_id, today.isoformat()),
        ).lastrowid
        return _number(serial or 0), False

    def _judge(self, told: Received, today: date) -> None:
        if not entitled(told.resident, told.kind):
            raise Refusal(409, "not_entitled", "不在参保范围")
        if told.amount_fen not in GRADES_FEN[told.kind]:
            raise Refusal(409, "amount_differs", "缴费档次已调整")
        if not today.year - 1 <= told.year <= today.year:
            raise Refusal(409, "year_closed", "该年度已不能缴费")
        if self._paid(told.resident.handle, told.kind, told.year):
            raise Refusal(409, "already_paid", "该年度已经缴费")

    def credited(self) -> list[tuple[str, str, str, int, int]]:
        """Key, resident, kind, year and amount of everything, oldest first."""
        columns = "key, resident, kind, year, amount_fen"
        return self._books.execute(f"SELECT {columns} FROM contributions ORDER BY serial").fetchall()  # noqa: S608 - constants

    def of_terminal(self, terminal_id: str, first: date, last: date) -> list[dict[str, Any]]:
        """What this terminal told and was credited, by the day of crediting."""
        rows = self._books.execute(
            "SELECT key, serial, amount_fen, credited_on FROM contributions"
            " WHERE terminal_id = ? AND credited_on BETWEEN ? AND ? ORDER BY serial",
            (terminal_id, first.isoformat(), last.isoformat()),
        )
        return [
            {"key": key, "number": _number(serial), "amount_fen": amount, "booked_on": on}
            for key, serial, amount, on in rows
        ]

    def pay_elsewhere(self, resident: Resident, kind: str, year: int, today: date) -> None:
        """At the counter, or by telephone: a kiosk hears of it only when it tells its own."""
        key = f"counter-{resident.handle.replace('_', '-')}-{kind.replace('_', '-')}-{year}"
        at = datetime.combine(today, datetime.min.time())
        self.credit(key, Received(resident, kind, year, GRADES_FEN[kind][0], at, "counter"), today)

    def _paid(self, resident: str, kind: str, year: int) -> bool:
        wanted = "SELECT 1 FROM contributions WHERE resident = ? AND kind = ? AND year = ?"
        return self._books.execute(wanted, (resident, kind, year)).fetchone() is not None


def entitled(resident: Resident, kind: str) -> bool:
    """Who has an employee's insurance in force pays through the employer."""
    of_employees = {"resident_pension": "pension", "resident_medical": "medical"}[kind]
    entry = resident.insurances.get(of_employees)
    by_employer = entry is not None and entry.state in ("in_force", "receiving")
    return resident.medical_scheme == "390" or not by_employer


def _number(serial: int) -> str:
    return f"C{serial:010d}"
