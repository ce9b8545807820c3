"""Signed documents, of the agency and its fleet: canonical JSON with detached Ed25519, versioned and expiring.

On the wire: ``{"key": name, "signature": base64, "document": {"kind", "version", "issued_at", "expires_at", ...}}``.
The signature covers the canonical form of ``document``: UTF-8, keys sorted, no space. What takes several people's own
keys (sticks, epochs) has ``"signatures": [{"key": name, "signature": base64}, ...]`` in place of the first two.
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
SIGNATURES_MAX = 16


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
    document = _of_kind(told, kind)
    _check(told, kind, document, keys)
    return _new_enough(_dated(kind, document), kind, version_min)


def read_cosigned(
    wire: bytes, kind: str, keys: Mapping[str, Ed25519PublicKey], signers_min: int = 2, version_min: int = 0
) -> tuple[Trusted, tuple[str, ...]]:
    """The document, and whose signatures hold: at least ``signers_min`` different keys. One signature that does not
    hold spoils the whole, so that nobody tries keys out on a terminal.

    Raises:
        NotTrusted: as ``read_signed``, or too few signed it.
    """
    told = _object(wire)
    document, signatures = _of_kind(told, kind), told.get("signatures")
    if not isinstance(signatures, list) or not len(signatures) <= SIGNATURES_MAX:
        raise NotTrusted(f"{kind}: no signatures")
    signers = {_check(one, kind, document, keys): None for one in signatures}
    if len({keys[name].public_bytes_raw() for name in signers}) < signers_min:
        raise NotTrusted(f"{kind}: {len(signers)} signed it, {signers_min} must")
    return _new_enough(_dated(kind, document), kind, version_min), tuple(signers)


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


def unsigned(kind: str, version: int, issued_at: datetime, expires_at: datetime, facts: Mapping[str, Any]) -> bytes:
    """What several are to sign, on the wire without a signature. ``facts`` as of ``Signer.signed``."""
    dates = {"issued_at": issued_at.isoformat(), "expires_at": expires_at.isoformat()}
    return canonical({"signatures": [], "document": {"kind": kind, "version": version, **dates, **facts}})


def cosigned(wire: bytes, signer: "Signer") -> bytes:
    """``wire`` with one signature more. Raises NotTrusted: it is nothing that several sign, or this key did already."""
    told = _object(wire)
    document, signatures = told.get("document"), told.get("signatures")
    if not isinstance(document, dict) or not isinstance(signatures, list):
        raise NotTrusted("not a document that several sign")
    if any(isinstance(one, dict) and one.get("key") == signer.name for one in signatures):
        raise NotTrusted(f"{signer.name} signed it already")
    signature = base64.b64encode(signer.key.sign(canonical(document))).decode()
    return canonical({"signatures": [*signatures, {"key": signer.name, "signature": signature}], "document": document})


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


def _of_kind(told: Mapping[str, Any], kind: str) -> dict[str, Any]:
    document = told.get("document")
    if not isinstance(document, dict) or document.get("kind") != kind:
        raise NotTrusted(f"not a {kind}")
    return document


def _check(told: Any, kind: str, document: Mapping[str, Any], keys: Mapping[str, Ed25519PublicKey]) -> str:
    """The name of the key whose signature holds."""
    name = str(told.get("key")) if isinstance(told, dict) else ""
    key = keys.get(name)
    if key is None:
        raise NotTrusted(f"{kind}: signed by an unknown key")
    try:
        key.verify(base64.b64decode(str(told.get("signature")), validate=True), canonical(document))
    except (InvalidSignature, binascii.Error, ValueError):
        raise NotTrusted(f"{kind}: the signature does not hold") from None
    return name


def _new_enough(trusted: Trusted, kind: str, version_min: int) -> Trusted:
    if trusted.version < version_min:
        raise NotTrusted(f"{kind}: version {trusted.version} is older than {version_min}")
    return trusted


def _dated(kind: str, document: Mapping[str, Any]) -> Trusted:
    try:
        version = document["version"]
        issued, expires = (datetime.fromisoformat(document[name]) for name in ("issued_at", "expires_at"))
    except (KeyError, TypeError, ValueError):
        raise NotTrusted(f"{kind}: no version or dates") from None
    if not isinstance(version, int) or isinstance(version, bool) or None in (issued.tzinfo, expires.tzinfo):
        raise NotTrusted(f"{kind}: no version or dates")
    return Trusted(version, issued, expires, document)
