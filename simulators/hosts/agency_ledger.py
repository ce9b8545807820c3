"""Sandbox of the agency's ledger: keeps every terminal's chain. ``docs/hosts/agency_ledger.yaml``. INVENTED."""

from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from simulators.hosts.agency_documents import DocumentMaker
from simulators.hosts.journal_bundle import BundleRefused, Link, Period, Row, Seq, read_bundle
from simulators.hosts.sandbox import Ask, Part, Refusal, Reply, Route, Sandbox, json_reply, question
from simulators.hosts.sandbox import route as to

NOTHING_BEFORE = "00" * 32
HEAD_TAG = b"yikatong journal head 1\0"
TERMINAL = r"/v1/terminals/([A-Za-z0-9]{4,16})"


class _Head(Part):
    seq: Seq
    link: Link
    signature: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{128}$")]
    public_key: Link

    def holds(self) -> bool:
        signed = HEAD_TAG + self.seq.to_bytes(8, "big") + bytes.fromhex(self.link)
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.public_key)).verify(
                bytes.fromhex(self.signature), signed
            )
        except (InvalidSignature, ValueError):
            return False
        return True


class _WrappedPeriod(Part):
    period: Period
    wrapped: str


class _Rows(Part):
    rows: Annotated[list[Row], msgspec.Meta(min_length=1, max_length=50)]
    head: _Head
    periods: Annotated[list[_WrappedPeriod], msgspec.Meta(max_length=600)]


class AgencyLedgerSandbox(Sandbox):
    name = "agency_ledger"
    schema = """
        CREATE TABLE IF NOT EXISTS terminals (terminal TEXT PRIMARY KEY, public_key TEXT, head_seq INTEGER);
        CREATE TABLE IF NOT EXISTS rows (
            terminal TEXT, seq INTEGER, at TEXT, act TEXT, case_code TEXT, card_index TEXT, period TEXT, postings TEXT,
            sealed TEXT, link TEXT, PRIMARY KEY (terminal, seq));
        CREATE TABLE IF NOT EXISTS periods (terminal TEXT, period TEXT, wrapped TEXT, PRIMARY KEY (terminal, period));
        CREATE TABLE IF NOT EXISTS alerts (terminal TEXT, seq INTEGER, why TEXT, UNIQUE (terminal, seq, why));
    """

    def routes(self) -> list[Route]:
        return [to("GET", f"{TERMINAL}/kept", self._kept), to("POST", f"{TERMINAL}/rows", self._keep)]

    def alerts(self, terminal: str) -> list[tuple[int, str]]:
        """What a person at the agency must look at: row and reason."""
        found = self.books.execute("SELECT seq, why FROM alerts WHERE terminal = ? ORDER BY rowid", (terminal,))
        return found.fetchall()

    def kept_up_to(self, terminal: str) -> tuple[int, str]:
        """The newest row of the unbroken chain, and its link."""
        newest = self.books.execute(
            "SELECT seq, link FROM rows WHERE terminal = ? ORDER BY seq DESC LIMIT 1", (terminal,)
        ).fetchone()
        return newest or (0, NOTHING_BEFORE)

    def import_bundle(self, content: bytes, custodians: RSAPrivateKey) -> str:
        """Rows from a stick, as if they had come by the line: booked once, however often. Whose they are.

        Raises:
            BundleRefused: altered, of a stranger, or not for this agency; nothing was kept.
        """
        bundle = read_bundle(content, custodians)
        known = self.books.execute("SELECT public_key FROM terminals WHERE terminal = ?", (bundle.terminal,)).fetchone()
        if known not in (None, (bundle.public_key,)):
            self._alert(bundle.terminal, bundle.rows[-1].seq, "bundle not signed by this terminal")
            raise BundleRefused("not signed by this terminal")
        self.books.execute("BEGIN")
        self.books.execute(
            "INSERT OR IGNORE INTO terminals VALUES (?, ?, ?)",
            (bundle.terminal, bundle.public_key, bundle.rows[-1].seq),
        )
        self._keep_each(bundle.terminal, bundle.rows)
        self.books.executemany(
            "INSERT OR REPLACE INTO periods VALUES (?, ?, ?)",
            [(bundle.terminal, period, wrapped) for period, wrapped in bundle.periods.items()],
        )
        self.books.execute("COMMIT")
        return bundle.terminal

    def acknowledgement(self, terminal: str, maker: DocumentMaker) -> bytes:
        """The agency's word for what it keeps, for the terminal to verify."""
        seq, link = self.kept_up_to(terminal)
        facts = {"terminal": terminal, "kept_up_to": seq, "link": link}
        return maker.signed("journal_kept", seq, self.clock(), facts)

    def _kept(self, ask: Ask, terminal: str) -> Reply:
        seq, link = self.kept_up_to(terminal)
        return json_reply({"kept_up_to": seq, "link": link})

    def _keep(self, ask: Ask, terminal: str) -> Reply:
        told = question(ask, _Rows)
        self._check_head(terminal, told)
        self.books.execute("BEGIN")
        results = self._keep_each(terminal, told.rows)
        self.books.executemany(
            "INSERT OR REPLACE INTO periods VALUES (?, ?, ?)",
            [(terminal, one.period, one.wrapped) for one in told.periods],
        )
        self.books.execute("COMMIT")
        return json_reply({"kept_up_to": self.kept_up_to(terminal)[0], "results": results})

    def _check_head(self, terminal: str, told: _Rows) -> None:
        head, last = told.head, told.rows[-1]
        known = self.books.execute("SELECT public_key FROM terminals WHERE terminal = ?", (terminal,)).fetchone()
        if (
            not head.holds()
            or (head.seq, head.link) != (last.seq, last.link)
            or known not in (None, (head.public_key,))
        ):
            self._alert(terminal, head.seq, "head not signed by this terminal")
            raise Refusal(403, "head_not_signed", "链头签名无效")
        self.books.execute("INSERT OR IGNORE INTO terminals VALUES (?, ?, ?)", (terminal, head.public_key, head.seq))

    def _keep_each(self, terminal: str, rows: list[Row]) -> list[dict[str, object]]:
        """In order, up to the first that cannot be kept."""
        results: list[dict[str, object]] = []
        for row in rows:
            result = self._keep_one(terminal, row)
            results.append({"seq": row.seq, "result": result})
            if result not in ("kept", "known"):
                self._alert(terminal, row.seq, result)
                break
        return results

    def _keep_one(self, terminal: str, row: Row) -> str:
        newest, link = self.kept_up_to(terminal)
        if row.seq <= newest:
            stored = self.books.execute(
                "SELECT link FROM rows WHERE terminal = ? AND seq = ?", (terminal, row.seq)
            ).fetchone()
            return "known" if stored == (row.link,) else "differs"
        if row.seq != newest + 1:
            return "gap"
        if not row.follows(link):
            return "broken"
        self.books.execute(
            "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (terminal, *msgspec.structs.astuple(row))
        )
        return "kept"

    def _alert(self, terminal: str, seq: int, why: str) -> None:
        self.books.execute("INSERT OR IGNORE INTO alerts VALUES (?, ?, ?)", (terminal, seq, why))
