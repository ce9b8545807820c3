"""The agency's side of the hotlist: makes body, manifest and changes that terminals take.

Body: for each listed card the first six bytes of HMAC-SHA-256(key, card number), sorted, without doubles. Manifest and
changes are JSON, signed by Ed25519 over the form with sorted keys and no space (INVENTED: no public text lays it down).
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

HASH_BYTES = 6


@dataclass(frozen=True)
class HotlistMaker:
    """``key_name`` is how terminals know ``signing``; ``secret`` (32 bytes) is what they hash card numbers with."""

    signing: Ed25519PrivateKey
    key_name: str
    secret: bytes
    good_for: timedelta = timedelta(days=7)

    def hashed(self, card_number: str) -> bytes:
        return hmac.new(self.secret, card_number.encode(), hashlib.sha256).digest()[:HASH_BYTES]

    def full(self, hashes: Iterable[bytes], version: int, issued_at: datetime) -> tuple[bytes, bytes]:
        """Manifest and body."""
        body = b"".join(sorted(set(hashes)))
        facts = {"count": len(body) // HASH_BYTES, "sha256": hashlib.sha256(body).hexdigest()}
        return self.signed("hotlist", version, issued_at, facts), body

    def changes(
        self, base_version: int, version: int, issued_at: datetime, added: Iterable[str], removed: Iterable[str]
    ) -> bytes:
        """What happened since a body was made, by card number."""
        facts = {
            "base_version": base_version,
            "added": [self.hashed(card).hex() for card in added],
            "removed": [self.hashed(card).hex() for card in removed],
        }
        return self.signed("hotlist_changes", version, issued_at, facts)

    def signed(self, kind: str, version: int, issued_at: datetime, facts: dict[str, Any]) -> bytes:
        document = {
            "kind": kind,
            "version": version,
            "issued_at": issued_at.isoformat(),
            "expires_at": (issued_at + self.good_for).isoformat(),
            **facts,
        }
        plain = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        signature = base64.b64encode(self.signing.sign(plain)).decode()
        return json.dumps({"key": self.key_name, "signature": signature, "document": document}).encode()
