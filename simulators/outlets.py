"""What comes out of the terminal, as a person sees it: pieces of paper, in order, until they are taken."""

import subprocess
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import trio

from simulators.front_panel.front import Piece

SHEETS_MAX = 30
DOTS_PER_INCH = 80
RENDER_S_MAX = 20.0


@dataclass(frozen=True)
class Sheet:
    """One printed document. ``pictures`` are its pages as PNG."""

    number: int
    at: str
    pdf: bytes
    pictures: tuple[bytes, ...]


class PageOutlet:
    """The A4 printer's tray: documents as they came, newest first."""

    def __init__(self) -> None:
        self.sheets: list[Sheet] = []
        self._next = 1

    async def print(self, pdf: bytes) -> None:
        """Put a document out.

        Raises:
            subprocess.CalledProcessError, subprocess.TimeoutExpired: poppler cannot draw it.
        """
        pictures = await trio.to_thread.run_sync(draw_pages, pdf)
        self.sheets.insert(0, Sheet(self._next, f"{datetime.now():%H:%M:%S}", pdf, pictures))
        self._next += 1
        del self.sheets[SHEETS_MAX:]

    def take(self, number: int) -> None:
        """Raises LookupError."""
        self.sheets.remove(self.sheet(number))

    def sheet(self, number: int) -> Sheet:
        """Raises LookupError: taken, or never printed."""
        for sheet in self.sheets:
            if sheet.number == number:
                return sheet
        raise LookupError(number)

    def picture(self, number: int, page: int) -> bytes:
        """``page`` counts from 1. Raises LookupError."""
        pictures = self.sheet(number).pictures
        if not 1 <= page <= len(pictures):
            raise LookupError(page)
        return pictures[page - 1]

    def pieces(self) -> tuple[Piece, ...]:
        return tuple(Piece(sheet.number, sheet.at, len(sheet.pictures)) for sheet in self.sheets)


def draw_pages(pdf: bytes) -> tuple[bytes, ...]:
    """Every page as PNG, by poppler's pdftoppm: another eye than the one that composed it."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["pdftoppm", "-png", "-r", str(DOTS_PER_INCH), "-", f"{folder}/page"],
            input=pdf,
            check=True,
            capture_output=True,
            timeout=RENDER_S_MAX,
        )
        return tuple(page.read_bytes() for page in sorted(Path(folder).iterdir()))


class ReceiptOutlet:
    """When each receipt came out and which were torn off; the printer itself keeps the paper."""

    def __init__(self) -> None:
        self.times: dict[int, str] = {}
        self.taken: set[int] = set()

    def came(self, number: int) -> None:
        self.times[number] = f"{datetime.now():%H:%M:%S}"
