"""What the agency keeps of terminals' journals: one chain for each board that a terminal has had, and rows on paper.

The chain of the board in service bears the terminal's name; a replaced board's bears ``TERMINAL/FINGERPRINT`` and still
takes rows, because the dead board's stick, card or receipts may turn up later.
"""

import sqlite3
from dataclasses import dataclass

import msgspec

from simulators.hosts.journal_bundle import Row
from simulators.hosts.row_code import Code, CodeRefused, PaperRow

NOTHING_BEFORE = "00" * 32
SCHEMA = """
    CREATE TABLE IF NOT EXISTS terminals (terminal TEXT PRIMARY KEY, public_key TEXT, head_seq INTEGER);
    CREATE TABLE IF NOT EXISTS rows (
        terminal TEXT, seq INTEGER, at TEXT, act TEXT, case_code TEXT, card_index TEXT, period TEXT, postings TEXT,
        sealed TEXT, link TEXT, PRIMARY KEY (terminal, seq));
    CREATE TABLE IF NOT EXISTS periods (terminal TEXT, period TEXT, wrapped TEXT, PRIMARY KEY (terminal, period));
    CREATE TABLE IF NOT EXISTS alerts (terminal TEXT, seq INTEGER, why TEXT, UNIQUE (terminal, seq, why));
    CREATE TABLE IF NOT EXISTS paper (terminal TEXT, seq INTEGER, link TEXT, code TEXT, PRIMARY KEY (terminal, seq));
    CREATE TABLE IF NOT EXISTS newcomers (terminal TEXT, public_key TEXT, UNIQUE (terminal, public_key));
    CREATE TABLE IF NOT EXISTS replacements (
        terminal TEXT, old_chain TEXT, old_head_seq INTEGER, new_public_key TEXT, at TEXT, by TEXT, approver TEXT);
"""
FINGERPRINT_DIGITS = 16


TAKEN = ("kept", "known")
# For each row that was looked at: its ``seq``, and kept, known, or why it cannot be kept.
Results = list[dict[str, object]]


class UnknownBoard(Exception):
    """No chain of this terminal is signed by this key. ``terminal_known``: another key's is."""


class NotReplaced(Exception):
    """The board in service stays; the message says why."""


