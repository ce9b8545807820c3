"""One frozen, typed settings tree, read from TOML. An unknown key is an error; names carry their units."""

import hashlib
from pathlib import Path
from typing import Literal

import msgspec

from kiosk.domain.card import CardState
from kiosk.domain.record_kinds import retention_rules
from kiosk.settings.agent_rules import AgentRules
from kiosk.settings.bank_rules import BankRules, bank_rules
from kiosk.settings.credentials import MARK, in_place
from kiosk.settings.hours import Hours, hours_rules
from kiosk.settings.key_rules import TypedKey, typed_key_rules
from kiosk.settings.medical_rules import MedicalInsuranceRules, medical_insurance_rules

WHERE_SETTINGS_ARE = (
    "Name one with --settings: the running demo's is .run/settings.toml, and of a terminal that was installed "
    "/etc/yikatong/settings.toml."
)


class ConfigError(Exception):
    """The settings file cannot be used; the message says where and why, for staff."""


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class Panel(_Part, frozen=True):
    """The glass and where it hangs. Pixels are those of the picture as it stands before a resident."""

    width_px: int = 1080
    height_px: int = 1920
    turned: Literal["normal", "left", "right", "inverted"] = "normal"  # the picture in the panel, in xrandr(1)'s words
    mm_per_px: float = 0.248
    screen_bottom_mm: int = 900
    low_reach: bool = False


class City(_Part, frozen=True):
    """What a city may change about the look."""

    name_zh: str = "示例市社会保障卡"
    name_en: str = "Sample City Social Security Card"
    emblem: str = ""  # path of a PNG, empty for the built-in mark
    action: str = "#0F4C6B"


class Terminal(_Part, frozen=True):
    terminal_id: str = "T0000001"
    place_zh: str = "一楼大厅"
    place_en: str = "Ground floor hall"
    profile: str = "hall"  # hall | hospital | village
    telephone: str = "0000-12333"
    reset_counter_zh: str = "3 号窗口"
    reset_counter_en: str = "counter 3"
    headset: bool = False  # one is always there; where it is plugged in, slot ``headset`` tells
    loudspeaker: str = ""  # ALSA names, where the two are two devices; empty: the machine's own choice
    headset_sound: str = ""


class SlotSettings(_Part, frozen=True):
    """``driver`` is the name of an entry point of group yikatong.drivers; ``options`` are the driver's own."""

    driver: str
    options: dict[str, str | int | float | bool] = {}


class HostSettings(_Part, frozen=True):
    url: str
    ca: str = ""
    certificate: str = ""
    private_key: str = ""
    proxy: str = ""  # host:port on the way there, asked by CONNECT; TLS goes through it to the host itself
    tunnel: str = ""  # UNIX socket of the stunnel that does TLS where the key is in a token; then no certificate here
    deadline_s: float = 8.0
    # What the host's own document promises, where it promises it at all.
    batch_items_max: int = 1  # notices that it takes in one question, each with a result of its own
    remembers_keys_days: int = 0  # for how long it takes a key once
    receipt_records: bool = False  # whether it wants to hear of every receipt of its services that came out


NEW_PIN_KINDS = ("one_digit", "run", "pattern", "birth_date", "card_number", "personal_number")


class PinRules(_Part, frozen=True):
    """Regional data about the chip's PIN."""

    digits_min: int = 6
    digits_max: int = 6
    entry_s_max: float = 60.0
    initial_permits_query: bool = True
    initial_permits_certificate: bool = False
    unset_permits_query: bool = False
    # Of NEW_PIN_KINDS. Only where the digits pass this computer (mode B); in mode A the reader's maker decides.
    new_pin_refuses: tuple[str, ...] = ("one_digit", "run", "pattern", "birth_date", "card_number", "personal_number")
    reset_place_zh: str = "3 号窗口"
    reset_place_en: str = "counter 3"
    reset_documents_zh: str = "身份证和社保卡"
    reset_documents_en: str = "your ID card and this card"


