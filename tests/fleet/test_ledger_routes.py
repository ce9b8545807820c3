"""The ledger's interface: the published document judges the fleet as it judges the sandbox."""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import peewee
import pytest
import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kiosk.agent.agent import ASK_BYTES_MAX
from kiosk.basics.control import agent_path, serve_control
from kiosk.basics.signed import NotTrusted
from kiosk.hosts.agency.ledger import LedgerClient
from kiosk.hosts.agency.ledger_by_agent import LedgerByAgent
from kiosk.money.copy_to_ledger import copy_rows
from kiosk.ports import HostRefused, OutcomeUnknown
from offline_queue.acknowledgement import Acknowledged, read_acknowledgement
from provisioning.fleet.app import make_app
from provisioning.fleet.schema.audit import AuditRow
from provisioning.fleet.schema.ledger import KeptRow
from provisioning.fleet.settings import FleetSettings
from provisioning.fleet.web import Fleet
from provisioning.terminal.ledger_line import NOT_YET, LedgerLine
from simulators.hosts.sandbox import Ask, Reply
from tests.fleet.client import Client
from tests.fleet.conftest import CITY, OTHER
from tests.fleet.terminals import add_terminal, shown
from tests.fleet.test_ledger import TERMINAL, Village
from tests.hosts.memory import DocumentedLink


class FleetAsHost:
    """The fleet's application where tests of hosts have a sandbox. Its loop has a thread of its own."""

    name = "agency_ledger"

    def __init__(self, folder: Path, certificate: str, ledger_key: str = "") -> None:
        settings = FleetSettings(home=str(folder), public=str(folder), ledger_key=ledger_key)
        self._client = Client(make_app(Fleet(settings)), shown(certificate))
        self._thread = ThreadPoolExecutor(1)

    def answer(self, ask: Ask) -> Reply:
        headers = {**ask.headers, **({"Idempotency-Key": ask.key} if ask.key else {})}
        told = self._thread.submit(self._client.ask, ask.method, ask.path, headers, body=ask.body).result()
        return Reply(told.status, told.body, told.headers["content-type"])


@pytest.fixture
def village(tmp_path: Path, database: peewee.Database) -> Iterator[Village]:
    add_terminal(TERMINAL, CITY, "0A")
    add_terminal("T0000009", OTHER, "0B")
    made = Village(tmp_path / "terminal")
    yield made
    made.journal.close()


@pytest.fixture
def short() -> Iterator[Path]:
    """As UNIX sockets want their folder."""
    with tempfile.TemporaryDirectory(prefix="yka") as made:
        yield Path(made) / "r"


def link(folder: Path, certificate: str = "0A") -> DocumentedLink:
    return DocumentedLink(FleetAsHost(folder, certificate))  # type: ignore[arg-type]  # all that it asks of a sandbox


async def test_the_forwarder_copies_its_journal(village: Village, tmp_path: Path) -> None:
    """The product's own client and copier, over the product's own server: every row, once."""
    village.live(70)
    client = LedgerClient(link(tmp_path), TERMINAL)
    assert await copy_rows(village.copies, client) == 70
    assert await copy_rows(village.copies, client) == 70
    assert KeptRow.select().count() == 70


async def test_another_board_is_refused_by_its_documented_code(village: Village, tmp_path: Path) -> None:
    """The terminal reads why its rows wait, and says it to staff."""
    village.live(1)
    await copy_rows(village.copies, LedgerClient(link(tmp_path), TERMINAL))
    second = Village(tmp_path / "second")
    second.live(2)
    with pytest.raises(HostRefused) as refused:
        await LedgerClient(link(tmp_path), TERMINAL).keep(second.batch())
    assert refused.value.code == "board_not_registered"
    second.journal.close()


async def agent(run_dir: Path, ledger: LedgerLine | None, nursery: trio.Nursery) -> LedgerByAgent:
    """The forwarder's side of an agent's socket; ``ledger`` None: that agent has no certificate yet."""

    async def not_yet(batch: str = "") -> dict[str, object]:
        return NOT_YET

    agent_path(str(run_dir)).parent.mkdir(parents=True)
    kept, rows = (ledger.kept, ledger.rows) if ledger else (not_yet, not_yet)
    words = {"ledger_kept": kept, "ledger_word": ledger.word if ledger else not_yet}, {"ledger_rows": rows}
    await nursery.start(serve_control, agent_path(str(run_dir)), *words, ASK_BYTES_MAX)
    return LedgerByAgent(str(run_dir))