@dataclass(frozen=True)
class LedgerBooks:
    """``books``: the sandbox's own connection, autocommit."""

    books: sqlite3.Connection

    def chain_of(self, terminal: str, public_key: str) -> str:
        """The chain that this key signs; enrols a terminal by the first key it ever shows.

        Raises:
            UnknownBoard: the terminal has another board; a person must say so, and until then nothing is kept.
        """
        chains = self._chains(terminal)
        if not chains:
            self.books.execute("INSERT INTO terminals VALUES (?, ?, 0)", (terminal, public_key))
            return terminal
        chain = next((name for name, key in chains if key == public_key), None)
        if chain is None:
            self.books.execute("INSERT OR IGNORE INTO newcomers VALUES (?, ?)", (terminal, public_key))
            raise UnknownBoard(terminal)
        return chain

    def replace_board(self, terminal: str, public_key: str, at: str, by: str, approver: str) -> str:
        """Two of the agency say that ``terminal`` has another board; the name that the old chain bears from now on.

        Raises:
            NotReplaced: one person alone, or no board with this key has shown itself.
        """
        if not by or not approver or by == approver:
            raise NotReplaced("two persons are needed")
        if public_key not in self.newcomers(terminal):
            raise NotReplaced("no such board has shown itself")
        ((old_key,),) = self.books.execute("SELECT public_key FROM terminals WHERE terminal = ?", (terminal,))
        old_chain, head = f"{terminal}/{old_key[:FINGERPRINT_DIGITS]}", self.kept_up_to(terminal)[0]
        self.books.execute("BEGIN")
        for table in ("terminals", "rows", "periods", "alerts", "paper"):
            self.books.execute(f"UPDATE {table} SET terminal = ? WHERE terminal = ?", (old_chain, terminal))  # noqa: S608 - constants
        self.books.execute("INSERT INTO terminals VALUES (?, ?, 0)", (terminal, public_key))
        self.books.execute("DELETE FROM newcomers WHERE terminal = ? AND public_key = ?", (terminal, public_key))
        told = (terminal, old_chain, head, public_key, at, by, approver)
        self.books.execute("INSERT INTO replacements VALUES (?, ?, ?, ?, ?, ?, ?)", told)
        self.books.execute("COMMIT")
        return old_chain

    def newcomers(self, terminal: str) -> list[str]:
        """Public keys of boards that spoke as this terminal and that nobody has registered."""
        found = self.books.execute("SELECT public_key FROM newcomers WHERE terminal = ? ORDER BY rowid", (terminal,))
        return [key for (key,) in found]

    def chains(self, terminal: str) -> list[str]:
        """The board in service first."""
        return [name for name, _ in self._chains(terminal)]

    def _chains(self, terminal: str) -> list[tuple[str, str]]:
        """Name and public key, the board in service first."""
        mine = "terminal = ? OR terminal LIKE ?"
        return self.books.execute(
            f"SELECT terminal, public_key FROM terminals WHERE {mine} ORDER BY length(terminal), rowid",  # noqa: S608 - a constant
            (terminal, f"{terminal}/%"),
        ).fetchall()

    def kept_up_to(self, chain: str) -> tuple[int, str]:
        """The newest row of the unbroken chain, and its link."""
        newest = self.books.execute(
            "SELECT seq, link FROM rows WHERE terminal = ? ORDER BY seq DESC LIMIT 1", (chain,)
        ).fetchone()
        return newest or (0, NOTHING_BEFORE)

    def keep(self, chain: str, rows: list[Row], periods: dict[str, str]) -> Results:
        """In order, up to the first that cannot be kept; one commit."""
        results: Results = []
        self.books.execute("BEGIN")
        for row in rows:
            result = self._keep_one(chain, row)
            results.append({"seq": row.seq, "result": result})
            if result not in TAKEN:
                self.alert(chain, row.seq, result)
                break
        self.books.executemany(
            "INSERT OR REPLACE INTO periods VALUES (?, ?, ?)", [(chain, name, key) for name, key in periods.items()]
        )
        self.books.execute("COMMIT")
        return results

    def _keep_one(self, chain: str, row: Row) -> str:
        newest, link = self.kept_up_to(chain)
        if row.seq <= newest:
            return "known" if self._link_of("rows", chain, row.seq) == row.link else "differs"
        if row.seq != newest + 1:
            return "gap"
        if not row.follows(link):
            return "broken"
        if self._link_of("paper", chain, row.seq) not in (None, row.link):
            return "differs"  # from what the terminal signed on a receipt
        self.books.execute(
            "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (chain, *msgspec.structs.astuple(row))
        )
        return "kept"

    def book_paper(self, text: str) -> tuple[str, PaperRow]:
        """A row from a receipt: ``booked``, or ``known`` where paper, line or stick brought it before.

        Raises:
            CodeRefused: read wrongly, not signed by any board of this terminal, or another row than the one kept.
        """
        code = Code(text)
        row, link = code.row, code.row.link.hex()
        chain = next((name for name, key in self._chains(row.terminal) if code.signed_by(key)), None)
        if chain is None:
            self.alert(row.terminal, row.seq, "receipt not signed by this terminal")
            raise CodeRefused("not signed by this terminal")
        kept = self._link_of("rows", chain, row.seq) or self._link_of("paper", chain, row.seq)
        if kept not in (None, link):
            self.alert(chain, row.seq, "differs on a receipt")
            raise CodeRefused(f"row {row.seq} is another one here")
        if kept:
            return "known", row
        self.books.execute("INSERT INTO paper VALUES (?, ?, ?, ?)", (chain, row.seq, link, text))
        return "booked", row

    def only_on_paper(self, chain: str) -> list[PaperRow]:
        """Rows that no line and no stick has brought yet, in order."""
        newest, _ = self.kept_up_to(chain)
        found = self.books.execute(
            "SELECT code FROM paper WHERE terminal = ? AND seq > ? ORDER BY seq", (chain, newest)
        )
        return [Code(text).row for (text,) in found]

    def rows(self, chain: str) -> list[Row]:
        found = self.books.execute("SELECT * FROM rows WHERE terminal = ? ORDER BY seq", (chain,)).fetchall()
        return [Row(**dict(zip(Row.__struct_fields__, stored[1:], strict=True))) for stored in found]

    def periods(self, chain: str) -> dict[str, str]:
        """Month -> its sealing key, wrapped to the agency, base64."""
        return dict(self.books.execute("SELECT period, wrapped FROM periods WHERE terminal = ?", (chain,)).fetchall())

    def alert(self, chain: str, seq: int, why: str) -> None:
        self.books.execute("INSERT OR IGNORE INTO alerts VALUES (?, ?, ?)", (chain, seq, why))

    def alerts(self, chain: str) -> list[tuple[int, str]]:
        found = self.books.execute("SELECT seq, why FROM alerts WHERE terminal = ? ORDER BY rowid", (chain,))
        return found.fetchall()

    def _link_of(self, table: str, chain: str, seq: int) -> str | None:
        found = self.books.execute(
            f"SELECT link FROM {table} WHERE terminal = ? AND seq = ?",  # noqa: S608 - a constant
            (chain, seq),
        ).fetchone()
        return str(found[0]) if found else None
