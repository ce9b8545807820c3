"""Receipts that wait at the hospital: client and sandbox with the published document between them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.domain.money import Fen
from kiosk.domain.settlement import HeldReceipt
from kiosk.hosts.hospital.client import HospitalClient
from kiosk.hosts.hospital.receipts import codec
from kiosk.hosts.shape import BadShape
from kiosk.ports import HostRefused
from simulators.hosts.hospital import HospitalSandbox
from simulators.hosts.weather import Weather
from tests.hosts.medical import DEMO, NOON, card_of
from tests.hosts.memory import DocumentedLink

CARD, _ = card_of(DEMO, "wang_xiulan")
OTHER, _ = card_of(DEMO, "zhao_min")
RECEIPT = HeldReceipt(
    "receipt-1", "T0000001", "451207", date(2026, 11, 22), "内科", "S000000000001",
    Fen(25_000), Fen(10_000), Fen(9_000), Fen(0), Fen(6_000), Fen(1_000),
)  # fmt: skip
AMOUNTS = st.integers(0, 10**12).map(Fen)


@pytest.fixture
def link(tmp_path: Path) -> Iterator[DocumentedLink]:
    sandbox = HospitalSandbox(DEMO, tmp_path, Weather(), lambda: NOON)
    yield DocumentedLink(sandbox)
    sandbox.close()


async def test_a_receipt_waits_until_it_is_taken(link: DocumentedLink) -> None:
    """Held once by its key however often it is told, shown to its card alone, and to nobody once it is taken."""
    hospital = HospitalClient(link, "T0000001")
    await hospital.hold_receipt(CARD, RECEIPT)
    await hospital.hold_receipt(CARD, RECEIPT)
    assert await hospital.held_receipts(CARD) == (RECEIPT,)
    assert await hospital.held_receipts(OTHER) == ()
    await hospital.take_receipt(RECEIPT.key, "take-1")
    await hospital.take_receipt(RECEIPT.key, "take-1")
    assert await hospital.held_receipts(CARD) == ()
    assert set(link.operations) == {"holdReceipt", "receiptsOfCard", "takeReceipt"}


async def test_what_is_taken_is_taken_by_one(link: DocumentedLink) -> None:
    """Another key is refused, a key with another content too, and so is a receipt that nobody registered."""
    hospital = HospitalClient(link, "T0000001")
    await hospital.hold_receipt(CARD, RECEIPT)
    await hospital.take_receipt(RECEIPT.key, "take-1")
    with pytest.raises(HostRefused, match="taken"):
        await hospital.take_receipt(RECEIPT.key, "take-2")
    with pytest.raises(HostRefused, match="key_reused"):
        await hospital.hold_receipt(CARD, replace(RECEIPT, cash_fen=Fen(1)))
    with pytest.raises(HostRefused, match="no_such_receipt"):
        await hospital.take_receipt("receipt-9", "take-9")


@given(amounts=st.tuples(*[AMOUNTS] * 6), day=st.dates(), department=st.text(max_size=120))
def test_a_receipt_travels_whole(amounts: tuple[Fen, ...], day: date, department: str) -> None:
    """What one terminal registers, another reads, to the fen."""
    receipt = HeldReceipt("receipt-1", "T1", "000001", day, department, "S1", *amounts)
    sent = codec.registration(CARD, receipt)
    assert codec.held_receipts({"receipts": [{"key": "receipt-1", "receipt": sent["receipt"]}]}) == (receipt,)


LEAVES = st.none() | st.booleans() | st.integers() | st.text()
NAMES = st.sampled_from(["receipts", "key", "receipt", "total_fen"])


@given(body=st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner), max_leaves=12))
def test_noise_is_no_receipt(body: object) -> None:
    """Whatever a hospital sends is receipts as documented, or has a bad shape."""
    try:
        found = codec.held_receipts(body)
    except BadShape:
        return
    assert all(isinstance(one, HeldReceipt) for one in found)
