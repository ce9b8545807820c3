"""Every way a service may touch the world, as protocols, with the exceptions that cross them.

Import from here: ``from kiosk.ports import CardReader, DeviceFault``.
"""

from kiosk.ports.cash import CashModule
from kiosk.ports.devices import (
    CardAuthority,
    CardReader,
    Device,
    DeviceContext,
    PagePrinter,
    PinEntry,
    PinPad,
    ReceiptPrinter,
    SamReader,
)
from kiosk.ports.errors import (
    Back,
    CardGone,
    CardNotGenuine,
    Chose,
    DeviceFault,
    HostRefused,
    OutcomeUnknown,
    ResidentLeft,
    UnusableSettings,
)
from kiosk.ports.hosts import (
    AgencyDuty,
    CardPlatform,
    HostAnswer,
    HostLink,
    SealVerifier,
    SocialInsurance,
    StaffAcknowledgement,
)
from kiosk.ports.house import Clock, Journal, Log
from kiosk.ports.keys import PadKey
from kiosk.ports.kiosk import Kiosk, Outcome, Visit
from kiosk.ports.questions import (
    Answer,
    Figure,
    Figures,
    Hands,
    Place,
    Plain,
    Question,
    Role,
    Stars,
    Tiles,
    Tone,
    Waiting,
)
from kiosk.ports.screen import HELP, Preferences, Screen

__all__ = [
    "HELP",
    "AgencyDuty",
    "Answer",
    "Back",
    "CardAuthority",
    "CardGone",
    "CardNotGenuine",
    "CardPlatform",
    "CardReader",
    "CashModule",
    "Chose",
    "Clock",
    "Device",
    "DeviceContext",
    "DeviceFault",
    "Figure",
    "Figures",
    "Hands",
    "HostAnswer",
    "HostLink",
    "HostRefused",
    "Journal",
    "Kiosk",
    "Log",
    "Outcome",
    "OutcomeUnknown",
    "PadKey",
    "PagePrinter",
    "PinEntry",
    "PinPad",
    "Place",
    "Plain",
    "Preferences",
    "Question",
    "ReceiptPrinter",
    "ResidentLeft",
    "Role",
    "SamReader",
    "Screen",
    "SealVerifier",
    "SocialInsurance",
    "StaffAcknowledgement",
    "Stars",
    "Tiles",
    "Tone",
    "UnusableSettings",
    "Visit",
    "Waiting",
]
