"""The social security card as the kiosk sees it: what is free to read, who holds it, what its PIN said."""

from dataclasses import dataclass, field
from datetime import date
from enum import Enum


@dataclass(frozen=True)
class CardIdentity:
    """File EF05 of the SSSE, free to read on every card (LD/T 32.5). Names nobody.

    Dates are None where the card holds something that is no date: real cards do.
    """

    identification_code: bytes  # 16 bytes: city, RID, chip serial, MAC
    card_number: str  # 9 characters
    spec_version: str  # "1.00", "2.00", "3.00"; cleaned of padding
    issued: date | None
    expires: date | None
    atr: bytes

    @property
    def holder_needs_key(self) -> bool:
        """Spec 3.00 opens the holder's file only after an external authentication."""
        return self.spec_version.startswith("3")

    @property
    def city(self) -> str:
        """Six-digit division code of the issuing city (GB/T 2260)."""
        return self.identification_code[:3].hex()

    @property
    def random_seed(self) -> bytes:
        """Last eight bytes of the ATR: what a PSAM diversifies its keys with."""
        return self.atr[-8:]


class Sex(Enum):
    MALE = "1"
    FEMALE = "2"
    UNKNOWN = "9"


@dataclass(frozen=True)
class Holder:
    """File EF06 of the SSSE. Every text may be empty: cards with empty names are in the field."""

    name: str
    social_security_number: str
    sex: Sex
    nation: str  # two digits of GB/T 3304, or ""
    born: date | None


@dataclass(frozen=True)
class ChipRecord:
    """What the chip itself holds for its holder when no host answers. Old by nature: show the date."""

    contributed_months: int | None
    personal_account_fen: int | None
    as_of: date | None


class PinResult(Enum):
    """What came of a chip PIN entry. No port ever returns digits (pins-and-keys 1)."""

    OK = "ok"
    WRONG = "wrong"  # tries_left says how many remain
    LOCKED = "locked"  # 6983, or no try left
    INITIAL = "initial"  # right, but still the PIN the card was issued with
    UNSET = "unset"  # the card was never given a PIN
    MISMATCH = "mismatch"  # the new PIN and its repetition differ; nothing was sent
    TOO_SIMPLE = "too_simple"  # the new PIN is the initial one, or easy to guess; nothing was sent
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    UNKNOWN = "unknown"  # the card gave no status word: either PIN may be in force


@dataclass(frozen=True)
class PinVerdict:
    result: PinResult
    tries_left: int | None = None


class PinPrompt(Enum):
    """Which PIN the resident is typing now."""

    CURRENT = "current"
    NEW = "new"
    REPEAT = "repeat"


@dataclass(frozen=True)
class PinProgress:
    """Shown as stars while a PIN is typed: how many digits, never which."""

    prompt: PinPrompt
    digits: int


@dataclass(frozen=True)
class RefusedPins:
    """New PINs that are too easy to guess, as far as whoever sees the digits can tell: in mode A that is the reader.

    ``kinds``: one_digit, run, pattern. ``parts``: digits of the holder's own data; a PIN that stands in one is refused.
    """

    kinds: tuple[str, ...] = ()
    parts: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class PinTemplate:
    """What a PIN may look like here (regional data) and how long an entry may take."""

    digits_min: int
    digits_max: int
    entry_s_max: float
    initial_pins_refused: bool = True
    new_pin_refused: RefusedPins = RefusedPins()


@dataclass(frozen=True)
class PinChange:
    """That the PIN of a card's chip was changed, as its platform hears of it. ``at``: ISO 8601 with its zone."""

    key: str
    card_number: str
    at: str


class CardState(Enum):
    """State at the card platform, mapped from regional codes. An unknown code is UNKNOWN: explain, never guess."""

    NORMAL = "normal"
    NOT_ENABLED = "not_enabled"
    LOST = "lost"
    TEMPORARILY_LOST = "temporarily_lost"
    SEALED = "sealed"  # 封存
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
