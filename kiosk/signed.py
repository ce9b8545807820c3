"""Signed documents, of the agency and its fleet: canonical JSON with detached Ed25519, versioned and expiring.

On the wire: ``{"key": name, "signature": base64, "document": {"kind", "version", "issued_at", "expires_at", ...}}``.
The signature covers the canonical form of ``document``: UTF-8, keys sorted, no space.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

DOCUMENT_BYTES_MAX = 4_000_000


class NotTrusted(Exception):
    """The document allows nothing: malformed, of another kind, signed by nobody we know, or out of date."""


@dataclass(frozen=True)
class Trusted:
    """A document whose signature holds. ``content`` is the whole document, the four known fields included."""

    version: int
    issued_at: datetime
    expires_at: datetime
    content: Mapping[str, Any]


def read_signed(wire: bytes, kind: str, keys: Mapping[str, Ed25519PublicKey], version_min: int = 0) -> Trusted:
    """``version_min``: an older document is refused, so that nobody brings yesterday's rules back.

    Raises:
        NotTrusted: the message says why, and holds nothing of the content.
    """
    told = _object(wire)
    document, key = told.get("document"), keys.get(str(told.get("key")))
    if not isinstance(document, dict) or document.get("kind") != kind:
        raise NotTrusted(f"not a {kind}")
    if key is None:
        raise NotTrusted(f"{kind}: signed by an unknown key")
    try:
        signature = base64.b64decode(str(told.get("signature")), validate=True)
        key.verify(signature, canonical(document))
    except (InvalidSignature, binascii.Error):
        raise NotTrusted(f"{kind}: the signature does not hold") from None
    trusted = _dated(kind, document)
    if trusted.version < version_min:
        raise NotTrusted(f"{kind}: version {trusted.version} is older than {version_min}")
    return trusted


@dataclass(frozen=True)
class Signer:
    """``name`` is how readers know the key."""

    name: str
    key: Ed25519PrivateKey

    def signed(
        self, kind: str, version: int, issued_at: datetime, expires_at: datetime, facts: Mapping[str, Any]
    ) -> bytes:
        """The document as it goes on the wire. ``facts`` are JSON values and name none of the four known fields."""
        dates = {"issued_at": issued_at.isoformat(), "expires_at": expires_at.isoformat()}
        document = {"kind": kind, "version": version, **dates, **facts}
        signature = base64.b64encode(self.key.sign(canonical(document))).decode()
        return canonical({"key": self.name, "signature": signature, "document": document})


def canonical(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _object(wire: bytes) -> dict[str, Any]:
    if len(wire) > DOCUMENT_BYTES_MAX:
        raise NotTrusted("a document of this size is not read")
    try:
        told = json.loads(wire)
    except (ValueError, RecursionError):
        raise NotTrusted("not JSON") from None
    if not isinstance(told, dict):
        raise NotTrusted("not a signed document")
    return told


def _dated(kind: str, document: Mapping[str, Any]) -> Trusted:
    try:
        version = document["version"]
        issued, expires = (datetime.fromisoformat(document[name]) for name in ("issued_at", "expires_at"))
    except (KeyError, TypeError, ValueError):
        raise NotTrusted(f"{kind}: no version or dates") from None
    if not isinstance(version, int) or isinstance(version, bool) or None in (issued.tzinfo, expires.tzinfo):
        raise NotTrusted(f"{kind}: no version or dates")
    return Trusted(version, issued, expires, document)
