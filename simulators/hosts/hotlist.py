"""The agency's side of the hotlist: makes body, manifest and changes that terminals take.

Body: for each listed card the first six bytes of HMAC-SHA-256(key, card number), sorted, without doubles (INVENTED).
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from simulators.hosts.agency_documents import DocumentMaker

HASH_BYTES = 6


@dataclass(frozen=True)
class HotlistMaker:
    """``secret`` (32 bytes) is what terminals hash card numbers with."""

    documents: DocumentMaker
    secret: bytes

    def hashed(self, card_number: str) -> bytes:
        return hmac.new(self.secret, card_number.encode(), hashlib.sha256).digest()[:HASH_BYTES]

    def full(self, hashes: Iterable[bytes], version: int, issued_at: datetime) -> tuple[bytes, bytes]:
        """Manifest and body."""
        body = b"".join(sorted(set(hashes)))
        facts = {"count": len(body) // HASH_BYTES, "sha256": hashlib.sha256(body).hexdigest()}
        return self.documents.signed("hotlist", version, issued_at, facts), body

    def changes(
        self, base_version: int, version: int, issued_at: datetime, added: Iterable[str], removed: Iterable[str]
    ) -> bytes:
        """What happened since a body was made, by card number."""
        facts = {
            "base_version": base_version,
            "added": [self.hashed(card).hex() for card in added],
            "removed": [self.hashed(card).hex() for card in removed],
        }
        return self.documents.signed("hotlist_changes", version, issued_at, facts)
