"""The hash chain over the entries, and its signed head."""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

GENESIS = bytes(32)
_HEAD_TAG = b"yikatong journal head 1\0"


def link_of(before: bytes, clear: tuple[object, ...], sealed: bytes) -> bytes:
    """SHA-256 over the link before, the clear columns and the sealed bytes.

    The clear columns hold no NUL, so that joining them by NUL is unambiguous; the sealed bytes stand last.
    """
    return hashlib.sha256(before + "\0".join(map(str, clear)).encode() + b"\0" + sealed).digest()


def sign_head(key: Ed25519PrivateKey, seq: int, link: bytes) -> bytes:
    return key.sign(_HEAD_TAG + seq.to_bytes(8, "big") + link)


def head_signed_by(key: Ed25519PublicKey, seq: int, link: bytes, signature: bytes) -> bool:
    """Whether the terminal's key signed this head."""
    try:
        key.verify(signature, _HEAD_TAG + seq.to_bytes(8, "big") + link)
    except InvalidSignature:
        return False
    return True
