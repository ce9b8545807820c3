"""What the hospital can tell a terminal about its own acts: deposits, and what it did in the register of debts.

Beside the books themselves: which terminal told an act, when, and how the holder paid.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any

from simulators.hosts.debt_register import voucher_of

CHINA = timezone(timedelta(hours=8))
SCHEMA = """
    CREATE TABLE IF NOT EXISTS told (
        serial INTEGER PRIMARY KEY, act TEXT, key TEXT, terminal_id TEXT, booked_on TEXT, UNIQUE (act, key)
    );
    CREATE TABLE IF NOT EXISTS deposit_means (
        key TEXT PRIMARY KEY, means TEXT, batch_number TEXT, trace_number TEXT, reference TEXT
    );
"""
_DEPOSITS = """
    SELECT act, told.key, admission, amount_fen, coalesce(means, 'cash'), deposits.serial, booked_on
    FROM told LEFT JOIN undone_deposits ON undone_deposits.key = told.key
    JOIN deposits ON deposits.key = coalesce(undone_deposits.deposit_key, told.key)
    LEFT JOIN deposit_means ON deposit_means.key = deposits.key
    WHERE act IN ('deposited', 'undone') AND terminal_id = ? AND booked_on BETWEEN ? AND ? ORDER BY told.serial
"""
_REGISTERED = """
    SELECT key, debts.serial, owed_fen, booked_on FROM told JOIN debts USING (key)
    WHERE act = 'registered' AND terminal_id = ? AND booked_on BETWEEN ? AND ? ORDER BY told.serial
"""
_RESERVED = """
    SELECT told.key, debts.serial, left_fen, booked_on FROM told JOIN debts ON debts.reserved_by = told.key
    WHERE act = 'reserved' AND terminal_id = ? AND booked_on BETWEEN ? AND ? ORDER BY told.serial
"""
_ENDED = """
    SELECT told.key, voucher, paid_fen, ended.booked_on
    FROM told JOIN payouts USING (key) JOIN told AS ended ON ended.key = told.key AND ended.act = 'ended'
    WHERE told.act = 'reserved' AND told.terminal_id = ? AND ended.booked_on BETWEEN ? AND ? ORDER BY ended.serial
"""


@dataclass(frozen=True)
class Means:
    """How a deposit was paid; the numbers of the bank's purchase, if it was by card."""

    means: str
    batch_number: str = ""
    trace_number: str = ""
    reference: str = ""


class TerminalActs:
    """Who told what. The first time counts: a key that comes again is the same act."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def note(self, act: str, key: str, terminal_id: str, at: datetime) -> None:
        """``act``: deposited | undone | registered | reserved | ended (a payout, whatever it came to)."""
        self._db.execute(
            "INSERT OR IGNORE INTO told (act, key, terminal_id, booked_on) VALUES (?, ?, ?, ?)",
            (act, key, terminal_id, at.astimezone(CHINA).date().isoformat()),
        )

    def note_means(self, key: str, paid: Means) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO deposit_means VALUES (?, ?, ?, ?, ?)",
            (key, paid.means, paid.batch_number, paid.trace_number, paid.reference),
        )

    def means(self, key: str) -> Means | None:
        """As it was told; None: it was not said."""
        row = self._db.execute(
            "SELECT means, batch_number, trace_number, reference FROM deposit_means WHERE key = ?", (key,)
        ).fetchone()
        return None if row is None else Means(*row)

    def deposits(self, terminal_id: str, first: date, last: date) -> list[dict[str, Any]]:
        return [
            {
                "act": "undone" if act == "undone" else "credited",
                "key": key,
                "admission": admission,
                "amount_fen": amount_fen,
                "means": means,
                "receipt_number": receipt_number(serial),
                "booked_on": booked_on,
            }
            for act, key, admission, amount_fen, means, serial, booked_on in self._rows(
                _DEPOSITS, terminal_id, first, last
            )
        ]

    def debts(self, terminal_id: str, first: date, last: date) -> list[dict[str, Any]]:
        rows = [*self._debts(terminal_id, first, last)]
        return sorted(rows, key=lambda row: str(row["booked_on"]))

    def _debts(self, terminal_id: str, first: date, last: date) -> Iterator[dict[str, Any]]:
        for act, sql in (("registered", _REGISTERED), ("reserved", _RESERVED)):
            for key, serial, fen, booked_on in self._rows(sql, terminal_id, first, last):
                yield _act(act, key, voucher_of(serial), fen, booked_on)
        for key, voucher, fen, booked_on in self._rows(_ENDED, terminal_id, first, last):
            yield _act("paid" if fen else "given_back", key, voucher, fen, booked_on)

    def _rows(self, sql: str, terminal_id: str, first: date, last: date) -> Sequence[tuple[Any, ...]]:
        return self._db.execute(sql, (terminal_id, first.isoformat(), last.isoformat())).fetchall()


def receipt_number(serial: int) -> str:
    """Of a deposit."""
    return f"YJ{serial:010d}"


def _act(act: str, key: str, voucher: str, fen: int, booked_on: str) -> dict[str, Any]:
    return {"act": act, "key": key, "voucher_number": voucher, "amount_fen": fen, "booked_on": booked_on}
