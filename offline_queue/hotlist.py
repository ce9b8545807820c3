"""Hotlist of lost and blocked cards: sorted keyed hashes in a memory-mapped file, and a small overlay of changes.

A hash is the first six bytes of HMAC-SHA-256 over the card number: with five million entries one card in 56 million is
taken for a listed one, so a hit says "ask staff" and never "lost card". A listed card is never missed, if the agency
removes no hash that another listed card shares. The key comes with provisioning; manifest and overlay are signed
documents (``kiosk/basics/signed.py``), the body is bound by its digest.
"""

import hashlib
import hmac
import mmap
import os
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.basics.signed import NotTrusted, Trusted, read_signed

HASH_BYTES = 6
SPACE = 1 << (8 * HASH_BYTES)
KEY_BYTES = 32
# Hashes lie evenly, so a guess misses by about sqrt(n) / 2 entries, 1,100 of five million: seven times that each way.
WINDOW = 8_192
CHANGES_MAX = 100_000
READ_BYTES = 1 << 20

MANIFEST, OVERLAY = "hotlist.json", "hotlist-changes.json"


class HotlistUnusable(Exception):
    """No hotlist that can be trusted now: nothing may be done offline with any card."""


class Hotlist:
    """Open for the life of the process; ``listed`` keeps no page of the file in memory.

    ``folder`` holds the manifest, the body that it names, and perhaps an overlay of changes to just this body.

    Raises at construction:
        HotlistUnusable: missing, wrongly signed, altered, or older than ``version_min``.
    """

    def __init__(self, folder: Path, keys: Mapping[str, Ed25519PublicKey], secret: bytes, version_min: int = 0) -> None:
        if len(secret) != KEY_BYTES:
            raise HotlistUnusable("the key has 32 bytes")
        self._secret = secret
        try:
            manifest = read_signed((folder / MANIFEST).read_bytes(), "hotlist", keys)
            self._body, self.count = _mapped(folder, manifest)
            self._added, self._removed, newest = _overlay(folder, keys, manifest)
        except (OSError, NotTrusted) as error:
            raise HotlistUnusable(str(error)) from error
        self.version, self.issued_at, self._expires_at = newest.version, newest.issued_at, newest.expires_at
        if self.version < version_min:
            raise HotlistUnusable(f"version {self.version} is older than {version_min}")

    def close(self) -> None:
        if self._body is not None:
            self._body.close()

    def fresh(self, now: datetime, age_max: timedelta) -> bool:
        """``now``: the journal's high-water time, so that a clock set back reopens nothing (money-rules 5)."""
        return now - self.issued_at <= age_max and now <= self._expires_at

    def listed(self, card_number: str) -> bool:
        """Whether the card may be lost or blocked: then a person must look."""
        wanted = card_hash(self._secret, card_number)
        if _holds(self._added, wanted):
            return True
        if _holds(self._removed, wanted):
            return False
        return self._in_body(wanted)

    def _in_body(self, wanted: int) -> bool:
        if self._body is None:
            return False
        guess = wanted * self.count // SPACE
        low, high = max(0, guess - WINDOW), min(self.count, guess + WINDOW)
        # Nothing promises that hashes lie evenly: where the guess is wrong the whole list is searched.
        if low > 0 and self._at(low) > wanted:
            low, high = 0, low
        elif high < self.count and self._at(high - 1) < wanted:
            low, high = high, self.count
        place = bisect_left(range(self.count), wanted, low, high, key=self._at)
        found = place < self.count and self._at(place) == wanted
        self._body.madvise(mmap.MADV_DONTNEED)  # the pages stay in the system's cache, not in ours
        return found

    def _at(self, place: int) -> int:
        assert self._body is not None
        return int.from_bytes(self._body[place * HASH_BYTES : (place + 1) * HASH_BYTES], "big")


