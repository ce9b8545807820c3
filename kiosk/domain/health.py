"""Health of a device slot. Silence is UNKNOWN, never fine."""

from dataclasses import dataclass
from enum import Enum


class Condition(Enum):
    ABSENT = "absent"
    STARTING = "starting"
    READY = "ready"
    BUSY = "busy"
    DEGRADED = "degraded"  # works, wants attention: paper low, battery low
    UNKNOWN = "unknown"  # silent
    FAULT = "fault"

    @property
    def usable(self) -> bool:
        return self in (Condition.READY, Condition.BUSY, Condition.DEGRADED)


@dataclass(frozen=True)
class Health:
    """``reason`` is a word of the glossary for staff and logs (``paper_out``, ``cover_open``), never a sentence."""

    condition: Condition
    reason: str = ""


# The places for a device. A settings file fills some of them with drivers.
SLOTS = (
    "card_reader",
    "sam_reader",
    "pin_pad",
    "receipt_printer",
    "page_printer",
    "cash_acceptor",
    "cash_dispenser",
    "barcode_reader",
    "id_card_reader",
    "lights",
    "headset",
)
