"""What the page may see and do: the front of a terminal as a person stands before it."""

from typing import Protocol

import msgspec


class NotPossible(Exception):
    """Hands cannot do that now; the message says why, for the person at the page."""


class RackCard(msgspec.Struct, frozen=True):
    handle: str
    title: str
    spec: str
    inserted: bool
    pin: str  # its TEST PIN while that is still the one of the world file, else ""


class Switch(msgspec.Struct, frozen=True):
    """A fault. A ``momentary`` one happens once and has no state."""

    name: str
    on: bool
    momentary: bool


class Piece(msgspec.Struct, frozen=True):
    """Paper that came out: receipts have one page."""

    number: int
    at: str  # HH:MM:SS
    pages: int


class NoteFront(msgspec.Struct, frozen=True):
    """The cash module, with its housing made of glass: amounts are yuan."""

    lit: bool  # the entry takes a note now
    outlet: tuple[int, ...]  # notes within reach
    box_notes: int
    box_yuan: int
    drums: tuple[tuple[int, int], ...]  # denomination and how many; these pay change
    with_staff: tuple[int, ...]  # taken out by hand after a jam, or with the cash box


class FrontState(msgspec.Struct, frozen=True):
    """Everything the page draws; sent whole at each change."""

    world: str
    pin_mode: str
    width_px: int
    height_px: int
    ready: bool
    kiosk_pid: int  # 0 while there is none
    kiosk_restarts: int
    cards: tuple[RackCard, ...]
    switches: tuple[Switch, ...]
    papers: tuple[Piece, ...]
    sheets: tuple[Piece, ...]
    asks_pin: tuple[str, ...]  # pads that are lit now
    spoken: tuple[str, ...]  # what loudspeaker or headset said last, newest first
    notes: NoteFront | None = None  # None: no cash module is fitted
    lamps: tuple[str, ...] = ()  # places whose lamp is on now


class TerminalFront(Protocol):
    """Implemented by the stack; by a plain object in the page's tests."""

    @property
    def vnc_port(self) -> int: ...

    def state(self) -> FrontState: ...

    async def changed(self, seen: FrontState | None) -> FrontState:
        """The state as soon as it differs from ``seen``."""
        ...

    async def insert(self, handle: str) -> None:
        """Raises LookupError: no such card. NotPossible: the slot is taken."""
        ...

    async def pull(self) -> None:
        """Raises NotPossible: there is no card."""
        ...

    def press(self, key: str, pad: str = "pin_pad") -> None:
        """A key of the PIN pad, or of the ``card_reader`` that has its own (mode A). Raises LookupError."""
        ...

    async def fault(self, name: str, on: bool) -> None:
        """Raises LookupError: no such switch."""
        ...

    def paper_png(self, number: int) -> bytes:
        """Raises LookupError."""
        ...

    def sheet_png(self, number: int, page: int) -> bytes:
        """Page counts from 1. Raises LookupError."""
        ...

    def take_paper(self, number: int) -> None:
        """Tear the receipt off. Raises LookupError."""
        ...

    def take_sheet(self, number: int) -> None:
        """Raises LookupError."""
        ...

    def feed(self, yuan: int, kind: str = "good") -> None:
        """A note, or what looks like one: good, fake, torn, two at once. Raises LookupError: no such note. NotPossible:
        the slot is shut."""
        ...

    def take_notes(self) -> None:
        """What lies in the outlet. Raises NotPossible: nothing."""
        ...

    async def screen_png(self) -> bytes: ...
