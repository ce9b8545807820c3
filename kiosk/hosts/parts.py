"""Pieces of long documents as HTTP tells them (RFC 9110, 14)."""

import re
from collections.abc import Mapping

from kiosk.ports import Part

PARTIAL = 206
CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-\d{1,15}/(\d{1,15}|\*)")


def part_of(status: int, headers: Mapping[str, str], received: bytes, was_cut: bool) -> Part:
    """``headers``: of the answer, found in any case. Raises ValueError: a Content-Range that is none."""
    etag = headers.get("ETag", "")
    etag = etag if etag.startswith('"') else ""  # a weak one promises nothing about bytes
    if status != PARTIAL:
        told = headers.get("Content-Length", "")
        return Part(received, 0, int(told) if told.isdecimal() else None, etag, not was_cut)
    found = CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
    if found is None:
        raise ValueError("no Content-Range")
    first, total = int(found[1]), None if found[2] == "*" else int(found[2])
    return Part(received, first, total, etag, first + len(received) == total)
