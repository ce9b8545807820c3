"""What the sandbox bank remembers: accounts, everything booked, script results. One SQLite file."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from simulators.worlds.world import BankAccount

_SCHEMA = """
CREATE TABLE IF NOT EXISTS account (
    pan TEXT PRIMARY KEY, balance_fen INTEGER NOT NULL, day TEXT NOT NULL DEFAULT '', spent_fen INTEGER NOT NULL
    DEFAULT 0, pin_tries INTEGER NOT NULL, last_atc INTEGER NOT NULL DEFAULT -1);
CREATE TABLE IF NOT EXISTS act (
    terminal TEXT, batch TEXT, trace TEXT, kind TEXT NOT NULL, pan TEXT NOT NULL, amount_fen INTEGER NOT NULL,
    reference TEXT NOT NULL, authorization TEXT NOT NULL, state TEXT NOT NULL, day TEXT NOT NULL,
    original_batch TEXT NOT NULL DEFAULT '', original_trace TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (terminal, batch, trace));
CREATE TABLE IF NOT EXISTS notice (trace TEXT, original TEXT, results TEXT);
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


@dataclass(frozen=True)
class BookedAct:
    """``state``: booked, reversed, voided, refunded, or never (reversed before it came, and kept out since)."""

    terminal: str
    batch: str
    trace: str
    kind: str  # purchase | void | refund
    pan: str
    amount_fen: int
    reference: str
    authorization: str
    state: str
    day: str
    original_batch: str = ""
    original_trace: str = ""


class BankBooks:
    def __init__(self, directory: Path, accounts: list[BankAccount]) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.sql = sqlite3.connect(directory / "bank.sqlite", check_same_thread=False, isolation_level=None)
        self.sql.executescript(f"BEGIN; {_SCHEMA}")
        self.sql.executemany(
            "INSERT OR IGNORE INTO account (pan, balance_fen, pin_tries) VALUES (?, ?, ?)",
            [(one.pan, one.balance_fen, one.pin_tries) for one in accounts],
        )
        self.sql.execute("COMMIT")

    def close(self) -> None:
        self.sql.close()

    def value(self, name: str, default: str = "") -> str:
        row = self.sql.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else default

    def keep(self, name: str, value: str) -> None:
        self.sql.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, value))

    def balance_fen(self, pan: str) -> int:
        return int(self.sql.execute("SELECT balance_fen FROM account WHERE pan = ?", (pan,)).fetchone()[0])

    def spent_fen(self, pan: str, day: str) -> int:
        row = self.sql.execute("SELECT spent_fen FROM account WHERE pan = ? AND day = ?", (pan, day)).fetchone()
        return int(row[0]) if row else 0

    def move(self, pan: str, amount_fen: int, day: str) -> None:
        """Take ``amount_fen`` out of the account (negative: put back); counts towards the day's limit."""
        spent = max(0, self.spent_fen(pan, day) + amount_fen)
        self.sql.execute(
            "UPDATE account SET balance_fen = balance_fen - ?, day = ?, spent_fen = ? WHERE pan = ?",
            (amount_fen, day, spent, pan),
        )

    def pin_tries(self, pan: str) -> int:
        return int(self.sql.execute("SELECT pin_tries FROM account WHERE pan = ?", (pan,)).fetchone()[0])

    def set_pin_tries(self, pan: str, tries: int) -> None:
        self.sql.execute("UPDATE account SET pin_tries = ? WHERE pan = ?", (tries, pan))

    def take_atc(self, pan: str, atc: int) -> bool:
        """Whether this counter is newer than all before: a cryptogram is good once."""
        changed = self.sql.execute("UPDATE account SET last_atc = ? WHERE pan = ? AND last_atc < ?", (atc, pan, atc))
        return changed.rowcount == 1

    def act(self, terminal: str, batch: str, trace: str) -> BookedAct | None:
        row = self.sql.execute(
            "SELECT * FROM act WHERE terminal = ? AND batch = ? AND trace = ?", (terminal, batch, trace)
        ).fetchone()
        return BookedAct(*row) if row else None

    def acts(self, pan: str) -> list[BookedAct]:
        """Everything that was ever booked for this card, in the order of trace numbers."""
        rows = self.sql.execute("SELECT * FROM act WHERE pan = ? ORDER BY batch, trace", (pan,))
        return [BookedAct(*row) for row in rows]

    def add(self, act: BookedAct) -> None:
        row = tuple(act.__dict__.values())
        self.sql.execute(f"INSERT INTO act VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608 - only marks

    def set_state(self, act: BookedAct, state: str) -> None:
        self.sql.execute(
            "UPDATE act SET state = ? WHERE terminal = ? AND batch = ? AND trace = ?",
            (state, act.terminal, act.batch, act.trace),
        )

    def note(self, trace: str, original: str, results: str) -> None:
        self.sql.execute("INSERT INTO notice VALUES (?, ?, ?)", (trace, original, results))

    def notices(self) -> list[tuple[str, str, str]]:
        return [(str(a), str(b), str(c)) for a, b, c in self.sql.execute("SELECT * FROM notice ORDER BY trace")]

    def settlement_detail(self, day: str) -> str:
        return settlement_file(self.sql, day)


def settlement_file(sql: sqlite3.Connection, day: str) -> str:
    """The day's file for reconciliation: a head line, then one line an act, fields between bars. INVENTED.

    ``terminal|batch|trace|kind|card (first six, last four)|fen|reference|authorization|state``
    """
    rows = sql.execute("SELECT * FROM act WHERE day = ? ORDER BY batch, trace", (day,)).fetchall()
    acts = [BookedAct(*row) for row in rows]
    lines = [
        f"{one.terminal}|{one.batch}|{one.trace}|{one.kind}|{one.pan[:6]}{one.pan[-4:]}|{one.amount_fen}|"
        f"{one.reference}|{one.authorization}|{one.state}"
        for one in acts
        if one.state != "never"
    ]
    return "\n".join([f"TEST BANK|{day}|{len(lines)}", *lines]) + "\n"
