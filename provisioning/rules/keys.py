"""Key blocks: what the fleet carries between officers and PIN pads, and cannot read. pins-and-keys 7 and 8.

Two domains with two sets of officers: social security keys (the province or above) and bank keys (the acquirer). A
block is wrapped to one pad, or under a master key that only pads hold; ``form`` says how, and the pad's driver says
which forms its pad unwraps. Nothing on a server or terminal ever has the key.
"""

import re
from typing import Annotated, Literal

import msgspec

KIND = "key_block"
GOOD_FOR_MS = 30 * 86_400_000  # a village is dark for weeks
Hex = Annotated[str, msgspec.Meta(pattern=r"^([0-9A-F]{2})+$", max_length=2048)]
CheckValue = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-F]{6,16}$")]
Domain = Literal["social", "bank"]
TR31 = re.compile(r"[A-D][0-9]{4}[A-Z0-9]{2}")  # ANSI X9.143: version, length, usage
DOMAINS: tuple[Domain, ...] = ("social", "bank")


class KeyBlock(msgspec.Struct, frozen=True, kw_only=True):
    """``block`` in hex (a TR-31 block is the hex of its characters). ``pad``: serial number of the pad that it is for,
    "" for whichever pad has ``master``. ``check_value``: what the officers expect, in hex, as long as they know it."""

    block_id: Annotated[str, msgspec.Meta(max_length=36)]
    terminal_id: Annotated[str, msgspec.Meta(max_length=16)]
    domain: Domain
    form: Annotated[str, msgspec.Meta(max_length=16)]
    master: Annotated[int, msgspec.Meta(ge=0, le=255)] = 0
    slot: Annotated[int, msgspec.Meta(ge=0, le=255)]
    block: Hex
    check_value: CheckValue
    pad: Annotated[str, msgspec.Meta(max_length=40)] = ""


class KeyAnswer(msgspec.Struct, kw_only=True):
    """What became of a block. ``check_value``: of the key that the pad holds now, "" where nothing was loaded."""

    result: Literal["done", "differs", "refused", "failed"]
    check_value: Annotated[str, msgspec.Meta(max_length=16)] = ""
    why: Annotated[str, msgspec.Meta(max_length=200)] = ""


def agrees(expected: str, told: str) -> bool:
    """Check values are cut to different lengths by pads and officers: the shorter one decides, at three bytes least."""
    length = min(len(expected), len(told))
    return length >= 6 and expected[:length].upper() == told[:length].upper()