def card_hash(secret: bytes, card_number: str) -> int:
    """What stands for a card: a number of 48 bits."""
    return int.from_bytes(hmac.digest(secret, card_number.encode(), "sha256")[:HASH_BYTES], "big")


def body_name(version: int) -> str:
    return f"hotlist-{version}.bin"


def _mapped(folder: Path, manifest: Trusted) -> tuple[mmap.mmap | None, int]:
    """The body, read once in whole for its digest. An empty list has nothing to map."""
    count, digest = manifest.content.get("count"), manifest.content.get("sha256")
    with (folder / body_name(manifest.version)).open("rb") as body:
        size = os.fstat(body.fileno()).st_size
        if not isinstance(count, int) or size != count * HASH_BYTES or _digest(body) != digest:
            raise NotTrusted("hotlist: the body is not the one that was signed")
        if not size:
            return None, 0
        mapped = mmap.mmap(body.fileno(), size, access=mmap.ACCESS_READ)
    mapped.madvise(mmap.MADV_RANDOM)
    return mapped, count


def _digest(body: Any) -> str:
    digest = hashlib.sha256()
    while part := body.read(READ_BYTES):
        digest.update(part)
    return digest.hexdigest()


def _overlay(
    folder: Path, keys: Mapping[str, Ed25519PublicKey], manifest: Trusted
) -> tuple["array[int]", "array[int]", Trusted]:
    """Changes since the body, and the newest of the two documents. Changes to another body are not ours."""
    try:
        wire = (folder / OVERLAY).read_bytes()
    except FileNotFoundError:
        return array("Q"), array("Q"), manifest
    changes = read_signed(wire, "hotlist_changes", keys)
    if changes.content.get("base_version") != manifest.version or changes.version < manifest.version:
        return array("Q"), array("Q"), manifest
    return _hashes(changes.content.get("added")), _hashes(changes.content.get("removed")), changes


def _hashes(told: Any) -> "array[int]":
    if not isinstance(told, list) or len(told) > CHANGES_MAX:
        raise NotTrusted("hotlist_changes: not a list of hashes")
    try:
        return array("Q", sorted(_hash(one) for one in told))
    except (TypeError, ValueError):
        raise NotTrusted("hotlist_changes: not a list of hashes") from None


def _hash(told: str) -> int:
    raw = bytes.fromhex(told)
    if len(raw) != HASH_BYTES:
        raise ValueError
    return int.from_bytes(raw, "big")


def _holds(hashes: "array[int]", wanted: int) -> bool:
    place = bisect_left(hashes, wanted)
    return place < len(hashes) and hashes[place] == wanted


def install_hotlist(
    folder: Path, manifest_wire: bytes, body: Iterable[bytes], keys: Mapping[str, Ed25519PublicKey], version_min: int
) -> None:
    """Put a new list in place of the old one: body first, manifest last, so that a power cut leaves one of the two.

    Raises:
        HotlistUnusable: not trusted, altered on the way, or older than ``version_min``; the old list stays.
        OSError: the disk refused; the old list stays.
    """
    try:
        manifest = read_signed(manifest_wire, "hotlist", keys, version_min)
    except NotTrusted as error:
        raise HotlistUnusable(str(error)) from error
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / body_name(manifest.version), body, str(manifest.content.get("sha256")))
    _write(folder / MANIFEST, (manifest_wire,), hashlib.sha256(manifest_wire).hexdigest())
    for old in folder.glob("hotlist-*.bin"):
        if old.name != body_name(manifest.version):
            old.unlink()


def _write(path: Path, parts: Iterable[bytes], sha256: str) -> None:
    """In whole or not at all, also when the power goes or the bytes are not the ones that were signed."""
    beside, digest = path.with_suffix(".new"), hashlib.sha256()
    with beside.open("wb") as file:
        for part in parts:
            digest.update(part)
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
    if digest.hexdigest() != sha256:
        beside.unlink()
        raise HotlistUnusable("hotlist: the body is not the one that was signed")
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
