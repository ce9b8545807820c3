"""Keys whose parts two custodians type at the PIN pad itself (pins-and-keys 8). Where they go, and what came of it."""

from dataclasses import dataclass
from enum import Enum

PARTS = 2


@dataclass(frozen=True)
class KeyPlace:
    """``slot`` None: the master key of this number itself; else a working key below it."""

    master: int
    slot: int | None = None


class PartEnd(Enum):
    """How the typing of one part ended."""

    IN = "in"
    NOT_TAKEN = "not_taken"  # the pad refused it: another number of digits. What was typed before still stands
    CANCELLED = "cancelled"  # the red key; as NOT_TAKEN
    TIMED_OUT = "timed_out"  # nothing is in the pad but the key that was there before
    FORGOTTEN = "forgotten"  # the pad had lost the part before this one: neither is in it now
    MIXED = "mixed"  # the pad had a part that nobody typed now: which key is in the place is unknown


@dataclass(frozen=True)
class PartAnswer:
    """``check_value``: of the whole key, once its last part is in; four bytes."""

    end: PartEnd
    check_value: bytes = b""
