"""The hotlist: what the agency made, the terminal finds; what nobody signed, nobody reads."""

import json
import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from offline_queue.hotlist import MANIFEST, OVERLAY, Hotlist, HotlistUnusable, body_name, install_hotlist
from simulators.hosts.agency_documents import DocumentMaker
from simulators.hosts.hotlist import HotlistMaker

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
SIGNING = Ed25519PrivateKey.from_private_bytes(b"TEST hotlist signing, no secret.")
AGENCY = HotlistMaker(DocumentMaker(SIGNING, "agency-1"), b"TEST hotlist hashing, no secret.")
KEYS = {"agency-1": SIGNING.public_key()}


def published(folder: Path, cards: list[str], version: int = 7) -> None:
    manifest, body = AGENCY.full((AGENCY.hashed(card) for card in cards), version, NOW)
    install_hotlist(folder, manifest, [body], KEYS, 0)


def opened(folder: Path, version_min: int = 0) -> Hotlist:
    return Hotlist(folder, KEYS, AGENCY.secret, version_min)


def cards(count: int) -> list[str]:
    return [f"T{number:08d}" for number in range(count)]


@pytest.mark.parametrize("count", [0, 1, 2, 100, 50_000])
def test_every_listed_card_is_found_and_no_other(tmp_path: Path, count: int) -> None:
    """No card of the list is missed, whatever its length; a thousand others are not taken for listed ones."""
    published(tmp_path, cards(count))
    hotlist = opened(tmp_path)
    assert hotlist.count == count
    assert all(hotlist.listed(card) for card in cards(count)[:: max(1, count // 2000)])
    assert not any(hotlist.listed(f"N{number:08d}") for number in range(1000))
    hotlist.close()


@given(st.lists(st.binary(min_size=6, max_size=6), max_size=60), st.booleans())
@settings(max_examples=60, deadline=None)
def test_hashes_that_lie_unevenly_are_found_too(
    tmp_path_factory: pytest.TempPathFactory, odd: list[bytes], low: bool
) -> None:
    """Thousands of hashes crowded at one end lead every guess astray, and still nothing is missed."""
    folder = tmp_path_factory.mktemp("hotlist")
    crowd = [(number if low else (1 << 48) - 1 - number).to_bytes(6, "big") for number in range(20_000)]
    listed = [AGENCY.hashed("T1"), *crowd, *odd]
    manifest, body = AGENCY.full(listed, 1, NOW)
    install_hotlist(folder, manifest, [body], KEYS, 0)
    hotlist = opened(folder)
    assert hotlist.listed("T1")
    assert all(hotlist._in_body(int.from_bytes(one, "big")) for one in [*odd, *crowd[::997]])
    hotlist.close()


def test_changes_overlay_the_body(tmp_path: Path) -> None:
    """A card lost since the body was made is listed, a card found again is not, and the newer date counts."""
    published(tmp_path, cards(100))
    later = NOW + timedelta(hours=20)
    (tmp_path / OVERLAY).write_bytes(AGENCY.changes(7, 9, later, ["T00000777"], ["T00000003"]))
    hotlist = opened(tmp_path)
    assert hotlist.listed("T00000777")
    assert not hotlist.listed("T00000003")
    assert hotlist.listed("T00000004")
    assert (hotlist.version, hotlist.issued_at) == (9, later)


def test_changes_to_another_body_change_nothing(tmp_path: Path) -> None:
    """An overlay is made for one body; beside a newer body it is passed over."""
    published(tmp_path, cards(100), version=8)
    (tmp_path / OVERLAY).write_bytes(AGENCY.changes(7, 9, NOW, [], ["T00000003"]))
    assert opened(tmp_path).listed("T00000003")


def test_an_old_list_is_not_fresh(tmp_path: Path) -> None:
    """A day by default; and never after the agency's own limit, however patient the region is."""
    published(tmp_path, cards(3))
    hotlist = opened(tmp_path)
    day = timedelta(hours=24)
    assert hotlist.fresh(NOW + day, day)
    assert not hotlist.fresh(NOW + day + timedelta(seconds=1), day)
    assert not hotlist.fresh(NOW + timedelta(days=8), timedelta(days=30))


def test_an_older_list_is_refused(tmp_path: Path) -> None:
    """Nobody brings back a list in which a card was not yet lost, neither by a message nor by a file."""
    published(tmp_path, cards(3), version=7)
    manifest, body = AGENCY.full([], 6, NOW)
    with pytest.raises(HotlistUnusable, match="older"):
        install_hotlist(tmp_path, manifest, [body], KEYS, version_min=7)
    with pytest.raises(HotlistUnusable, match="older"):
        opened(tmp_path, version_min=8)
    assert opened(tmp_path, version_min=7).listed("T00000001")


def test_a_body_altered_on_the_way_leaves_the_old_list(tmp_path: Path) -> None:
    """One wrong bit, also under the version that is installed: refused, and the list that was there still serves."""
    published(tmp_path, cards(100))
    for version in (7, 8):
        manifest, body = AGENCY.full((AGENCY.hashed(card) for card in cards(50)), version, NOW)
        altered = bytes([body[0] ^ 1]) + body[1:]
        with pytest.raises(HotlistUnusable, match="not the one"):
            install_hotlist(tmp_path, manifest, [altered], KEYS, 0)
        assert opened(tmp_path).count == 100
    assert sorted(path.name for path in tmp_path.iterdir()) == [body_name(7), MANIFEST]


@pytest.mark.parametrize("name", [MANIFEST, OVERLAY, body_name(7)])
def test_files_that_were_altered_or_cut_are_refused(tmp_path: Path, name: str) -> None:
    """Any of the three files, with any one byte changed or cut short: no hotlist at all rather than a wrong one."""
    published(tmp_path, cards(40))
    (tmp_path / OVERLAY).write_bytes(AGENCY.changes(7, 9, NOW, ["T9"], []))
    whole = (tmp_path / name).read_bytes()
    chance = random.Random(name)
    for _ in range(40):
        place = chance.randrange(len(whole))
        altered = whole[:place] + bytes([whole[place] ^ (1 << chance.randrange(8))]) + whole[place + 1 :]
        (tmp_path / name).write_bytes(altered)
        assert _refused_or_the_same(tmp_path, whole, altered)
        (tmp_path / name).write_bytes(whole[:place])
        with pytest.raises(HotlistUnusable):
            opened(tmp_path)
    (tmp_path / name).write_bytes(whole)
    assert opened(tmp_path).listed("T9")


def _refused_or_the_same(folder: Path, whole: bytes, altered: bytes) -> bool:
    """JSON may say the same in other bytes; whatever is not the same must be refused."""
    try:
        opened(folder).close()
    except HotlistUnusable:
        return True
    return bool(json.loads(whole)["document"] == json.loads(altered)["document"])


@pytest.mark.parametrize(
    "wire", [b"", b"[]", b"{", b'{"document": 1}', b'{"document": {"kind": "hotlist"}}', b"[" * 9999]
)
def test_noise_is_no_manifest(tmp_path: Path, wire: bytes) -> None:
    """Whatever lies there instead of a manifest ends in one clear error."""
    (tmp_path / MANIFEST).write_bytes(wire)
    with pytest.raises(HotlistUnusable):
        opened(tmp_path)


def test_a_list_of_another_signer_is_refused(tmp_path: Path) -> None:
    """A key that the terminal was not given signs nothing, under any name."""
    stranger = Ed25519PrivateKey.generate()
    for name in ("agency-1", "agency-2"):
        maker = HotlistMaker(DocumentMaker(stranger, name), AGENCY.secret)
        manifest, body = maker.full([], 7, NOW)
        with pytest.raises(HotlistUnusable, match="sign"):
            install_hotlist(tmp_path, manifest, [body], KEYS, 0)


def test_a_new_list_leaves_no_old_body(tmp_path: Path) -> None:
    """After the new one stands the old one is gone, so that a year of lists fills no disk."""
    for version in (1, 2, 3):
        published(tmp_path, cards(version), version)
    assert sorted(path.name for path in tmp_path.iterdir()) == [body_name(3), MANIFEST]
    assert opened(tmp_path).count == 3


def test_the_key_must_be_a_key(tmp_path: Path) -> None:
    """A key of another length would miss every card: refused at once."""
    published(tmp_path, cards(3))
    with pytest.raises(HotlistUnusable, match="32 bytes"):
        Hotlist(tmp_path, KEYS, os.urandom(16))
