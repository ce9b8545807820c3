"""Reads a printed certificate back, by another library than the one that composed it."""

import re
from io import BytesIO

from pypdf import PdfReader


def pages_of(pdf: bytes) -> int:
    return len(PdfReader(BytesIO(pdf)).pages)


def names_holder(pdf: bytes, name: str, number: str) -> bool:
    """Whether the text holds both; blanks inside do not count, as typesetting puts them anywhere."""
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)
    bare = re.sub(r"\s", "", text)
    return re.sub(r"\s", "", name) in bare and number in bare
