"""A picture is data: what is drawn where, and what may be touched. No Kivy, so that tests can read it."""

from dataclasses import dataclass

from kiosk.ports import Figure
from screens.theme import Box


@dataclass(frozen=True)
class Panel:
    """A filled rectangle, perhaps with an outline inside its box. ``down``: fill and outline while pressed."""

    box: Box
    fill: str
    outline: str = ""
    outline_px: int = 0
    radius: int = 0
    target: str = ""  # the target this belongs to, for the press
    down: tuple[str, int] | None = None


@dataclass(frozen=True)
class Words:
    """One line of text. ``box`` is the line's own box (height = line height); ``ground`` the colour it stands on."""

    box: Box
    words: str
    size: int
    bold: bool
    colour: str
    ground: str
    target: str = ""
    down_colour: str = ""


@dataclass(frozen=True)
class Drawing:
    """A named icon or mark, ``box`` square, ``fill`` for the one part that is filled."""

    box: Box
    name: str
    ink: str
    fill: str
    target: str = ""
    down_ink: str = ""


@dataclass(frozen=True)
class Target:
    """Something to touch. ``act`` is what it does: ``answer:<value>`` or a word of ``screens.acts``.

    ``key`` is the digit of the pad that does the same, -1 if none. ``refuses``: an unavailable answer.
    """

    act: str
    box: Box
    key: int = -1
    refuses: bool = False
    main: bool = False


Item = Panel | Words | Drawing


@dataclass(frozen=True)
class Picture:
    ground: str
    items: tuple[Item, ...]
    targets: tuple[Target, ...]
    pages: int = 1
    figures: tuple[Figure, ...] = ()  # the rows on this page, for the voice

    def target(self, act: str) -> Target | None:
        return next((target for target in self.targets if target.act == act), None)
