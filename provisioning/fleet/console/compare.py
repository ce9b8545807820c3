"""Two texts beside each other, line by line."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

LINES_AROUND = 2


@dataclass(frozen=True)
class Line:
    """``kind``: same | gone | new | skipped (lines that are the same in both and are not shown)."""

    kind: str
    text: str = ""


def compared(before: str, after: str) -> list[Line]:
    """What changed, with a few lines around it; empty where nothing did."""
    return list(_lines(before.splitlines(), after.splitlines()))


def _lines(before: list[str], after: list[str]) -> Iterator[Line]:
    kinds = {"-": "gone", "+": "new", " ": "same"}
    for line in difflib.unified_diff(before, after, n=LINES_AROUND, lineterm=""):
        if line.startswith(("---", "+++")):
            continue
        yield Line("skipped") if line.startswith("@@") else Line(kinds[line[0]], line[1:])
