"""Five million lost cards: how long a look-up takes, what the list needs on disk and in memory."""

import os
import random
import tempfile
import time
from array import array
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from offline_queue.hotlist import OVERLAY, Hotlist, install_hotlist
from simulators.bench import Measurement
from simulators.hosts.agency_documents import DocumentMaker
from simulators.hosts.hotlist import HASH_BYTES, HotlistMaker

CARDS = int(os.environ.get("HOTLIST_CARDS", "5000000"))
LISTED_TOO = 20_000  # real cards among the random hashes, to be found again
CHANGES = 10_000
LOOKUPS = 20_000
MIB = 1 << 20
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def run() -> Iterator[Measurement]:
    signing = Ed25519PrivateKey.generate()
    agency = HotlistMaker(DocumentMaker(signing, "agency"), os.urandom(32))
    keys = {"agency": signing.public_key()}
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        manifest, body = agency.full(_hashes(agency), 1, NOW)
        install_hotlist(here, manifest, [body], keys, 0)
        changed = [f"C{number:07d}" for number in range(CHANGES)]
        (here / OVERLAY).write_bytes(agency.changes(1, 2, NOW, changed[::2], changed[1::2]))
        yield Measurement(f"hotlist of {CARDS} cards on disk", _size(here) / 1e6, "MB", 40)
        began = time.perf_counter()
        hotlist = Hotlist(here, keys, agency.secret)
        how = "with the digest of the whole body"
        yield Measurement("hotlist opened", (time.perf_counter() - began) * 1e3, "ms", 500, how)
        yield from _looked_up(hotlist)
        yield Measurement("hotlist resident", _resident(here) / MIB, "MiB", 10, "mapped pages after the look-ups")
        hotlist.close()


def _hashes(agency: HotlistMaker) -> Iterator[bytes]:
    raw = os.urandom((CARDS - LISTED_TOO) * HASH_BYTES)
    yield from (raw[at : at + HASH_BYTES] for at in range(0, len(raw), HASH_BYTES))
    yield from (agency.hashed(f"T{number:07d}") for number in range(LISTED_TOO))


def _looked_up(hotlist: Hotlist) -> Iterator[Measurement]:
    """Half of the cards are listed. A miss among the listed ends the bench: it must never happen."""
    chance = random.Random(7)
    times = array("d")
    false_hits = 0
    for number in range(LOOKUPS):
        listed = number % 2 == 0
        card = f"T{chance.randrange(LISTED_TOO):07d}" if listed else f"N{number:07d}"
        began = time.perf_counter()
        found = hotlist.listed(card)
        times.append(time.perf_counter() - began)
        assert found or not listed, "a listed card was missed"
        false_hits += found and not listed
    cut = quantiles(times, n=100)
    yield Measurement("hotlist look-up p50", cut[49] * 1e6, "us", float("inf"))
    yield Measurement("hotlist look-up p99", cut[98] * 1e3, "ms", 1)
    yield Measurement("cards wrongly listed", false_hits, f"of {LOOKUPS // 2}", 0, "expected: one in 56 million")


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


def _resident(folder: Path) -> int:
    """Pages of files in this folder that this process has in memory, by its own map."""
    pages, ours = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split(" ", 1)[0]:
            ours = str(folder) in line
        elif ours and line.startswith("Rss:"):
            pages += int(line.split()[1]) * 1024
    return pages
