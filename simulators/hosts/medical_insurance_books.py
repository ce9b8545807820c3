"""The platform's books: every settlement and void as a row, every message with its answer, sign-on numbers."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

SCHEMA = """
    CREATE TABLE IF NOT EXISTS settlements (
        serial INTEGER PRIMARY KEY, setl_id TEXT UNIQUE, msgid TEXT, infno TEXT, psn_no TEXT, mdtrt_id TEXT,
        chrg_bchno TEXT, undoes TEXT, reversed INTEGER DEFAULT 0, settled_at TEXT, year INTEGER,
        deductible INTEGER, total INTEGER, fund INTEGER, account INTEGER, cash INTEGER, answer TEXT
    );
    CREATE TABLE IF NOT EXISTS messages (serial INTEGER PRIMARY KEY, msgid TEXT, infno TEXT, answer BLOB);
    CREATE TABLE IF NOT EXISTS ended_early (msgid TEXT PRIMARY KEY);
    CREATE TABLE IF NOT EXISTS late (msgid TEXT PRIMARY KEY, message TEXT);
    CREATE TABLE IF NOT EXISTS sign_ons (sign_no TEXT PRIMARY KEY, operator TEXT, at TEXT, off INTEGER DEFAULT 0);
"""
_COLUMNS = "setl_id, msgid, infno, psn_no, mdtrt_id, chrg_bchno, undoes, settled_at, total, fund, account, cash, answer"


@dataclass(frozen=True)
class Row:
    """A settlement, or the void of one (then ``undoes`` names it and every amount is negative). Amounts in fen.

    ``answer`` is the output node that the terminal got.
    """

    setl_id: str
    msgid: str
    infno: str
    psn_no: str
    mdtrt_id: str
    chrg_bchno: str
    undoes: str
    settled_at: str
    total: int
    fund: int
    account: int
    cash: int
    answer: str


class Books:
    """Not safe for two threads at once: its sandbox answers one question at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    # --- settlements ----------------------------------------------------------------------------------------------

    def next_settlement_number(self) -> str:
        (serial,) = self._db.execute("SELECT coalesce(max(serial), 0) + 1 FROM settlements").fetchone()
        return f"S{serial:012d}"

    def book(self, row: Row, deductible: int) -> None:
        self._db.execute(
            "INSERT INTO settlements (setl_id, msgid, infno, psn_no, mdtrt_id, chrg_bchno, undoes, settled_at, total,"
            " fund, account, cash, answer, deductible, year) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                row.setl_id, row.msgid, row.infno, row.psn_no, row.mdtrt_id, row.chrg_bchno, row.undoes,
                row.settled_at, row.total, row.fund, row.account, row.cash, row.answer, deductible,
                int(row.settled_at[:4]),
            ),
        )  # fmt: skip

    def standing(self) -> list[Row]:
        """Every row that no reversal took away, oldest first."""
        found = self._db.execute(f"SELECT {_COLUMNS} FROM settlements WHERE NOT reversed ORDER BY serial")  # noqa: S608  # constants
        return [Row(*row) for row in found]

    def of_visit(self, psn_no: str, mdtrt_id: str) -> list[Row]:
        return [row for row in self.standing() if (row.psn_no, row.mdtrt_id) == (psn_no, mdtrt_id)]

    def live(self, psn_no: str, mdtrt_id: str) -> list[Row]:
        """Settlements of the visit that stand and were not voided."""
        rows = self.of_visit(psn_no, mdtrt_id)
        voided = {row.undoes for row in rows}
        return [row for row in rows if not row.undoes and row.setl_id not in voided]

    def used(self, psn_no: str, year: int) -> tuple[int, int, int]:
        """Deductible and fund of this year, and what was ever taken from the account; in fen."""
        deductible, fund = self._db.execute(
            "SELECT coalesce(sum(deductible), 0), coalesce(sum(fund), 0) FROM settlements"
            " WHERE psn_no = ? AND year = ? AND NOT reversed",
            (psn_no, year),
        ).fetchone()
        (account,) = self._db.execute(
            "SELECT coalesce(sum(account), 0) FROM settlements WHERE psn_no = ? AND NOT reversed", (psn_no,)
        ).fetchone()
        return deductible, fund, account

    def deductible_of(self, setl_id: str) -> int:
        row = self._db.execute("SELECT deductible FROM settlements WHERE setl_id = ?", (setl_id,)).fetchone()
        return int(row[0])

    def take_away(self, psn_no: str, msgid: str, infno: str) -> int:
        """2601: how many rows of that message were taken away."""
        return self._db.execute(
            "UPDATE settlements SET reversed = 1 WHERE psn_no = ? AND msgid = ? AND infno = ? AND NOT reversed",
            (psn_no, msgid, infno),
        ).rowcount

    # --- messages -------------------------------------------------------------------------------------------------

    def answer_to(self, msgid: str) -> bytes | None:
        """What this message was answered first."""
        row = self._db.execute("SELECT answer FROM messages WHERE msgid = ? ORDER BY serial", (msgid,)).fetchone()
        return None if row is None else bytes(row[0])

    def remember(self, msgid: str, infno: str, answer: bytes) -> None:
        self._db.execute("INSERT INTO messages (msgid, infno, answer) VALUES (?, ?, ?)", (msgid, infno, answer))

    def messages(self) -> list[tuple[str, str]]:
        """Every act so far, oldest first: infno, msgid."""
        return self._db.execute("SELECT infno, msgid FROM messages ORDER BY serial").fetchall()

    def end_early(self, msgid: str) -> None:
        """A reversal came before its original: the original will be refused."""
        self._db.execute("INSERT OR IGNORE INTO ended_early VALUES (?)", (msgid,))

    def ended_early(self, msgid: str) -> bool:
        return bool(self._db.execute("SELECT 1 FROM ended_early WHERE msgid = ?", (msgid,)).fetchone())

    def put_off(self, msgid: str, message: str) -> None:
        self._db.execute("INSERT OR IGNORE INTO late VALUES (?, ?)", (msgid, message))

    def take_late(self, msgid: str) -> str | None:
        row = self._db.execute("DELETE FROM late WHERE msgid = ? RETURNING message", (msgid,)).fetchone()
        return None if row is None else str(row[0])

    # --- sign-ons -------------------------------------------------------------------------------------------------

    def sign_on(self, operator: str, at: datetime) -> str:
        count = self._db.execute("SELECT count(*) + 1 FROM sign_ons").fetchone()[0]
        number = f"{at:%Y%m%d}{count:08d}"
        self._db.execute("INSERT INTO sign_ons (sign_no, operator, at) VALUES (?, ?, ?)", (number, operator, f"{at}"))
        return number

    def signed_on(self, sign_no: str) -> bool:
        return bool(self._db.execute("SELECT 1 FROM sign_ons WHERE sign_no = ? AND NOT off", (sign_no,)).fetchone())

    def sign_off(self, sign_no: str) -> None:
        self._db.execute("UPDATE sign_ons SET off = 1 WHERE sign_no = ?", (sign_no,))
