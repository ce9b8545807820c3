"""The hospital's books: claims with leases, payments, deposits, and the register of debts to card holders."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from simulators.hosts.sandbox import Refusal

SCHEMA = """
    PRAGMA journal_mode = WAL;
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
    CREATE TABLE IF NOT EXISTS debts (
        serial INTEGER PRIMARY KEY, key TEXT UNIQUE, card_number TEXT, reason TEXT, owed_fen INTEGER, left_fen INTEGER,
        reserved_by TEXT DEFAULT '', reserved_until TEXT DEFAULT ''
    );
    CREATE TABLE IF NOT EXISTS payouts (key TEXT PRIMARY KEY, voucher TEXT, paid_fen INTEGER);
"""
AT_THE_WINDOW = "window"
NOTHING_PAID = 0


@dataclass(frozen=True)
class Payment:
    serial: int
    bill_id: str
    key: str
    settlement_id: str
    means: str


@dataclass(frozen=True)
class DebtRow:
    serial: int
    key: str
    card_number: str
    reason: str
    owed_fen: int
    left_fen: int
    reserved_by: str
    reserved_until: str

    @property
    def voucher(self) -> str:
        return voucher_of(self.serial)


def voucher_of(serial: int) -> str:
    return f"QK{serial:08d}"


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
        """Admission and amount of all that were ever credited, oldest first."""
        return self._db.execute("SELECT admission, amount_fen FROM deposits ORDER BY serial").fetchall()


class DebtBook:
    """A reserve ends by confirming or giving back, never by time (money-rules 19)."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def register(self, key: str, card_number: str, amount_fen: int, reason: str) -> DebtRow:
        """Raises Refusal: ``key_reused``."""
        self._db.execute(
            "INSERT OR IGNORE INTO debts (key, card_number, reason, owed_fen, left_fen) VALUES (?, ?, ?, ?, ?)",
            (key, card_number, reason, amount_fen, amount_fen),
        )
        row = self._rows("key = ?", key)[0]
        if (row.card_number, row.owed_fen) != (card_number, amount_fen):
            raise Refusal(409, "key_reused", "请求编号重复")
        return row

    def of_card(self, card_number: str) -> list[DebtRow]:
        """What is still owed, oldest first."""
        return [row for row in self._rows("card_number = ?", card_number) if row.left_fen]

    def standing(self) -> list[DebtRow]:
        """Of all cards, oldest first."""
        return [row for row in self._rows("left_fen > ?", 0) if row.left_fen]

    def payouts(self) -> list[tuple[str, str, int]]:
        """Key, voucher and what was paid by it."""
        return self._db.execute("SELECT key, voucher, paid_fen FROM payouts").fetchall()

    def all(self) -> list[DebtRow]:
        return self._rows("serial > ?", 0)

    def reserve(self, voucher: str, key: str, until: datetime) -> DebtRow:
        row = self._known(voucher)
        if not row.left_fen or self._payout(key) is not None:
            raise Refusal(409, "paid", "已经支付")
        if row.reserved_by not in ("", key):
            raise Refusal(409, "reserved_elsewhere", "正在别处支付")
        self._set(row.serial, row.left_fen, key, row.reserved_until or until.isoformat())
        return self._known(voucher)

    def confirm(self, voucher: str, paid_fen: int, key: str) -> None:
        row, before = self._known(voucher), self._payout(key)
        if before is not None:
            if before != (voucher, paid_fen):
                raise Refusal(409, "key_reused", "请求编号重复")
            return
        self._must_hold(row, key)
        if paid_fen > row.left_fen:
            raise Refusal(409, "too_much", "支付金额大于欠款")
        self._db.execute("INSERT INTO payouts VALUES (?, ?, ?)", (key, voucher, paid_fen))
        self._set(row.serial, row.left_fen - paid_fen, "", "")

    def give_back(self, voucher: str, key: str) -> None:
        """Ends the key for ever: a reserve by it that arrives later, overtaken on the way, is refused."""
        row, before = self._known(voucher), self._payout(key)
        if before == (voucher, NOTHING_PAID):
            return
        if before is not None:
            raise Refusal(409, "paid", "已经支付")
        if row.reserved_by:
            self._must_hold(row, key)
            self._set(row.serial, row.left_fen, "", "")
        self._db.execute("INSERT INTO payouts VALUES (?, ?, ?)", (key, voucher, NOTHING_PAID))

    def _must_hold(self, row: DebtRow, key: str) -> None:
        if row.reserved_by != key:
            raise Refusal(409, "reserved_elsewhere", "没有预留,或正在别处支付")

    def _payout(self, key: str) -> tuple[str, int] | None:
        row = self._db.execute("SELECT voucher, paid_fen FROM payouts WHERE key = ?", (key,)).fetchone()
        return None if row is None else (str(row[0]), int(row[1]))

    def _known(self, voucher: str) -> DebtRow:
        found = self._rows("serial = ?", int(voucher[2:]))
        if not found:
            raise Refusal(404, "no_such_debt", "未查到欠款")
        return found[0]

    def _set(self, serial: int, left_fen: int, by: str, until: str) -> None:
        self._db.execute(
            "UPDATE debts SET left_fen = ?, reserved_by = ?, reserved_until = ? WHERE serial = ?",
            (left_fen, by, until, serial),
        )

    def _rows(self, condition: str, value: str | int) -> list[DebtRow]:
        columns = "serial, key, card_number, reason, owed_fen, left_fen, reserved_by, reserved_until"
        found = self._db.execute(f"SELECT {columns} FROM debts WHERE {condition} ORDER BY serial", (value,))  # noqa: S608  # constants of this class
        return [DebtRow(*row) for row in found]
