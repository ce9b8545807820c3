"""What came out of the terminal, as a person sees it: pieces of paper with their time, until they are taken."""

from dataclasses import dataclass
from datetime import datetime

from simulators.devices.ipp import Sheet
from simulators.front_panel.front import Piece

SHEETS_MAX = 30
DOTS_PER_INCH = 80


def now() -> str:
    return f"{datetime.now():%H:%M:%S}"


@dataclass(frozen=True)
class LaidSheet:
    """One printed document. ``pictures`` are its pages as PNG."""

    sheet: Sheet
    at: str
    pictures: tuple[bytes, ...]


class PageOutlet:
    """The A4 printer's tray, newest first."""

    def __init__(self) -> None:
        self._laid: list[LaidSheet] = []

    async def lay(self, sheet: Sheet) -> None:
        """Put a document out. Raises ValueError: it is no PDF that can be drawn."""
        at = now()
        pictures = tuple(await sheet.pages(DOTS_PER_INCH))
        self._laid = [LaidSheet(sheet, at, pictures), *self._laid[: SHEETS_MAX - 1]]

    def take(self, number: int) -> None:
        """Raises LookupError."""
        self._laid.remove(self._find(number))

    def picture(self, number: int, page: int) -> bytes:
        """``page`` counts from 1. Raises LookupError."""
        pictures = self._find(number).pictures
        if not 1 <= page <= len(pictures):
            raise LookupError(page)
        return pictures[page - 1]

    def pieces(self) -> tuple[Piece, ...]:
        return tuple(Piece(laid.sheet.id, laid.at, len(laid.pictures)) for laid in self._laid)

    def _find(self, number: int) -> LaidSheet:
        for laid in self._laid:
            if laid.sheet.id == number:
                return laid
        raise LookupError(number)


class ReceiptOutlet:
    """When each receipt came out and which were torn off; the printer itself keeps the paper."""

    def __init__(self) -> None:
        self.times: dict[int, str] = {}
        self.taken: set[int] = set()

    def came(self, number: int) -> None:
        self.times[number] = now()
