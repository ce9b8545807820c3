"""Reads what a terminal wrote onto a stick or its second medium: ``docs/hosts/agency_ledger.yaml``. No IO.

Nothing on a stick is believed before a signature covers it, and nothing is read beyond a bound: anybody can bring one.
"""

import base64
import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kiosk.basics.signed import canonical
from provisioning.fleet.ledger.custody import Custodians
from provisioning.fleet.ledger.rows import Link, Row, Seq, head_signed, signed_by
from provisioning.rules.poll import TERMINAL_ID

BUNDLE, MEDIUM = ".bundle", ".rows"
_TAG = b"yikatong journal bundle 1\0"
_HEAD_BYTES_MAX = 1 << 20
_CLEAR_BYTES_MAX = 256 << 20  # 20,000 rows of at most 12 kB each


class BundleRefused(Exception):
    """Altered, cut short, of a stranger, or not for these custodians. Nothing of it is kept."""


@dataclass
class Bundle:
    """``public_key`` in hex is the board's by its own word; ``periods``: month -> wrapped key, base64."""

    terminal_id: str
    public_key: str = ""
    rows: list[Row] = field(default_factory=list)
    periods: dict[str, str] = field(default_factory=dict)


class _Document(msgspec.Struct, kw_only=True):
    kind: str
    terminal: Annotated[str, msgspec.Meta(pattern=TERMINAL_ID)]
    first: Seq
    last: Seq
    link: Link
    public_key: Link
    key: str
    nonce: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{24}$")]
    sha256: Link
    periods: dict[str, str]


class _Signed(msgspec.Struct, kw_only=True):
    document: _Document
    signature: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{128}$")]


def read_bundle(content: bytes, custodians: Custodians) -> Bundle:
    """Raises BundleRefused."""
    head, _, sealed = content.partition(b"\n")
    if len(head) > _HEAD_BYTES_MAX:
        raise BundleRefused("no bundle begins like this")
    try:
        told = msgspec.json.decode(head, type=_Signed)
        signed = canonical(json.loads(head)["document"])
        document = told.document
        if not signed_by(document.public_key, bytes.fromhex(told.signature), _TAG + signed):
            raise BundleRefused("the signature does not hold")
        if document.kind != "journal_bundle" or hashlib.sha256(sealed).hexdigest() != document.sha256:
            raise BundleRefused("the rows are not the ones that were signed")
        rows = _opened(document, sealed, custodians)
    except (msgspec.MsgspecError, InvalidTag, ValueError, RecursionError, zlib.error) as error:
        raise BundleRefused(type(error).__name__) from None
    if not rows or (rows[0].seq, rows[-1].seq, rows[-1].link) != (document.first, document.last, document.link):
        raise BundleRefused("other rows than it says")
    return Bundle(document.terminal, document.public_key, rows, document.periods)


def _opened(document: _Document, sealed: bytes, custodians: Custodians) -> list[Row]:
    key = custodians.opened(base64.b64decode(document.key, validate=True))
    clear = AESGCM(key).decrypt(bytes.fromhex(document.nonce), sealed, document.terminal.encode())
    return [_row(json.loads(line)) for line in _unpacked(clear).splitlines()]


def _unpacked(gzipped: bytes) -> bytes:
    """Bounded: a small file may claim to unpack into a disk full."""
    reader = zlib.decompressobj(wbits=31)
    clear = reader.decompress(gzipped, _CLEAR_BYTES_MAX)
    if reader.unconsumed_tail or not reader.eof:
        raise BundleRefused("more rows than a bundle holds")
    return clear


def _row(values: list[Any]) -> Row:
    return msgspec.convert(dict(zip(Row.__struct_fields__, values, strict=True)), Row)


def read_medium(name: str, content: bytes) -> Bundle:
    """Rows up to the last head that holds; none where not one does. What follows the last head is a torn end.

    Raises:
        BundleRefused: a head that the board did not sign, or a row that is none.
    """
    found, rows = Bundle(name.partition("-")[0]), list[Row]()
    for kind, values in _lines(content):
        try:
            if kind == "period":
                found.periods[str(values[0])] = str(values[1])
            elif kind == "row":
                rows.append(_row(values))
            elif kind == "head":
                found.public_key = _head_of(rows, *values)
                found.rows = list(rows)
        except (msgspec.MsgspecError, ValueError, TypeError, IndexError, OverflowError) as error:
            raise BundleRefused(f"{name}: {type(error).__name__}") from None
    return found


def _lines(content: bytes) -> Iterator[tuple[str, list[Any]]]:
    for line in content.splitlines(keepends=True):
        if not line.endswith(b"\n"):
            return  # the power went in the middle of it
        try:
            kind, *values = json.loads(line)
        except (ValueError, TypeError, RecursionError):
            return
        yield str(kind), values


def _head_of(rows: list[Row], seq: int, link: str, signature: str, public_key: str) -> str:
    """Raises ValueError, IndexError: no head of these rows."""
    if (rows[-1].seq, rows[-1].link) != (seq, link) or not head_signed(public_key, seq, link, signature):
        raise ValueError("a head of other rows")
    return public_key