class Timing(_Part, frozen=True):
    """Seconds that a resident has."""

    question_s: float = 90.0
    question_slow_s: float = 180.0  # in large or spoken mode
    warning_s: int = 20
    card_left_s: float = 60.0
    paper_left_s: float = 60.0
    read_card_s: float = 20.0  # the card's: until it has told whose it is, or is called mute


class CashRules(_Part, frozen=True):
    """Regional data about cash (money-rules 13, 20) and patience while notes are inside."""

    bill_fen_max: int = 500_000
    notes_max: int = 40
    content_fen_max: int = 20_000_000  # of cash box and drums together; beyond it staff must come first
    deposit_fen_min: int = 10_000  # of one inpatient deposit
    deposit_fen_max: int = 500_000
    deposit_offers_fen: tuple[int, ...] = (20_000, 50_000, 100_000, 200_000, 300_000)
    change_owed_fen_max: int = 999  # change below this may be owed through the debt register instead of paid in notes
    first_note_s: float = 90.0
    next_note_s: float = 300.0
    same_card_s: float = 60.0


class SettlementRules(_Part, frozen=True):
    """Patience with the medical insurance platform."""

    unknown_s_max: float = 90.0  # then the resident leaves with an "outcome pending" paper (money-rules 10)
    processing_s_max: float = 30.0  # the platform's own longest time for one message
    order_days_max: int = 30  # then a bill that was left to be settled later is not settled any more


class Seals(_Part, frozen=True):
    """Trust anchors of the agency's seal."""

    anchors: str = ""
    verify_s_max: float = 20.0
    time_tolerance_s: int = 300


class AgencyKeys(_Part, frozen=True):
    """Public keys of the agency, PEM files."""

    recovery: str = ""  # RSA, its private half with two custodians: the journal's sealing keys are wrapped to it
    documents: dict[str, str] = {}  # name -> Ed25519: who may sign policies, hotlists and acknowledgements
    ledger: dict[str, str] = {}  # name -> Ed25519: of the ledger's server, which may say what it keeps and nothing else


class JournalRules(_Part, frozen=True):
    """Where the journal's rows go beside the agency's ledger (money-rules 25). Empty: nothing is fitted there."""

    second_medium: str = ""  # a folder on another disk or card; not its mount point, which is also there without it
    second_medium_bytes_max: int = 1 << 30
    stick: str = ""  # where staff's USB stick is mounted, for terminals without a line
    stick_is_mount: bool = True  # an empty mount point is no stick
    keep_months: int = 0  # whole months after its own in which a month's rows can be read here (rule 29); 0: always
    keep_months_of: dict[str, int] = {}  # kind of record -> the same for that kind alone: see domain/record_kinds.py


class OfflineRules(_Part, frozen=True):
    """Where the agency's documents for the time without a line are. Without them nothing is done offline."""

    documents: str = ""  # folder: offline-policy.json, hotlist.json with its body and changes
    hotlist_key: str = ""  # file of 32 bytes
    has_rtc: bool = False  # the board's clock runs on a battery: it is right also before a host was heard


class ContributionRules(_Part, frozen=True):
    """Regional data for the time without the line; with it the agency says what is payable. 0: nothing offline."""

    year: int = 0
    pension_grades_fen: tuple[int, ...] = ()
    medical_grades_fen: tuple[int, ...] = ()


class LossRules(_Part, frozen=True):
    """Regional data about loss reports."""

    by_number: bool = True  # whether somebody without the card may report it by their personal number
    telephone: str = "12333"  # where a report is in force at once


class StaffRules(_Part, frozen=True):
    """Who may open the staff side. Without an anchor nobody: a staff card is then a foreign card."""

    anchor: str = ""  # PEM of the agency's authority for staff cards
    entry_s_max: float = 60.0
    count_s: float = 1800.0  # for one question while notes are counted by hand
    approve_age_s_max: float = 86_400.0  # a count that nobody approved by then must be counted again
    key_part_s: float = 900.0  # from one custodian's part of a key to the other's; the pad's own patience is as long
    refund_s: float = 900.0  # from opening to approving, and from there to the holder's card


