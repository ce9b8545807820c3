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
    """``state``: in_force | paused | ended | receiving | not_insured. ``since``: YYYY-MM-DD or ""."""

    state: Annotated[str, _words("in_force", "paused", "ended", "receiving", "not_insured")] = "in_force"
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


class BillLineEntry(_Part, frozen=True, kw_only=True):
    """``kind``: full (甲, all in scope), shared (乙, a tenth paid first by the person), own (丙, all by the person)."""

    name: str
    quantity: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,6}(\.[0-9]{1,4})?$")] = "1"
    amount_fen: Annotated[int, msgspec.Meta(ge=1)]
    kind: Annotated[str, _words("full", "shared", "own")] = "full"
    over_limit_fen: Annotated[int, msgspec.Meta(ge=0)] = 0  # above the highest price the insurance knows


class BillEntry(_Part, frozen=True, kw_only=True):
    """An unpaid bill at the world's hospital."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Z-]{2,20}$")]
    department: str
    visited_on: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    medical_kind: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{2}$")] = "11"  # med_type; 11 = ordinary outpatient
    lines: Annotated[list[BillLineEntry], msgspec.Meta(min_length=1)]

    @property
    def total_fen(self) -> int:
        return sum(line.amount_fen for line in self.lines)


class DebtEntry(_Part, frozen=True, kw_only=True):
    """Money that the hospital's register keeps for the holder of the resident's first card."""

    amount_fen: Annotated[int, msgspec.Meta(ge=1)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=40)] = "change"


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
    medical_scheme: Annotated[str, _words("", "310", "390")] = ""  # "": 310 for who ever worked, 390 for the others
    insured_place: Annotated[str, msgspec.Meta(pattern=r"^([0-9]{6})?$")] = ""  # "": the world's city
    admission: str = ""  # number of the hospital stay that deposits go to; "": none
    admitted_on: _Date = "2026-11-16"
    admission_department: str = "内科"
    bills: list[BillEntry] = []
    debts: list[DebtEntry] = []


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


class StaffEntry(_Part, frozen=True, kw_only=True):
    """A staff card in the rack. It names an id and a role, never a person."""

    handle: str
    title: str  # what the rack says
    staff_id: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Z]{1,12}$")]
    role: Annotated[str, _words("clerk", "supervisor")] = "clerk"
    pin: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4,12}$")] = "135790"
    tries_left: Annotated[int, msgspec.Meta(ge=0, le=15)] = 3
    tries_max: Annotated[int, msgspec.Meta(ge=1, le=15)] = 3
    expired: bool = False


class Keys(_Part, frozen=True):
    """TEST keys: 32 hex digits each. The PSAM and the sandbox HSM hold the same."""

    internal_authentication: _SixteenBytes = "0123456789ABCDEFFEDCBA9876543210"
    read_ssse: _SixteenBytes = "89ABCDEF01234567FEDCBA9876543210"
    pad_master: _SixteenBytes = "0123456789ABCDEFFEDCBA9876543210"
    bank_card: _SixteenBytes = "2315208C9110AD402315208C9110AD40"  # issuer's master key of application cryptograms
    bank_script: _SixteenBytes = "4664942FE615FB022315208C9110AD40"  # and of the MACs of issuer scripts


class BankAccount(_Part, frozen=True, kw_only=True):
    """The bank application of one card and the account behind it. The PAN is in nobody's range (it begins with 99)."""

    card: str  # handle
    pan: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{16,19}$")]
    sequence: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{2}$")] = "01"
    expires: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}$")] = "3512"  # YYMM
    pin: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4,12}$")] = "852963"
    balance_fen: Annotated[int, msgspec.Meta(ge=0)] = 0
    daily_limit_fen: Annotated[int, msgspec.Meta(ge=0)] = 2_000_000
    pin_tries: Annotated[int, msgspec.Meta(ge=0, le=15)] = 3
    authentication: Annotated[str, _words("dda", "sda", "none")] = "dda"
    issuer_proof: Annotated[str, _words("external", "second_ac")] = "external"
    blocked: bool = False  # the bank application in the chip
    balks: bool = False  # the chip declines whatever the bank has approved
    script: Annotated[str, _words("none", "unblock_counter", "block_application", "nonsense")] = "none"


class HospitalEntry(_Part, frozen=True):
    """``code``: twelve characters, as the medical insurance knows it. ``level``: 1 to 3, decides ratios."""

    code: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Z]{12}$")] = "H99000100001"
    name: str = "示例市人民医院"
    level: Annotated[int, msgspec.Meta(ge=1, le=3)] = 3


class World(_Part, frozen=True, kw_only=True):
    name: str
    city: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{6}$")] = "410100"
    keys: Keys = Keys()
    hospital: HospitalEntry = HospitalEntry()
    residents: list[Resident]
    cards: list[Card]
    bank_accounts: list[BankAccount] = []
    staff: list[StaffEntry] = []
    loss_report_covers_bank: bool = False  # whether a loss report at the card platform reaches the bank, too

    def bank_account(self, card: str) -> BankAccount | None:
        return next((one for one in self.bank_accounts if one.card == card), None)

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
        ("card", [card.handle for card in world.cards] + [card.handle for card in world.staff]),
        ("staff id", [card.staff_id for card in world.staff]),
        ("card number", [card.number for card in world.cards if card.number]),
        ("bank account's card", [account.card for account in world.bank_accounts]),
        ("PAN", [account.pan for account in world.bank_accounts]),
        ("bill", [bill.id for resident in world.residents for bill in resident.bills]),
    ):
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise WorldError(f"{path}: {thing} used twice: {', '.join(twice)}")
    known = {resident.handle for resident in world.residents}
    for card in world.cards:
        if card.resident not in known:
            raise WorldError(f"{path}: card {card.handle} belongs to nobody: {card.resident}")
    for account in world.bank_accounts:
        if account.card not in {card.handle for card in world.cards}:
            raise WorldError(f"{path}: bank account of a card that is not there: {account.card}")
        if not _luhn(account.pan):
            raise WorldError(f"{path}: wrong check digit in the PAN of card {account.card}")
    return world


def _luhn(pan: str) -> bool:
    doubled = [int(digit) * (2 if at % 2 else 1) for at, digit in enumerate(reversed(pan))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
