"""The one question that a terminal asks again and again, and its answer: docs/fleet.md, "The poll".

A terminal tells how it is, what it runs and what became of its commands; the fleet answers what is wanted of it. Both
are JSON. Fields that this version does not know are passed over, on both sides: terminals and fleet are never updated
in one moment. All times are ISO 8601 with a zone; sums are whole fen.
"""

from typing import Annotated, Any, Literal

import msgspec

TERMINAL_ID = r"^[A-Za-z0-9]{4,16}$"
TENANT = r"^[a-z0-9][a-z0-9-]{1,31}$"

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Fen = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
Millis = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]  # a number without end is no float, and ends who counts
Word = Annotated[str, msgspec.Meta(max_length=64)]
Words = Annotated[str, msgspec.Meta(max_length=200)]


class Part(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A piece of a question or an answer."""


class Slot(Part):
    """``condition``: of ``kiosk.domain.health``; never "ready" without a probe."""

    condition: Word
    reason: Word = ""
    since: Word = ""


class Consumable(Part):
    """Paper or a cash place. ``left`` in sheets, receipts or notes; ``days_left`` at the pace of the last two weeks."""

    left: Count
    of: Count = 0
    days_left: float | None = None


class Money(Part):
    """What the journal holds that somebody must know of; None where the forwarder did not answer."""

    unsent_count: Count = 0
    unsent_fen: Fen = 0
    unsent_oldest: Word = ""
    suspense_fen: Fen = 0
    suspense_oldest: Word = ""
    open_effects: Count = 0
    open_cases: Count = 0


class Head(Part):
    """The journal's chain head, signed by the terminal's journal key (hex)."""

    seq: Count
    link: Annotated[str, msgspec.Meta(max_length=64)]
    signature: Annotated[str, msgspec.Meta(max_length=128)]
    public_key: Annotated[str, msgspec.Meta(max_length=64)]


class Machine(Part):
    """None: this board cannot tell."""

    disk_free_bytes: Count | None = None
    disk_wear_percent: float | None = None
    rtc_battery: Literal["good", "low", "none"] | None = None
    temperature_c: float | None = None
    modem_signal_dbm: float | None = None
    modem_bytes_today: Count | None = None
    memory_free_bytes: Count | None = None
    up_s: Count | None = None
    clock_offset_ms: Millis | None = None


class Use(Part):
    """Since midnight of the terminal's clock."""

    sessions: Count = 0
    failed_interactions: Count = 0
    staff_calls: Count = 0


class WorkingKeys(Part):
    """Keys in the PIN pad that are to be renewed by sign-on. ``age_s`` None: there are none since the last start."""

    age_s: Count | None = None
    age_s_max: Count = 0


class TypedKey(Part):
    """A key of the PIN pad that custodians type. ``check_value``: confirmed last; "" where it came some other way.
    ``in_doubt``: typed since, and not confirmed by both; nothing is done with it."""

    check_value: Annotated[str, msgspec.Meta(max_length=16)] = ""
    in_doubt: bool = False


class Health(Part):
    """How the terminal is. ``serving``: whether a resident could be served now."""

    at: Word
    serving: bool
    slots: dict[Word, Slot] = {}
    consumables: dict[Word, Consumable] = {}
    money: Money | None = None
    machine: Machine = msgspec.field(default_factory=Machine)
    use: Use = msgspec.field(default_factory=Use)
    keys: dict[Word, WorkingKeys] = {}
    typed_keys: dict[Word, TypedKey] = {}
    versions: dict[Word, Word] = {}
    head: Head | None = None
    troubles: Annotated[list[Words], msgspec.Meta(max_length=32)] = []


class CommandAnswer(Part):
    """What became of one command, told once. ``result``: done | refused | expired | failed."""

    command: Word
    result: Literal["done", "refused", "expired", "failed"]
    why: Words = ""
    facts: dict[str, Any] = {}


class PollQuestion(Part):
    """``health`` is None where nothing changed since the last answer; ``desired_trouble`` says why the newest settings
    are not in force, "" where they are; ``desired_changed`` names, once, what the newest changed. ``boot`` counts the
    agent's starts on its disk, ``run`` is drawn at each of them: ``rules/presence.py`` tells a copied disk by them.
    ``memo``: number of the one it carries."""

    boot: Count = 0
    run: Annotated[str, msgspec.Meta(max_length=32)] = ""
    epoch: Count = 0
    memo: Count = 0
    desired_version: Count = 0
    desired_trouble: Words = ""
    desired_changed: Annotated[list[Words], msgspec.Meta(max_length=16)] = []
    health: Health | None = None
    answers: Annotated[list[CommandAnswer], msgspec.Meta(max_length=64)] = []


class PollAnswer(Part):
    """``commands`` are signed documents as objects; ``action`` is the DDI action to look at, "" for none. ``memo``: of
    the newest to fetch and carry; ``want_memo``: bring the one that is carried (rules/epoch.py). ``trust``: of the
    newest trust list (rules/trust.py), which is fetched before anything else is judged."""

    time: str
    sleep_s: float
    epoch: int = 0
    memo: int = 0
    want_memo: bool = False
    trust: int = 0
    desired_version: int = 0
    action: str = ""
    commands: list[dict[str, Any]] = []
    key_blocks: list[str] = []
    renew_certificate: bool = False
