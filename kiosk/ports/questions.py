"""A question to the resident: what is shown, what is spoken, and numbered answers.

A question is data. ``screens`` draws it, speaks it and returns the value of the chosen answer; a scripted resident
answers it without any screen. ``name`` is stable: logs, tests and pictures are filed under it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from kiosk.domain.text import Text, Value


class Tone(Enum):
    """State of a question, told by shape, word and colour together (ui-direction, section 1)."""

    NEUTRAL = "neutral"
    HANDS = "hands"  # the resident's hands do the next step: amber panel with a picture of this terminal
    DONE = "done"  # disc with tick
    CAUTION = "caution"  # triangle
    STOP = "stop"  # octagon with bar


class Role(Enum):
    """Where an answer stands. At most one MAIN, one BACK; any number of TILE or ROW, paged by the screen."""

    TILE = "tile"
    ROW = "row"
    MAIN = "main"  # right in the act zone; the green key
    SECOND = "second"  # left in the act zone where nothing is given up; no key of its own but its number
    BACK = "back"  # left in the act zone: back / stop and take the card; the red key


@dataclass(frozen=True)
class Answer:
    """``value`` is what the question returns. ``unavailable`` greys it out and says why when touched."""

    value: str
    label: Text
    role: Role = Role.TILE
    icon: str = ""  # a name of screens/widgets/icons.py
    note: Text | None = None
    unavailable: Text | None = None


@dataclass(frozen=True)
class Plain:
    """Nothing in the work zone but the explanation."""


@dataclass(frozen=True)
class Tiles:
    """The TILE answers, six a page (four in large type), numbered from 1 as the pad's keys."""


@dataclass(frozen=True)
class Figure:
    """One row: a label, a value on the right (amounts on one axis), a small note below."""

    label: Text
    value: Value | None = None
    note: Text | None = None
    heading: bool = False  # a caption or total: bold


@dataclass(frozen=True)
class Figures:
    """Rows of figures, paged by buttons. ``secret`` rows start hidden in large type and can be hidden by one touch."""

    rows: tuple[Figure, ...]
    secret: bool = True


class Place(Enum):
    """Parts of this terminal's front that hands are sent to."""

    CARD_SLOT = "card_slot"
    PIN_PAD = "pin_pad"
    RECEIPT_OUTLET = "receipt_outlet"
    PAGE_OUTLET = "page_outlet"
    NOTE_SLOT = "note_slot"
    NOTE_OUTLET = "note_outlet"


@dataclass(frozen=True)
class Call:
    """By tone, voice and blinking lamps: after ``first_s`` on the page, then every ``every_s``, ``times`` in all."""

    first_s: float
    every_s: float
    times: int


@dataclass(frozen=True)
class Hands:
    """Picture of the front with an arrow on each named place. ``taking``: the card comes out, too, and is called for
    aloud once it stays too long. ``calling``: at once, because its owner has turned away already. ``money_inside``:
    notes of theirs are in the machine, and whoever stands aside is called back for as long as the page stands."""

    places: tuple[Place, ...]
    taking: bool = False
    calling: bool = False
    money_inside: bool = False

    @property
    def call(self) -> Call | None:
        """When it is called for; None: never."""
        if self.taking:
            return Call(0.0 if self.calling else 10.0, 10.0, 6)  # what is left behind: for a minute
        return Call(30.0, 30.0, 10) if self.money_inside else None  # five minutes (money-rules 13)


@dataclass(frozen=True)
class Stars:
    """PIN entry at the pad: stars in the middle of the work zone, fed by ``Screen.stars``."""

    digits_min: int
    digits_max: int
    prompt: Text | None = None  # stands above the stars instead of "your present PIN"
    place: Place = Place.PIN_PAD  # where it is typed; a reader's own pad is at the card slot (PIN mode A)


@dataclass(frozen=True)
class Number:
    """A number typed at the pad or on the glass and shown as it is typed: a count, a seal. Never a PIN.

    The MAIN answer gives it, once ``digits_min`` are typed: ``ask`` then returns ``number_given(digits)``. No answer
    but MAIN and BACK stands beside it, because the digits are the number's own.
    """

    digits_max: int
    digits_min: int = 1


_NUMBER = "#"


def number_given(digits: str) -> str:
    return _NUMBER + digits


def digits_given(value: str) -> str:
    """The digits that were typed, leading noughts and all. Inverse of ``number_given``.

    Raises:
        ValueError: the value is no number.
    """
    if not value.startswith(_NUMBER) or not value[1:].isdigit():
        raise ValueError("no number was given")
    return value[1:]


@dataclass(frozen=True)
class Waiting:
    """Three still dots after 0.3 s, ``doing`` after 3 s, "takes a little longer" after 15 s. Has no timeout."""

    doing: Text


@dataclass(frozen=True)
class Code:
    """A QR code for somebody's telephone. ``words`` say the same for who compares by eye or ear; no stranger may not
    hear them."""

    content: str
    words: tuple[Text, ...] = ()


Body = Plain | Tiles | Figures | Hands | Stars | Number | Waiting | Code


@dataclass(frozen=True)
class Question:
    """One screen.

    ``heading``: the question, at most two lines. ``explain``: up to four short sentences: first where card and money
    are, then the next step, then who helps. ``spoken`` replaces heading + explanation when they do not sound right.
    ``case_code`` is drawn as a note ("number 4512 07") for the telephone.
    """

    name: str
    heading: Text
    explain: tuple[Text, ...] = ()
    body: Body = Plain()
    answers: tuple[Answer, ...] = ()
    tone: Tone = Tone.NEUTRAL
    spoken: Text | None = None
    case_code: str = ""

    def answer(self, value: str) -> Answer:
        """The answer with this value.

        Raises:
            LookupError: the question has none.
        """
        gives_number = isinstance(self.body, Number) and value.startswith(_NUMBER)
        for answer in self.answers:
            if answer.value == value or (gives_number and answer.role is Role.MAIN):
                return answer
        raise LookupError(f"question {self.name} has no answer {value}")
