"""Rows of a terminal's journal as the agency reads them: from its line, or from a bundle on a USB stick.

A bundle is one line of JSON with a signature (Ed25519 over a tag and the document), then gzip of JSON lines under
AES-256-GCM, its key wrapped to the agency (RSA-OAEP, SHA-256). INVENTED.
"""

import base64
import binascii
import gzip
import hashlib
import json
import zlib
from dataclasses import dataclass
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from simulators.hosts.sandbox import Part

TAG = b"yikatong journal bundle 1\0"
OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)

Link = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
Period = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}$")]
Seq = Annotated[int, msgspec.Meta(ge=1)]


class BundleRefused(Exception):
    """Altered, cut short, of a stranger, or not for this agency."""


class Row(Part):
    """One row as it was written; ``sealed`` in base64."""

    seq: Seq
    at: Annotated[str, msgspec.Meta(max_length=40)]
    act: Annotated[str, msgspec.Meta(max_length=80)]
    case_code: Annotated[str, msgspec.Meta(max_length=12)]
    card_index: Annotated[str, msgspec.Meta(max_length=64)]
    period: Period
    postings: Annotated[str, msgspec.Meta(max_length=400)]
    sealed: Annotated[str, msgspec.Meta(max_length=30_000)]
    link: Link

    def follows(self, before: str) -> bool:
        """Whether the link is the SHA-256 of the link before, the clear columns joined by NUL, and the sealed bytes."""
        clear = (self.seq, self.at, self.act, self.case_code, self.card_index, self.period, self.postings)
        text = bytes.fromhex(before) + "\0".join(str(one) for one in clear).encode() + b"\0"
        try:
            sealed = base64.b64decode(self.sealed, validate=True)
        except binascii.Error:
            return False
        return hashlib.sha256(text + sealed).hexdigest() == self.link


@dataclass(frozen=True)
class Bundle:
    """``public_key`` in hex is the terminal's, by its own word; ``periods``: month -> wrapped sealing key, base64."""

    terminal: str
    public_key: str
    rows: list[Row]
    periods: dict[str, str]


class _Document(Part):
    kind: str
    terminal: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9]{4,16}$")]
    first: Seq
    last: Seq
    link: Link
    public_key: Link
    key: str
    nonce: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{24}$")]
    sha256: Link
    periods: dict[str, str]


class _Signed(Part):
    document: _Document
    signature: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{128}$")]


def read_bundle(content: bytes, custodians: RSAPrivateKey) -> Bundle:
    """Raises BundleRefused."""
    head, _, sealed = content.partition(b"\n")
    try:
        told = msgspec.json.decode(head, type=_Signed)
        _check_signature(head, told)
        if told.document.kind != "journal_bundle" or hashlib.sha256(sealed).hexdigest() != told.document.sha256:
            raise BundleRefused("the rows are not the ones that were signed")
        rows = _opened(told.document, sealed, custodians)
    except (msgspec.MsgspecError, InvalidSignature, InvalidTag, ValueError, OSError, EOFError, zlib.error) as error:
        raise BundleRefused(type(error).__name__) from error
    if not rows or (rows[0].seq, rows[-1].seq, rows[-1].link) != (
        told.document.first,
        told.document.last,
        told.document.link,
    ):
        raise BundleRefused("other rows than it says")
    return Bundle(told.document.terminal, told.document.public_key, rows, told.document.periods)


def _check_signature(head: bytes, told: _Signed) -> None:
    plain = json.dumps(json.loads(head)["document"], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(told.document.public_key))
    key.verify(bytes.fromhex(told.signature), TAG + plain.encode())


def _opened(document: _Document, sealed: bytes, custodians: RSAPrivateKey) -> list[Row]:
    key = custodians.decrypt(base64.b64decode(document.key, validate=True), OAEP)
    clear = AESGCM(key).decrypt(bytes.fromhex(document.nonce), sealed, document.terminal.encode())
    fields = Row.__struct_fields__
    lines = gzip.decompress(clear).splitlines()
    return [msgspec.convert(dict(zip(fields, json.loads(line), strict=True)), Row) for line in lines]
