"""What the agency signs for terminals: policies, hotlists, acknowledgements.

JSON, signed by Ed25519 over the form with sorted keys and no space (INVENTED: no public text lays it down).
"""

import base64
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from simulators.pki import Pki

KEY_NAME = "agency"


@dataclass(frozen=True)
class DocumentMaker:
    """``key_name`` is how terminals know ``signing``."""

    signing: Ed25519PrivateKey
    key_name: str
    good_for: timedelta = timedelta(days=7)

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


def agencys_maker(pki: Pki, good_for: timedelta = timedelta(days=7)) -> DocumentMaker:
    """By the agency's key for documents."""
    key = load_pem_private_key(pki.key("documents").read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey)
    return DocumentMaker(key, KEY_NAME, good_for)
