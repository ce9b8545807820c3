"""Sandbox of the agency's ledger: keeps every terminal's chain. ``docs/hosts/agency_ledger.yaml``. INVENTED."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from simulators.hosts.agency_documents import DocumentMaker
from simulators.hosts.journal_bundle import BundleRefused, Link, Period, Row, Seq, read_bundle
from simulators.hosts.ledger_books import SCHEMA, LedgerBooks, Results, UnknownBoard
from simulators.hosts.sandbox import Ask, Part, Refusal, Reply, Route, Sandbox, json_reply, question
from simulators.hosts.sandbox import route as to
from simulators.hosts.weather import Weather
from simulators.worlds.world import World

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
    """``kept`` is what it keeps; a command of the agency may use it beside the line."""

    name = "agency_ledger"
    schema = SCHEMA

    def __init__(
        self, world: World, directory: Path, weather: Weather, clock: Callable[[], datetime] | None = None
    ) -> None:
        super().__init__(world, directory, weather, clock)
        self.kept = LedgerBooks(self.books)
        self.maker: DocumentMaker | None = None  # signs what is kept for who asks over the line

    def routes(self) -> list[Route]:
        return [
            to("GET", f"{TERMINAL}/kept", self._kept),
            to("GET", f"{TERMINAL}/acknowledgement", self._word),
            to("POST", f"{TERMINAL}/rows", self._keep),
        ]

    def alerts(self, terminal: str) -> list[tuple[int, str]]:
        """What a person at the agency must look at: row and reason."""
        return self.kept.alerts(terminal)

    def kept_up_to(self, terminal: str) -> tuple[int, str]:
        """The newest row of the unbroken chain of the board in service, and its link."""
        return self.kept.kept_up_to(terminal)

    def import_bundle(self, content: bytes, custodians: RSAPrivateKey) -> tuple[str, Results]:
        """Rows from a stick, as if they had come by the line: booked once, however often. Whose they are, and what
        became of each.

        Raises:
            BundleRefused: altered, of a stranger, or not for this agency; nothing was kept.
        """
        bundle = read_bundle(content, custodians)
        results = self.import_rows(bundle.terminal, bundle.public_key, bundle.rows, bundle.periods)
        return bundle.terminal, results

    def import_rows(self, terminal: str, public_key: str, rows: list[Row], periods: dict[str, str]) -> Results:
        """Rows whose signature by ``public_key`` was checked, up to the first that cannot be kept.

        Raises BundleRefused: of another board.
        """
        try:
            chain = self.kept.chain_of(terminal, public_key)
        except UnknownBoard:
            self.kept.alert(terminal, rows[-1].seq, "bundle of another board")
            raise BundleRefused("of another board than the terminal's; has it been replaced?") from None
        return self.kept.keep(chain, rows, periods)

    def acknowledgement(self, terminal: str, maker: DocumentMaker) -> bytes:
        """The agency's word for what it keeps, for the terminal to verify."""
        seq, link = self.kept_up_to(terminal)
        facts = {"terminal": terminal, "kept_up_to": seq, "link": link}
        return maker.signed("journal_kept", seq, self.clock(), facts)

    def _kept(self, ask: Ask, terminal: str) -> Reply:
        seq, link = self.kept_up_to(terminal)
        return json_reply({"kept_up_to": seq, "link": link})

    def _word(self, ask: Ask, terminal: str) -> Reply:
        if self.maker is None or not self.kept_up_to(terminal)[0]:
            raise Refusal(404, "no_word", "账本没有签名的确认")
        return json_reply(json.loads(self.acknowledgement(terminal, self.maker)))

    def _keep(self, ask: Ask, terminal: str) -> Reply:
        told = question(ask, _Rows)
        chain = self._signed_chain(terminal, told)
        results = self.kept.keep(chain, told.rows, {one.period: one.wrapped for one in told.periods})
        return json_reply({"kept_up_to": self.kept_up_to(chain)[0], "results": results})

    def _signed_chain(self, terminal: str, told: _Rows) -> str:
        head, last = told.head, told.rows[-1]
        if not head.holds() or (head.seq, head.link) != (last.seq, last.link):
            self.kept.alert(terminal, head.seq, "head not signed by this terminal")
            raise Refusal(403, "head_not_signed", "链头签名无效")
        try:
            chain = self.kept.chain_of(terminal, head.public_key)
        except UnknownBoard:
            self.kept.alert(terminal, head.seq, "another board asks to be this terminal")
            raise Refusal(403, "board_not_registered", "终端主板未登记") from None
        if chain != terminal:
            self.kept.alert(terminal, head.seq, "a replaced board is at work")
            raise Refusal(403, "board_replaced", "终端主板已更换")
        return chain
