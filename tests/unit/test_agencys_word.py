"""Over the line as by stick: a journal may go only by a signed word for its own last row (money-rules 28)."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from kiosk.basics.clock import SystemClock
from kiosk.basics.signed import Signer
from kiosk.forwarder.agencys_word import AgencysWord
from kiosk.hosts.agency.ledger import LedgerClient
from kiosk.money.copy_to_ledger import copy_rows
from kiosk.records.evidence import read_status
from offline_queue.copies import open_copies
from simulators.hosts.agency_documents import DocumentMaker
from simulators.hosts.sandbox import Ask, Reply, json_reply
from simulators.pki import Pki, make_pki
from tests.hosts.memory import DocumentedLink
from tests.unit.test_evidence import TERMINAL, Village


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def village(tmp_path: Path, pki: Pki) -> Iterator[Village]:
    made = Village(tmp_path, pki)
    made.live(5)
    yield made
    made.journal.close()
    made.ledger.close()


class Asking:
    """The forwarder's part, with what it wrote into its log; the published document judges every answer."""

    def __init__(self, village: Village, sandbox: Any = None) -> None:
        self.lines: list[dict[str, Any]] = []
        self.client = LedgerClient(DocumentedLink(sandbox or village.ledger), TERMINAL)
        self.word = AgencysWord(village.settings, self.client, SystemClock(), self._log)

    def _log(self, event: str, **fields: Any) -> None:
        self.lines.append({"event": event, **fields})


def agency(pki: Pki) -> Ed25519PrivateKey:
    key = load_pem_private_key(pki.key("documents").read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey)
    return key


async def test_the_ledgers_word_lets_the_journal_go_and_not_a_row_later(village: Village, pki: Pki) -> None:
    """Asked over the line, judged by the journal's own chain, kept beside it for whoever destroys it."""
    village.ledger.maker = DocumentMaker(agency(pki), "agency")
    asking = Asking(village)
    assert await asking.word.ask() == {"refused": "the ledger refuses its word: no_word"}, "nothing is kept yet"
    with closing(open_copies(village.folder / "data")) as copies:
        await copy_rows(copies, asking.client)
    assert await asking.word.ask() == {"kept_up_to": 5, "newer": 0}
    assert read_status(village.settings).may_be_destroyed
    village.live(2)
    assert await asking.word.ask() == {"kept_up_to": 5, "newer": 2}, "an older head says how many it lacks"
    assert not read_status(village.settings).may_be_destroyed
    assert [(one["seq"], one["why"]) for one in asking.lines] == [
        (0, "the ledger refuses its word: no_word"),
        (5, ""),
        (5, ""),
    ]


class Forger:
    """A server that answers with a document that somebody made, in place of the ledger."""

    name = "agency_ledger"

    def __init__(self, wire: bytes) -> None:
        self._wire = wire

    def answer(self, ask: Ask) -> Reply:
        return json_reply(json.loads(self._wire))


Facts = dict[str, Any]
ANOTHER_LINK, ZERO_LINK = "ab" * 32, "00" * 32


def changed(wire: bytes) -> bytes:
    """Another row under the old signature."""
    told = json.loads(wire)
    told["document"]["kept_up_to"] = 4
    return json.dumps(told).encode()


@pytest.mark.parametrize(
    ("facts", "ends", "forge", "why"),
    [
        ({"terminal": "T0000002"}, 15, None, "for another terminal"),
        ({"kept_up_to": 6, "link": ZERO_LINK}, 15, None, "rows that this journal does not have"),
        ({"link": ANOTHER_LINK}, 15, None, "row 5 is another one here"),
        ({}, -15, None, "of another day"),
        ({}, 15, changed, "the signature does not hold"),
    ],
    ids=["foreign", "ahead", "of another board", "replayed on another day", "altered"],
)
async def test_a_word_that_is_not_for_this_journal_is_refused(
    village: Village, pki: Pki, facts: Facts, ends: int, forge: Callable[[bytes], bytes] | None, why: str
) -> None:
    """With its reason, in the answer and in the log; nothing is kept that would let anybody destroy it."""
    wire = made_word(village, Signer("agency", agency(pki)), facts, ends)
    asking = Asking(village, Forger(forge(wire) if forge else wire))
    told = await asking.word.ask()
    assert why in told["refused"]
    assert why in asking.lines[-1]["why"]
    assert not (village.folder / "data" / "acknowledged.json").exists()


@pytest.mark.parametrize("name", ["agency", "stranger"])
async def test_a_word_of_another_key_is_refused(village: Village, name: str) -> None:
    """Signed anew by whoever has the server, under the agency's name or under their own."""
    wire = made_word(village, Signer(name, Ed25519PrivateKey.generate()), {}, 15)
    told = await Asking(village, Forger(wire)).word.ask()
    assert told["refused"].endswith(("the signature does not hold", "signed by an unknown key"))
    assert not (village.folder / "data" / "acknowledged.json").exists()


async def test_the_ledgers_own_key_says_what_is_kept_and_nothing_else(village: Village, tmp_path: Path) -> None:
    """Named in the box's settings; a policy or a hotlist that it signed is nobody's."""
    from offline_queue.agency_keys import document_keys, ledger_keys
    from provisioning.fleet.city_key import public_pem

    key, file = Ed25519PrivateKey.generate(), tmp_path / "ledger.pem"
    file.write_bytes(public_pem(key.public_key()))
    keys = msgspec.structs.replace(village.settings.agency_keys, ledger={"ledger": str(file)})
    village.settings = msgspec.structs.replace(village.settings, agency_keys=keys)
    wire = made_word(village, Signer("ledger", key), {}, 15)
    assert await Asking(village, Forger(wire)).word.ask() == {"kept_up_to": 5, "newer": 0}
    assert "ledger" in ledger_keys(keys) and "ledger" not in document_keys(keys)


def made_word(village: Village, signer: Signer, facts: Facts, ends_min: int) -> bytes:
    with closing(open_copies(village.folder / "data")) as copies:
        link = copies.link_of(5).hex()
    now = datetime.now(UTC)
    issued, ends = now - timedelta(minutes=30), now + timedelta(minutes=ends_min)
    return signer.signed(
        "journal_kept", 5, issued, ends, {"terminal": TERMINAL, "kept_up_to": 5, "link": link, **facts}
    )
