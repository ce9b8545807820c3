"""Fronts of terminals, one a profile: where slot, pad and outlets are. Shares of a front's width and height."""

from dataclasses import dataclass

from kiosk.ports import Place


@dataclass(frozen=True)
class Part:
    """``x``, ``y``, ``w``, ``h`` in thousandths of the front."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True)
class Front:
    """``aspect`` is width / height in thousandths; ``glass`` the screen itself, for orientation."""

    aspect: int
    glass: Part
    parts: dict[Place, Part]


# A hall terminal: glass at the left, below it a shelf with pad and slot, outlets at the right.
_STANDING = Front(
    1500,
    Part(60, 70, 470, 560),
    {
        Place.CARD_SLOT: Part(620, 110, 300, 90),
        Place.NOTE_SLOT: Part(620, 270, 300, 80),
        Place.RECEIPT_OUTLET: Part(620, 450, 300, 70),
        Place.PIN_PAD: Part(170, 700, 250, 250),
        Place.NOTE_OUTLET: Part(620, 600, 300, 60),
        Place.PAGE_OUTLET: Part(560, 760, 400, 90),
    },
)
_TABLE = Front(
    1900,
    Part(40, 80, 440, 600),
    {
        Place.PIN_PAD: Part(560, 130, 170, 480),
        Place.CARD_SLOT: Part(780, 130, 180, 110),
        Place.NOTE_SLOT: Part(780, 300, 180, 100),
        Place.RECEIPT_OUTLET: Part(780, 480, 180, 90),
        Place.NOTE_OUTLET: Part(780, 640, 180, 80),
        Place.PAGE_OUTLET: Part(300, 790, 400, 110),
    },
)
FRONTS = {"hall": _STANDING, "hospital": _STANDING, "village": _TABLE}
