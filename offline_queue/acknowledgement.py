"""The agency's word that it keeps rows of this journal: what a reset or decommissioning needs (money-rules 28).

A signed document (``kiosk/basics/signed.py``) of kind ``journal_kept``: ``{"terminal", "kept_up_to", "link"}``. An
export alone proves nothing; only what was imported and acknowledged may be destroyed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.basics.signed import NotTrusted, read_signed

KIND = "journal_kept"
FILE = "acknowledged.json"


class KnownRows(Protocol):
    """As much of a journal as can be judged without its key."""

    def newest(self) -> int: ...

    def link_of(self, seq: int) -> bytes:
        """Of a row that is there."""
        ...


@dataclass(frozen=True)
class Acknowledged:
    """``newer``: so many rows came after it, and no one else has them for sure."""

    kept_up_to: int
    newer: int


def read_acknowledgement(
    wire: bytes, keys: Mapping[str, Ed25519PublicKey], terminal_id: str, copies: KnownRows, now: datetime | None = None
) -> Acknowledged:
    """``now``: None where its end does not matter, because what it says stays true.

    Raises:
        NotTrusted: not signed by the agency, ended, for another terminal, or for rows that are not ours.
    """
    trusted = read_signed(wire, KIND, keys)
    told = trusted.content
    if now is not None and trusted.expires_at <= now:
        raise NotTrusted(f"{KIND}: of another day")
    if told.get("terminal") != terminal_id:
        raise NotTrusted(f"{KIND}: for another terminal")
    kept = told.get("kept_up_to")
    newest = copies.newest()
    if not isinstance(kept, int) or not 0 < kept <= newest:
        raise NotTrusted(f"{KIND}: for rows that this journal does not have")
    if copies.link_of(kept).hex() != told.get("link"):
        raise NotTrusted(f"{KIND}: row {kept} is another one here")
    return Acknowledged(kept, newest - kept)


def keep_acknowledgement(folder: Path, wire: bytes) -> None:
    """Beside the journal, for whoever asks later whether it may go. Call after it was read."""
    beside = folder / f"{FILE}.new"
    beside.write_bytes(wire)
    beside.replace(folder / FILE)


def kept_acknowledgement(
    folder: Path, keys: Mapping[str, Ed25519PublicKey], terminal_id: str, copies: KnownRows
) -> Acknowledged | None:
    """The last one that was kept, judged anew; None: there is none that holds."""
    try:
        return read_acknowledgement((folder / FILE).read_bytes(), keys, terminal_id, copies)
    except (FileNotFoundError, NotTrusted):
        return None
