"""A world: residents, their cards, and what the agency keeps about them. Read from TOML; see README.md for the format.

Names and numbers are invented; numbers are valid only by check digit. Keys and PINs in a world are TEST values.
"""

from pathlib import Path

import msgspec


class WorldError(Exception):
    """The world file cannot be used; the message says where and why."""


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class InsuranceEntry(_Part, frozen=True):
    """``state``: in_force | paused | ended | not_insured. ``since``: YYYY-MM-DD or ""."""

    state: str = "in_force"
    since: str = ""
    months: int = 0


class ContributionRule(_Part, frozen=True, kw_only=True):
    """Unrolled into one contribution a month, newest first, ending with ``last_month``."""

    insurance: str
    last_month: str  # YYYY-MM
    months: int
    base_fen: int
    personal_fen: int
    employer_fen: int
    missing: list[str] = []  # months that did not arrive


class BenefitEntry(_Part, frozen=True, kw_only=True):
    paid_on: str
    kind: str
    amount_fen: int
    account_tail: str


class Resident(_Part, frozen=True, kw_only=True):
    handle: str
    name: str
    number: str  # social security number
    sex: str = "9"
    nation: str = "01"
    born: str = ""  # YYYY-MM-DD
    insurances: dict[str, InsuranceEntry] = {}
    medical_fen: int = 0
    pension_fen: int = 0
    account_as_of: str = "2026-10-31"
    contributions: list[ContributionRule] = []
    benefits: list[BenefitEntry] = []


class Card(_Part, frozen=True, kw_only=True):
    """One card in the rack. Where ``raw`` names a tag (two hex digits), its hex value replaces the built one."""

    handle: str
    title: str  # what the rack says
    resident: str
    spec: str = "2.00"
    number: str = ""
    identification_code: str = ""  # 32 hex digits
    atr: str = ""  # hex; empty = built from the identification code
    issued: str = "20190312"
    expires: str = "20290312"
    pin: str = "246810"
    pin_state: str = "set"  # set | initial | unset
    tries_left: int = 3
    tries_max: int = 3
    platform_state: str = "normal"  # regional code is made from it by the sandbox
    counterfeit: bool = False
    mute: bool = False
    raw: dict[str, str] = {}
    chip_months: int = -1  # -1: the chip holds no such record
    chip_account_fen: int = -1
    chip_as_of: str = ""


class Keys(_Part, frozen=True):
    """TEST keys: 32 hex digits each. The PSAM and the sandbox HSM hold the same."""

    internal_authentication: str = "0123456789ABCDEFFEDCBA9876543210"
    read_ssse: str = "89ABCDEF01234567FEDCBA9876543210"
    pad_master: str = "0123456789ABCDEFFEDCBA9876543210"


class World(_Part, frozen=True, kw_only=True):
    name: str
    city: str = "410100"
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
        WorldError: unreadable, an unknown key, a wrong type, or a card without its resident.
    """
    try:
        world = msgspec.toml.decode(path.read_bytes(), type=World)
    except OSError as error:
        raise WorldError(f"{path}: {error.strerror}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise WorldError(f"{path}: {error}") from error
    known = {resident.handle for resident in world.residents}
    for card in world.cards:
        if card.resident not in known:
            raise WorldError(f"{path}: card {card.handle} belongs to nobody: {card.resident}")
    return world
