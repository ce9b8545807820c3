"""A world: residents, their cards, and what the agency keeps about them. Read from TOML; see README.md for the format.

Names and numbers are invented; numbers are valid only by check digit. Keys and PINs in a world are TEST values.
"""

from collections import Counter
from pathlib import Path
from typing import Annotated

import msgspec


class WorldError(Exception):
    """The world file cannot be used; the message says where and why."""


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


def _words(*words: str) -> msgspec.Meta:
    return msgspec.Meta(pattern=f"^({'|'.join(words)})$")


# Checked when a file is read, so that a mistake in somebody's own world is told at once and by its place.
_Date = Annotated[str, msgspec.Meta(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")]
_Month = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
_Hex = Annotated[str, msgspec.Meta(pattern=r"^([0-9A-Fa-f]{2})*$")]
_SixteenBytes = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Fa-f]{32}$")]
_Tag = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Fa-f]{2}$")]
_Insurance = Annotated[str, _words("pension", "medical", "unemployment", "injury", "maternity")]
_Count = Annotated[int, msgspec.Meta(ge=0, le=1200)]


class InsuranceEntry(_Part, frozen=True):
    """``state``: in_force | paused | ended | not_insured. ``since``: YYYY-MM-DD or ""."""

    state: Annotated[str, _words("in_force", "paused", "ended", "not_insured")] = "in_force"
    since: _Date = ""
    months: _Count = 0


class ContributionRule(_Part, frozen=True, kw_only=True):
    """Unrolled into one contribution a month, newest first, ending with ``last_month``."""

    insurance: _Insurance
    last_month: _Month
    months: _Count
    base_fen: int
    personal_fen: int
    employer_fen: int
    missing: list[_Month] = []  # months that did not arrive


class BenefitEntry(_Part, frozen=True, kw_only=True):
    paid_on: _Date
    kind: str
    amount_fen: int
    account_tail: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{0,4}$")]


class Resident(_Part, frozen=True, kw_only=True):
    handle: str
    name: str
    number: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Z]{0,18}$")]  # social security number
    sex: Annotated[str, _words("1", "2", "9")] = "9"
    nation: Annotated[str, msgspec.Meta(pattern=r"^([0-9]{2})?$")] = "01"
    born: _Date = ""
    insurances: dict[_Insurance, InsuranceEntry] = {}
    medical_fen: int = 0
    pension_fen: int = 0
    account_as_of: _Date = "2026-10-31"
    contributions: list[ContributionRule] = []
    benefits: list[BenefitEntry] = []


class Card(_Part, frozen=True, kw_only=True):
    """One card in the rack. Where ``raw`` names a tag (two hex digits), its hex value replaces the built one."""

    handle: str
    title: str  # what the rack says
    resident: str
    spec: str = "2.00"
    number: Annotated[str, msgspec.Meta(pattern=r"^([0-9A-Z]{9})?$")] = ""
    identification_code: Annotated[str, msgspec.Meta(pattern=r"^([0-9A-Fa-f]{32})?$")] = ""
    atr: _Hex = ""  # empty = built from the identification code
    issued: str = "20190312"
    expires: str = "20290312"
    pin: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4,12}$")] = "246810"
    pin_state: Annotated[str, _words("set", "initial", "unset")] = "set"
    tries_left: Annotated[int, msgspec.Meta(ge=0, le=15)] = 3
    tries_max: Annotated[int, msgspec.Meta(ge=1, le=15)] = 3
    platform_state: Annotated[
        str, _words("normal", "not_enabled", "lost", "temporarily_lost", "sealed", "cancelled", "unknown")
    ] = "normal"  # the sandbox makes the regional code from it; unknown = a code that no map has
    counterfeit: bool = False
    mute: bool = False
    raw: dict[_Tag, _Hex] = {}
    chip_months: int = -1  # -1: the chip holds no such record
    chip_account_fen: int = -1
    chip_as_of: _Date = ""


class Keys(_Part, frozen=True):
    """TEST keys: 32 hex digits each. The PSAM and the sandbox HSM hold the same."""

    internal_authentication: _SixteenBytes = "0123456789ABCDEFFEDCBA9876543210"
    read_ssse: _SixteenBytes = "89ABCDEF01234567FEDCBA9876543210"
    pad_master: _SixteenBytes = "0123456789ABCDEFFEDCBA9876543210"


class World(_Part, frozen=True, kw_only=True):
    name: str
    city: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{6}$")] = "410100"
    keys: Keys = Keys()
    residents: list[Resident]
    cards: list[Card]

    def resident(self, handle: str) -> Resident:
        return next(one for one in self.residents if one.handle == handle)

    def card(self, handle: str) -> Card:
        return next(one for one in self.cards if one.handle == handle)


def load_world(path: Path) -> World:
    """Read a world.

    Raises:
        WorldError: unreadable, an unknown key, a wrong value, a handle or number used twice, or a card that belongs
            to nobody.
    """
    try:
        world = msgspec.toml.decode(path.read_bytes(), type=World)
    except OSError as error:
        raise WorldError(f"{path}: {error.strerror}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise WorldError(f"{path}: {error}") from error
    for thing, names in (
        ("resident", [resident.handle for resident in world.residents]),
        ("card", [card.handle for card in world.cards]),
        ("card number", [card.number for card in world.cards if card.number]),
    ):
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise WorldError(f"{path}: {thing} used twice: {', '.join(twice)}")
    known = {resident.handle for resident in world.residents}
    for card in world.cards:
        if card.resident not in known:
            raise WorldError(f"{path}: card {card.handle} belongs to nobody: {card.resident}")
    return world
