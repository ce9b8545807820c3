"""Table ``typed_keys`` of the settings: keys of the PIN pad whose parts two custodians type at it (pins-and-keys 8)."""

import re
from collections.abc import Mapping

import msgspec

from kiosk.domain.typed_keys import KeyPlace

DOMAINS = ("social", "bank")
KEYS_MAX = 6  # a page of rows
_NAME = re.compile(r"[a-z0-9_]{1,16}")


class TypedKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where it goes, and which of staff are its custodians, by the ids of their cards."""

    domain: str  # social | bank
    custodians: tuple[str, ...]
    master: int = 0
    slot: int = -1  # of a working key below that master; -1: the master key itself

    @property
    def place(self) -> KeyPlace:
        return KeyPlace(self.master, None if self.slot < 0 else self.slot)


def typed_key_rules(keys: Mapping[str, TypedKey]) -> list[tuple[bool, str]]:
    """What must hold of the table. The two domains have two sets of officers (pins-and-keys 7)."""
    told = list(keys.values())
    social, bank = ({who for key in told if key.domain == name for who in key.custodians} for name in DOMAINS)
    return [
        (len(keys) <= KEYS_MAX, f"typed_keys names at most {KEYS_MAX} keys"),
        (all(_NAME.fullmatch(name) for name in keys), "typed_keys: a name is of a-z, 0-9 and _, 16 at most"),
        (all(key.domain in DOMAINS for key in told), "typed_keys: domain is social or bank"),
        (
            all(key.master in range(16) and key.slot in range(-1, 4) for key in told),
            "typed_keys: master 0-15, slot to 3",
        ),
        (all(len(set(key.custodians)) >= 2 for key in told), "typed_keys: a key has two custodians or more"),
        (len({key.place for key in told}) == len(told), "typed_keys: two keys have the same place"),
        (not social & bank, "typed_keys: nobody is custodian of both domains"),
    ]
