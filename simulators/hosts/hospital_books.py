"""The hospital's books: claims with leases, payments, deposits."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from simulators.hosts.sandbox import Refusal

SCHEMA = """
    CREATE TABLE IF NOT EXISTS claims (bill_id TEXT PRIMARY KEY, lease_key TEXT, until TEXT);
    CREATE TABLE IF NOT EXISTS payments (
        serial INTEGER PRIMARY KEY, bill_id TEXT UNIQUE, key TEXT UNIQUE, settlement_id TEXT, message_id TEXT,
        means TEXT, total_fen INTEGER, cash_fen INTEGER, paid_at TEXT
    );
    CREATE TABLE IF NOT EXISTS undone (key TEXT PRIMARY KEY, bill_id TEXT, settlement_id TEXT, message_id TEXT);
    CREATE TABLE IF NOT EXISTS deposits (
        serial INTEGER PRIMARY KEY, key TEXT UNIQUE, admission TEXT, amount_fen INTEGER, paid_at TEXT
    );
    CREATE TABLE IF NOT EXISTS undone_deposits (key TEXT PRIMARY KEY, deposit_key TEXT UNIQUE);
"""
AT_THE_WINDOW = "window"


@dataclass(frozen=True)
class Payment:
    serial: int
    bill_id: str
    key: str
    settlement_id: str
    means: str


class ClaimBook:
    """One bill is held by one lease at most, and paid once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def holder(self, bill_id: str, now: datetime) -> str:
        """Key of the lease that holds the bill now, or ""."""
        row = self._db.execute("SELECT lease_key, until FROM claims WHERE bill_id = ?", (bill_id,)).fetchone()
        return str(row[0]) if row and datetime.fromisoformat(row[1]) > now else ""

    def hold(self, bill_id: str, lease_key: str, until: datetime) -> None:
        self._db.execute("INSERT OR REPLACE INTO claims VALUES (?, ?, ?)", (bill_id, lease_key, until.isoformat()))

    def let_go(self, bill_id: str, lease_key: str) -> None:
        self._db.execute("DELETE FROM claims WHERE bill_id = ? AND lease_key = ?", (bill_id, lease_key))

    def payment(self, bill_id: str) -> Payment | None:
        row = self._db.execute(
            "SELECT serial, bill_id, key, settlement_id, means FROM payments WHERE bill_id = ?", (bill_id,)
        ).fetchone()
        return None if row is None else Payment(*row)

    def payments(self) -> list[Payment]:
        """Oldest first."""
        rows = self._db.execute("SELECT serial, bill_id, key, settlement_id, means FROM payments ORDER BY serial")
        return [Payment(*row) for row in rows]

    def pay(
        self, bill_id: str, key: str, settlement: tuple[str, str], means: str, fen: tuple[int, int], at: datetime
    ) -> None:
        """``settlement``: setl_id and msgid; ``fen``: total and cash."""
        self._db.execute(
            "INSERT INTO payments (bill_id, key, settlement_id, message_id, means, total_fen, cash_fen, paid_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (bill_id, key, *settlement, means, *fen, at.isoformat()),
        )
        self._db.execute("DELETE FROM claims WHERE bill_id = ?", (bill_id,))

    def undo(self, key: str, bill_id: str, settlement_id: str, message_id: str) -> None:
        """The bill is unpaid again, once by one key.

        Raises:
            Refusal: ``not_paid_here``, ``key_reused``.
        """
        told = self._db.execute(
            "SELECT bill_id, settlement_id, message_id FROM undone WHERE key = ?", (key,)
        ).fetchone()
        if told is not None:
            if tuple(told) != (bill_id, settlement_id, message_id):
                raise Refusal(409, "key_reused", "请求编号重复")
            return
        gone = self._db.execute(
            "DELETE FROM payments WHERE bill_id = ? AND settlement_id = ?", (bill_id, settlement_id)
        )
        if not gone.rowcount:
            raise Refusal(409, "not_paid_here", "这张账单不是在这里付的")
        self._db.execute("INSERT INTO undone VALUES (?, ?, ?, ?)", (key, bill_id, settlement_id, message_id))

    def deposit(self, key: str, admission: str, amount_fen: int, at: datetime) -> int:
        """The serial of the deposit that this key made, now or before.

        Raises:
            Refusal: ``key_reused``.
        """
        self._db.execute(
            "INSERT OR IGNORE INTO deposits (key, admission, amount_fen, paid_at) VALUES (?, ?, ?, ?)",
            (key, admission, amount_fen, at.isoformat()),
        )
        serial, *made = self._db.execute(
            "SELECT serial, admission, amount_fen FROM deposits WHERE key = ?", (key,)
        ).fetchone()
        if made != [admission, amount_fen]:
            raise Refusal(409, "key_reused", "请求编号重复")
        return int(serial)

    def undo_deposit(self, key: str, deposit_key: str, admission: str, amount_fen: int) -> None:
        """Off its stay, once by one key.

        Raises:
            Refusal: ``no_such_deposit``, ``already_undone``, ``key_reused``.
        """
        made = self._db.execute("SELECT admission, amount_fen FROM deposits WHERE key = ?", (deposit_key,)).fetchone()
        if made != (admission, amount_fen):
            raise Refusal(404, "no_such_deposit", "未查到这笔预交金")
        told = self._db.execute(
            "SELECT key, deposit_key FROM undone_deposits WHERE key = ? OR deposit_key = ?", (key, deposit_key)
        ).fetchone()
        if told is None:
            self._db.execute("INSERT INTO undone_deposits VALUES (?, ?)", (key, deposit_key))
        elif told != (key, deposit_key):
            code = "key_reused" if told[0] == key else "already_undone"
            raise Refusal(409, code, "请求编号重复" if code == "key_reused" else "这笔预交金已经退过")

    def deposited_fen(self, admission: str) -> int:
        """What stands to the stay: without what was given back."""
        (total,) = self._db.execute(
            "SELECT coalesce(sum(amount_fen), 0) FROM deposits WHERE admission = ?"
            " AND key NOT IN (SELECT deposit_key FROM undone_deposits)",
            (admission,),
        ).fetchone()
        return int(total)

    def deposits(self) -> list[tuple[str, int]]:
        """Admission and amount of those that stand, oldest first."""
        return self._db.execute(
            "SELECT admission, amount_fen FROM deposits WHERE key NOT IN (SELECT deposit_key FROM undone_deposits)"
            " ORDER BY serial"
        ).fetchall()
