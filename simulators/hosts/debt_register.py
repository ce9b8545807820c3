"""A register of debts to card holders, as hospital and agency each keep one: register, reserve, pay, confirm."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from simulators.hosts.hospital_questions import UNSAID, AboutVoucher, Confirmed, OfCard, Owed, Reserved
from simulators.hosts.sandbox import Ask, Refusal, Reply, Route, json_reply, question, required_key
from simulators.hosts.sandbox import route as to

SCHEMA = """
    CREATE TABLE IF NOT EXISTS debts (
        serial INTEGER PRIMARY KEY, key TEXT UNIQUE, card_number TEXT, reason TEXT, owed_fen INTEGER, left_fen INTEGER,
        reserved_by TEXT DEFAULT '', reserved_until TEXT DEFAULT ''
    );
    CREATE TABLE IF NOT EXISTS payouts (key TEXT PRIMARY KEY, voucher TEXT, paid_fen INTEGER);
"""
RESERVE = timedelta(minutes=10)  # then a person looks; the reserve stays
NOTHING_PAID = 0


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


class DebtDesk:
    """The register's questions. ``noted``: what the host keeps of each act: act, key, terminal."""

    def __init__(
        self,
        books: sqlite3.Connection,
        clock: Callable[[], datetime],
        noted: Callable[[str, str, str], None] = lambda act, key, terminal_id: None,
    ) -> None:
        self.book = DebtBook(books)
        self._clock, self._noted = clock, noted

    def routes(self) -> list[Route]:
        return [
            to("POST", "/v1/debts", self._owe),
            to("POST", "/v1/debts/of-card", self._debts_of),
            to("POST", "/v1/debts/reserve", self._reserve),
            to("POST", "/v1/debts/confirm", self._confirm),
            to("POST", "/v1/debts/give-back", self._give_back),
        ]

    def _owe(self, ask: Ask) -> Reply:
        owed, key = question(ask, Owed), required_key(ask)
        row = self.book.register(key, owed.card_number, owed.amount_fen, owed.reason)
        self._noted("registered", key, owed.terminal_id)
        return json_reply(_debt(row))

    def _debts_of(self, ask: Ask) -> Reply:
        return json_reply({"debts": [_debt(row) for row in self.book.of_card(question(ask, OfCard).card_number)]})

    def _reserve(self, ask: Ask) -> Reply:
        asked, key = question(ask, Reserved), required_key(ask)
        row = self.book.reserve(asked.voucher_number, key, self._clock() + RESERVE)
        self._noted("reserved", key, asked.terminal_id)
        return json_reply(_debt(row))

    def _confirm(self, ask: Ask) -> Reply:
        confirmed, key = question(ask, Confirmed), required_key(ask)
        self.book.confirm(confirmed.voucher_number, confirmed.paid_fen, key)
        self._noted("ended", key, UNSAID)
        return json_reply({"done": True})

    def _give_back(self, ask: Ask) -> Reply:
        voucher, key = question(ask, AboutVoucher).voucher_number, required_key(ask)
        self.book.give_back(voucher, key)
        self._noted("ended", key, UNSAID)
        return json_reply({"done": True})


def _debt(row: DebtRow) -> dict[str, Any]:
    return {
        "voucher_number": row.voucher,
        "amount_fen": row.left_fen,
        "reason": row.reason,
        "reserved_until": row.reserved_until or None,
    }
