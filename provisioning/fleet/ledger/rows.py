"""Rows and heads as they come, by line, stick or second medium: ``docs/hosts/agency_ledger.yaml``. No IO."""

import base64
import binascii
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.basics.chain import head_signed_by, link_of

ACCOUNTS = ("resident", "holder_debt", "suspense", "contributions")  # in which a terminal owes or must explain
NOTHING_BEFORE = "00" * 32

Seq = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
Link = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
Period = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}$")]


class Part(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A piece of a question. An unknown field is an error: a copy must be of the whole row."""


class Row(Part):
    """One row as it stands in the journal; ``sealed`` in base64."""

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
        """Whether its link is made of the link before and everything in it."""
        try:
            sealed = base64.b64decode(self.sealed, validate=True)
        except binascii.Error:
            return False
        clear = (self.seq, self.at, self.act, self.case_code, self.card_index, self.period, self.postings)
        return link_of(bytes.fromhex(before), clear, sealed).hex() == self.link


class Head(Part):
    """The newest row of a question, signed by the board's journal key; all in hex."""

    seq: Seq
    link: Link
    signature: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{128}$")]
    public_key: Link

    def holds(self) -> bool:
        return head_signed(self.public_key, self.seq, self.link, self.signature)


class WrappedPeriod(Part):
    """A month's sealing key, wrapped to the custodians."""

    period: Period
    wrapped: Annotated[str, msgspec.Meta(max_length=2000)]


class Rows(Part):
    """The body of ``POST .../rows``."""

    rows: Annotated[list[Row], msgspec.Meta(min_length=1, max_length=50)]
    head: Head
    periods: Annotated[list[WrappedPeriod], msgspec.Meta(max_length=600)]


def head_signed(public_key: str, seq: int, link: str, signature: str) -> bool:
    """Whether the key signed this head; all in hex."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
    except ValueError:
        return False
    return head_signed_by(key, seq, bytes.fromhex(link), bytes.fromhex(signature))


def signed_by(public_key: str, signature: bytes, text: bytes) -> bool:
    """Whether the key (hex) signed this text."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True
