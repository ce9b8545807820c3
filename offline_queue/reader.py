"""The journal opened for reading beside the process that writes it: by staff, auditors and the doctor."""

import json
from collections.abc import Iterator
from pathlib import Path

import apsw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.domain.entries import StoredEntry
from offline_queue.postings import read_postings
from offline_queue.sealing import Root, SealBroken, Sealer
from offline_queue.verify import open_read_only

# Everything that reading a file can raise that is no journal, or no longer one.
UNREADABLE = (apsw.Error, OSError, SealBroken, ValueError)


def why_unreadable(error: BaseException, folder: Path) -> str:
    """One of ``UNREADABLE`` as a sentence that says what to do. ``folder``: where the journal should be."""
    journal = folder / "journal.db"
    match error:
        case FileExistsError():
            return f"{error.filename}: this file is there already. Name another one."
        case PermissionError():
            return f"{error.filename}: not permitted. Do this as the user that the terminal runs as."
        case SealBroken():
            return f"{journal}: does not fit its key {folder / 'journal.key'}. Keep both as they are and call for help."
        case apsw.CantOpenError() | FileNotFoundError():
            return (
                f"{journal}: no journal and key can be read there. A terminal that never ran has none; else look at "
                "data_dir in the settings, and do this as the user that the terminal runs as."
            )
        case apsw.Error():
            return f"{journal}: is no journal, or a damaged one ({error}). Keep it as it is, and look at a copy."
    return f"{folder}: {error}"


_SELECT = "select seq, at, act, case_code, period, postings, sealed from entry"


class JournalReader:
    """Reads by its own read-only connection; takes no lock that a writer waits for."""

    def __init__(self, connection: apsw.Connection, root: Root) -> None:
        self.connection = connection
        self.root = root
        self.public_key: Ed25519PublicKey = root.signing.public_key()
        self._sealers = {
            period: Sealer(root.unwrap(wrapped, period))
            for period, wrapped in connection.execute("select period, for_terminal from period")
            if wrapped
        }

    def entries(self) -> Iterator[StoredEntry]:
        """Every entry in order. Raises SealBroken: tampered with."""
        return map(self._stored, self.connection.execute(f"{_SELECT} order by seq"))

    def story(self, case_code: str) -> list[StoredEntry]:
        found = self.connection.execute(f"{_SELECT} where case_code = ? and case_code != '' order by seq", (case_code,))
        return [self._stored(row) for row in found]

    def last(self, *acts: str) -> StoredEntry | None:
        """The newest of any of these acts."""
        marks = ", ".join("?" * len(acts))
        found = self.connection.execute(f"{_SELECT} where act in ({marks}) order by seq desc limit 1", acts)
        return next((self._stored(row) for row in found), None)

    def _stored(self, row: tuple[int, str, str, str, str, str, bytes]) -> StoredEntry:
        seq, at, act, case_code, period, postings, sealed = row
        sealer = self._sealers.get(period)
        facts = json.loads(sealer.open(sealed, str(seq))) if sealer else None
        return StoredEntry(seq, at, act, case_code, facts, read_postings(postings))


def open_reader(folder: Path) -> JournalReader:
    """Raises one of ``UNREADABLE``: no journal there, or its key cannot be read."""
    connection = open_read_only(folder / "journal.db")
    return JournalReader(connection, Root((folder / "journal.key").read_bytes()))
