"""Records of receipts at hospital and agency: client and sandbox with the published documents between them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.domain.money import Fen
from kiosk.domain.receipt import ReceiptRecord
from kiosk.hosts.hospital.receipts.client import ReceiptRecordsClient
from kiosk.ports import HostRefused
from simulators.hosts import open_host
from simulators.pki import Pki
from tests.hosts.medical import DEMO, NOON, card_of
from tests.hosts.memory import DocumentedLink

CARD, _ = card_of(DEMO, "wang_xiulan")
RECORD = ReceiptRecord(
    "T0000001", "451207", 71, "bill", "S000000000001", "2026-11-22T10:24:00.123+08:00", "2026-11-22T10:24:31+08:00",
    True, Fen(100), Fen(200), Fen(300),
)  # fmt: skip


@pytest.fixture(params=["hospital", "social_insurance"])
def host(request: pytest.FixtureRequest, tmp_path: Path, pki: Pki, fonts: Path) -> Iterator[DocumentedLink]:
    (tmp_path / "fonts").symlink_to(fonts)
    sandbox = open_host(request.param, DEMO, tmp_path, pki, clock=lambda: NOON)
    yield DocumentedLink(sandbox)
    sandbox.close()


async def test_one_key_is_one_record(host: DocumentedLink) -> None:
    """Kept once however often it is told, whole and under its card; another content under the key is refused."""
    client, desk = ReceiptRecordsClient("a host", host), host._sandbox.records  # type: ignore[attr-defined]  # of both
    for _ in range(2):
        await client.keep_record(CARD, RECORD, "record-1")
    await client.keep_record(CARD, replace(RECORD, paper=72), "record-2")
    with pytest.raises(HostRefused, match="key_reused"):
        await client.keep_record(CARD, replace(RECORD, owed_fen=Fen(1)), "record-1")
    first, second = desk.of_card(CARD.card_number)
    assert (first.paper, second.paper) == (71, 72)
    assert first.printed_at.isoformat() == RECORD.printed_at
    told = (first.reference, first.reprint, first.paid_out_fen, first.owed_fen, first.held_fen)
    assert told == ("S000000000001", True, 100, 200, 300)
    assert desk.of_card("ZZZZZZZZZ") == []
    assert set(host.operations) == {"keepReceiptRecord"}