async def test_the_journal_goes_over_the_agents_line(village: Village, tmp_path: Path, short: Path) -> None:
    """The forwarder has no certificate of the fleet's; by way of the agent every row is there once all the same, also
    fifty as large as the ledger takes them, and another board's refusal comes back by its name."""
    village.live(120)
    ledger = LedgerLine(link(tmp_path), TERMINAL)
    async with trio.open_nursery() as nursery:
        client = await agent(short, ledger, nursery)
        assert await copy_rows(village.copies, client) == 120
        assert await copy_rows(village.copies, client) == 120
        assert KeptRow.select().count() == 120
        second = Village(tmp_path / "second")
        second.live(2)
        with pytest.raises(HostRefused) as refused:
            await client.keep(second.batch())
        assert refused.value.code == "board_not_registered"
        second.journal.close()
        nursery.cancel_scope.cancel()


async def test_an_agent_without_a_line_is_no_word_about_rows(short: Path) -> None:
    """Before the terminal is enrolled the forwarder hears when to ask again; where no agent is, nothing is known."""
    async with trio.open_nursery() as nursery:
        client = await agent(short, None, nursery)
        with pytest.raises(OutcomeUnknown) as silence:
            await client.kept_up_to()
        assert silence.value.retry_after_s == NOT_YET["retry_after_s"]
        nursery.cancel_scope.cancel()
    with pytest.raises(OutcomeUnknown):
        await client.kept_up_to()


def test_another_terminals_ledger_is_refused_and_recorded(village: Village, tmp_path: Path) -> None:
    """A certificate of another terminal neither reads nor adds; both cities' trails say who tried."""
    host = FleetAsHost(tmp_path, "0B")
    paths = [("GET", "kept"), ("GET", "acknowledgement"), ("POST", "rows")]
    for method, path in paths:
        assert host.answer(Ask(method, f"/v1/terminals/{TERMINAL}/{path}", b"{}")).status == 404
    assert AuditRow.select().where(AuditRow.tenant == OTHER).count() == len(paths)


async def test_the_ledger_signs_what_it_keeps(village: Village, tmp_path: Path, short: Path) -> None:
    """By its own key, for a quarter of an hour, on the city's trail; without rows or without a key it signs nothing."""
    key = Ed25519PrivateKey.generate()
    file = tmp_path / "ledger.key"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    signing = FleetAsHost(tmp_path, "0A", f"ledger={file}")
    client = LedgerClient(DocumentedLink(signing), TERMINAL)  # type: ignore[arg-type]
    for one in (client, LedgerClient(link(tmp_path), TERMINAL)):
        with pytest.raises(HostRefused, match="no_word"):
            await one.word()
    village.live(3)
    await copy_rows(village.copies, client)
    wire, now = await client.word(), datetime.now(UTC)
    keys = {"ledger": key.public_key()}
    assert read_acknowledgement(wire, keys, TERMINAL, village.copies, now) == Acknowledged(3, 0)
    with pytest.raises(NotTrusted, match="another day"):
        read_acknowledgement(wire, keys, TERMINAL, village.copies, now + timedelta(minutes=16))
    async with trio.open_nursery() as nursery:
        by_agent = await agent(short, LedgerLine(DocumentedLink(signing), TERMINAL), nursery)  # type: ignore[arg-type]
        again = await by_agent.word()
        nursery.cancel_scope.cancel()
    assert read_acknowledgement(again, keys, TERMINAL, village.copies, now) == Acknowledged(3, 0)
    told = [row for row in AuditRow.select().where(AuditRow.tenant == CITY) if row.act == "journal_vouched_for"]
    assert [row.subject for row in told] == [TERMINAL, TERMINAL]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"[" * 100_000, b'{"rows": [], "head": {}, "periods": []}'])
def test_a_malformed_question_is_refused(village: Village, tmp_path: Path, body: bytes) -> None:
    """With a problem document; nothing is kept."""
    reply = FleetAsHost(tmp_path, "0A").answer(Ask("POST", f"/v1/terminals/{TERMINAL}/rows", body))
    assert (reply.status, reply.content_type) == (400, "application/problem+json")
    assert KeptRow.select().count() == 0


def test_an_endless_body_is_refused(village: Village, tmp_path: Path) -> None:
    """It is not read beyond its bound."""
    reply = FleetAsHost(tmp_path, "0A").answer(Ask("POST", f"/v1/terminals/{TERMINAL}/rows", b" " * (5 << 20)))
    assert reply.status == 413
