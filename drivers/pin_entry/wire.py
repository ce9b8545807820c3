"""What kiosk and PIN process say to each other: one JSON line each. No digit of a PIN is ever part of it.

The kiosk sends one ``Request`` line. The process sends any number of ``{"count": [prompt, digits]}``, then
``{"ready": true}`` and waits for the line ``go``: before it, nothing was sent to the card, and the kiosk may still
change its mind. It ends with exactly one of ``{"verdict": result, "tries": n | null}``, ``{"gone": sent}`` (the card
did not answer; ``sent``: it may have got the command) or ``{"fault": reason}`` (surely nothing was done).
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

LINE_BYTES_MAX = 4096
GO = b"go\n"


@dataclass(frozen=True)
class Request:
    """``initial_pins``: regional list; ``unset_statuses``: how a card says that it was never given a PIN."""

    verb: str  # "verify" | "change"
    reader: str
    identification_code: str  # hex: the card that the kiosk speaks of
    pad_fd: int
    framing: dict[str, str | bool]
    plain_entry: str  # module that reads a PIN from this kind of pad
    digits_min: int
    digits_max: int
    entry_s_max: float
    initial_pins: list[str]
    initial_refused: bool
    unset_statuses: list[int]
    refused_kinds: list[str]  # of new PINs: drivers/pin_entry/too_simple.py
    refused_parts: list[str] = field(repr=False)  # digits of the holder's own data

    def line(self) -> bytes:
        return json.dumps(asdict(self)).encode("ascii") + b"\n"

    @classmethod
    def parse(cls, line: bytes) -> "Request":
        return cls(**json.loads(line))


def say(**message: Any) -> bytes:
    return json.dumps(message).encode("ascii") + b"\n"
