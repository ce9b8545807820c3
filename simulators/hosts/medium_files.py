"""Files of a second medium (``.rows``) as the agency reads them, when the board that wrote them is dead. INVENTED.

Lines of JSON arrays: ``period`` with its wrapped key, ``row``, and ``head``, whose signature covers every row above it
by its link. What follows the last head is a torn end.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from simulators.hosts.journal_bundle import BundleRefused, Row

HEAD_TAG = b"yikatong journal head 1\0"
SUFFIX = ".rows"
FILE_BYTES_MAX = 64 << 20


@dataclass
class MediumFile:
    """``rows`` up to the last head that holds; none where not one does. ``public_key`` in hex."""

    terminal: str
    public_key: str = ""
    rows: list[Row] = field(default_factory=list)
    periods: dict[str, str] = field(default_factory=dict)


def read_medium(path: Path) -> MediumFile:
    """Raises BundleRefused: a head that the terminal did not sign, or a name that is none of ours."""
    terminal, _, _ = path.stem.partition("-")
    found, rows = MediumFile(terminal), list[Row]()
    if path.stat().st_size > FILE_BYTES_MAX:
        raise BundleRefused(f"{path.name}: no terminal writes so much into one file")
    for kind, values in _lines(path.read_bytes()):
        try:
            if kind == "period":
                found.periods[str(values[0])] = str(values[1])
            elif kind == "row":
                rows.append(msgspec.convert(dict(zip(Row.__struct_fields__, values, strict=True)), Row))
            elif kind == "head":
                found.public_key = _signed(rows, *values)
                found.rows = list(rows)
        except (msgspec.MsgspecError, InvalidSignature, ValueError, TypeError, IndexError, OverflowError) as error:
            raise BundleRefused(f"{path.name}: {type(error).__name__}") from error
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


def _signed(rows: list[Row], seq: int, link: str, signature: str, public_key: str) -> str:
    """Raises InvalidSignature, ValueError, IndexError: no head of these rows."""
    if (rows[-1].seq, rows[-1].link) != (seq, link):
        raise ValueError("a head of other rows")
    text = HEAD_TAG + seq.to_bytes(8, "big") + bytes.fromhex(link)
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(bytes.fromhex(signature), text)
    return public_key