class Settings(_Part, frozen=True):
    """Everything a kiosk process is told. ``run_dir`` is private and on tmpfs, ``data_dir`` survives."""

    run_dir: str
    data_dir: str
    production: bool = False
    pin_mode: str = "B"
    language: str = "zh"
    voice_dir: str = ""
    panel: Panel = Panel()
    city: City = City()
    terminal: Terminal = Terminal()
    slots: dict[str, SlotSettings] = {}
    hosts: dict[str, HostSettings] = {}
    pin: PinRules = PinRules()
    timing: Timing = Timing()
    seals: Seals = Seals()
    cash: CashRules = CashRules()
    settlement: SettlementRules = SettlementRules()
    medical_insurance: MedicalInsuranceRules = MedicalInsuranceRules()
    bank: BankRules = BankRules()
    staff: StaffRules = StaffRules()
    agency_keys: AgencyKeys = AgencyKeys()
    journal: JournalRules = JournalRules()
    offline: OfflineRules = OfflineRules()
    loss: LossRules = LossRules()
    contributions: ContributionRules = ContributionRules()
    services: tuple[str, ...] = ()  # of the catalogue, by name; empty: all that slots and hosts allow
    hours: Hours = Hours()
    typed_keys: dict[str, TypedKey] = {}  # of the pad, by the name that custodians see
    agent: AgentRules = AgentRules()
    metrics_port: int = 0  # on loopback, where the forwarder shows figures to a collector; 0: nowhere
    sum: str = ""  # of the file that it was read from, whatever that says here
    card_states: dict[str, str] = {}  # the card platform's codes -> CardState values; empty = the built-in map


def load_settings(path: Path) -> Settings:
    """Read and check a settings file.

    Raises:
        ConfigError: unreadable, not TOML, an unknown key, a wrong type, or a value out of its range.
    """
    try:
        content = path.read_bytes()
        settings = msgspec.toml.decode(content, type=Settings)
        if MARK.encode() in content:
            settings = msgspec.convert(in_place(msgspec.to_builtins(settings)), Settings)
        settings = msgspec.structs.replace(settings, sum=sum_of(content))
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no such settings file. {WHERE_SETTINGS_ARE}") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}. {WHERE_SETTINGS_ARE}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}. Correct this in the file; nothing was started.") from error
    return checked(settings, path)


def sum_of(content: bytes) -> str:
    """By which agent and kiosk know that they mean the same settings file."""
    return hashlib.sha256(content).hexdigest()[:16]


def checked(settings: Settings, path: Path) -> Settings:
    """The same settings. Raises ConfigError, beginning with ``path``: a value out of its range."""
    rules: list[tuple[bool, str]] = [
        (settings.pin_mode in ("A", "B"), "pin_mode is A or B"),
        (settings.language in ("zh", "en"), "language is zh or en"),
        (4 <= settings.pin.digits_min <= settings.pin.digits_max <= 12, "PIN lengths lie between 4 and 12"),
        (
            set(settings.pin.new_pin_refuses) <= set(NEW_PIN_KINDS),
            "pin.new_pin_refuses names " + ", ".join(NEW_PIN_KINDS),
        ),
        *retention_rules(settings.journal.keep_months, settings.journal.keep_months_of),
        (
            {state.value for state in CardState}.issuperset(settings.card_states.values()),
            "card_states maps a code to " + ", ".join(state.value for state in CardState),
        ),
        (settings.panel.mm_per_px > 0, "panel.mm_per_px is positive"),
        (settings.timing.question_s > settings.timing.warning_s, "timing.question_s exceeds warning_s"),
        (
            not settings.production or settings.pin_mode == "A",
            "production takes PIN mode A only (pins-and-keys 2)",
        ),
        (
            not settings.production or settings.medical_insurance.signing == "front_end",
            "in production the hospital's front end signs (money-rules 31)",
        ),
    ]
    rules += [
        *hours_rules(settings.hours),
        *medical_insurance_rules(settings.medical_insurance),
        *bank_rules(settings.bank),
        *typed_key_rules(settings.typed_keys),
    ]
    for holds, rule in rules:
        if not holds:
            raise ConfigError(f"{path}: {rule}")
    return settings
