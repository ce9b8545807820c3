"""Rows on a USB stick, where the line does not come back: signed by the terminal, readable by the agency alone.

A bundle is one line of JSON, ``{"document": {...}, "signature": hex}``, then the rows: JSON lines, gzip, AES-256-GCM
under a key that is wrapped to the agency's recovery key (RSA-OAEP, SHA-256). The signature (Ed25519, the journal's)
covers the canonical document, which holds the digest of what follows. Importing it twice, or beside the network, books
nothing twice: rows are kept by their number and link.
"""

import base64
import gzip
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kiosk.basics.signed import canonical
from kiosk.domain.ledger import LedgerBatch, LedgerHead, LedgerRow
from offline_queue.copies import JournalCopies
from offline_queue.sealing import wrap_for_agency

KIND = "journal_bundle"
SIGNED_TAG = b"yikatong journal bundle 1\0"
SUFFIX = ".bundle"
ROWS_MAX = 20_000
_BYTES_MAX = 64 << 20
_KEY_BYTES, _NONCE_BYTES = 32, 12
_KEY_DIGITS = 16
_HEAD_BYTES_MAX = 1 << 20


@dataclass(frozen=True)
class BundleWriter:
    """``terminal_id`` names the files, too."""

    copies: JournalCopies
    terminal_id: str
    recovery: RSAPublicKey

    def write(self, folder: Path, after: int = 0) -> list[Path]:
        """Every row after ``after``, in as many files as it takes; none where there is nothing.

        Raises:
            OSError: the stick is full or gone; a file that was not finished has another name.
        """
        return [self._write_one(folder, batch) for batch in self._batches(after)]

    def write_next(self, folder: Path, after: int) -> tuple[Path, LedgerHead] | None:
        """The file of the next rows after ``after``, and the head that they reach. Raises OSError."""
        batch = next(self._batches(after), None)
        return (self._write_one(folder, batch), batch.head) if batch else None

    def _batches(self, after: int) -> Iterator[LedgerBatch]:
        while (batch := self.copies.after(after, ROWS_MAX, _BYTES_MAX)) is not None:
            yield batch
            after = batch.head.seq

    def _write_one(self, folder: Path, batch: LedgerBatch) -> Path:
        key, nonce = os.urandom(_KEY_BYTES), os.urandom(_NONCE_BYTES)
        rows = gzip.compress("".join(_line(row) for row in batch.rows).encode(), mtime=0)
        sealed = AESGCM(key).encrypt(nonce, rows, self.terminal_id.encode())
        document = {
            "kind": KIND,
            "terminal": self.terminal_id,
            "first": batch.rows[0].seq,
            "last": batch.head.seq,
            "link": batch.head.link.hex(),
            "public_key": batch.head.public_key.hex(),
            "key": _base64(wrap_for_agency(key, self.recovery)),
            "nonce": nonce.hex(),
            "sha256": sha256(sealed).hexdigest(),
            "periods": {period: _base64(wrapped) for period, wrapped in batch.periods.items()},
        }
        signature = self.copies.signed(SIGNED_TAG + canonical(document))
        head = canonical({"document": document, "signature": signature.hex()})
        rows_are = f"{batch.rows[0].seq}-{batch.head.seq}{SUFFIX}"
        path, key_name = folder / f"{self.terminal_id}-{rows_are}", batch.head.public_key.hex()
        if path.exists() and not _is_signed_by(path, key_name):  # of the board before: perhaps all that is left of it
            path = folder / f"{self.terminal_id}-{key_name[:_KEY_DIGITS]}-{rows_are}"
        _write_whole(path, head + b"\n" + sealed)
        return path


def _line(row: LedgerRow) -> str:
    clear = [row.seq, row.at, row.act, row.case_code, row.card_index, row.period, row.postings]
    return json.dumps([*clear, _base64(row.sealed), row.link.hex()], ensure_ascii=False) + "\n"


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _is_signed_by(path: Path, key_name: str) -> bool:
    with path.open("rb") as file:
        return key_name.encode() in file.readline(_HEAD_BYTES_MAX)


def _write_whole(path: Path, content: bytes) -> None:
    """A stick is pulled at any moment: what bears the final name is complete and on it."""
    beside = path.with_suffix(".part")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        with suppress(OSError):
            beside.unlink()  # half of it would only fill the stick
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
