"""Which keys of the pad are in doubt: the journal remembers it between the cards of custodians, and over a power cut.

From the moment its last part is asked for, nobody knows which key is in the place, and a key that two people did not
confirm is not used: whoever would use it asks here. Every entry carries the names of all keys that are in doubt after
it, and the check values that were ever confirmed, so that the newest one tells. Blocks that the fleet brings are
journaled apart, by the places that they are for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from kiosk.domain.entries import Facts, NewEntry, StoredEntry
from kiosk.ports import Journal
from kiosk.settings.config import Settings
from kiosk.settings.key_rules import TypedKey

ASKED, PART_IN, NOT_TYPED, UNKNOWN = "key_part_asked", "key_part_in", "key_not_typed", "key_unknown"
TYPED, AGREED, CONFIRMED, REFUSED = "key_typed", "key_agreed", "key_confirmed", "key_refused"
KEY_ACTS = (ASKED, PART_IN, NOT_TYPED, UNKNOWN, TYPED, AGREED, CONFIRMED, REFUSED)
_CLEARS = (CONFIRMED, PART_IN, NOT_TYPED)  # after which no key is in doubt, as far as their names alone tell
LOADING = "key_load_asked"  # one of the fleet's blocks goes to the pad
LOADED = "key_load_answered"  # what became of it


class Newest(Protocol):
    """The journal, or whoever reads its file."""

    def last(self, *acts: str) -> StoredEntry | None: ...


@dataclass(frozen=True)
class KeyStanding:
    """The newest entry about any typed key."""

    entry: StoredEntry
    facts: Facts

    @property
    def act(self) -> str:
        return self.entry.act

    @property
    def key(self) -> str:
        return str(self.facts["key"])

    def word(self, name: str) -> str:
        return str(self.facts.get(name, ""))


def standing_key(journal: Newest) -> KeyStanding | None:
    """None before the first one, and where its details were destroyed at the end of retention."""
    newest = journal.last(*KEY_ACTS)
    return None if newest is None or newest.facts is None else KeyStanding(newest, newest.facts)


def keys_in_doubt(journal: Newest, keys: Mapping[str, TypedKey]) -> frozenset[str]:
    """Names of keys that must not be used. Where the details of the newest entry are destroyed: all, unless it was a
    good one."""
    newest = journal.last(*KEY_ACTS)
    if newest is None:
        return frozenset()
    if newest.facts is None:
        return frozenset() if newest.act in _CLEARS else frozenset(keys)
    return frozenset(str(newest.facts["doubtful"]).split())


def write_key_act(journal: Journal, act: str, case_code: str, key: str, doubt: bool, **facts: str | int) -> None:
    """Durable on return. ``doubt``: whether this key is in doubt from now on; the others are as they were."""
    newest = standing_key(journal)
    others = set(newest.word("doubtful").split()) - {key} if newest else set()
    values = _values(newest) | ({key: str(facts["check_value"])} if act == CONFIRMED else {})
    after = {
        "doubtful": " ".join(sorted(others | ({key} if doubt else set()))),
        "confirmed": " ".join(f"{name}={value}" for name, value in sorted(values.items())),
    }
    journal.commit(NewEntry(act, case_code, {"key": key, **facts, **after}))


def _values(newest: KeyStanding | None) -> dict[str, str]:
    """Check values that custodians confirmed, by the name of the key; also of one that is in doubt since."""
    pairs = newest.word("confirmed").split() if newest else []
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


def told_keys(journal: Journal, keys: Mapping[str, TypedKey]) -> dict[str, dict[str, str | bool]]:
    """Of each key: the check value that was confirmed last ("": it came into the pad some other way), and whether it is
    in doubt now."""
    if not keys:
        return {}
    doubtful, values = keys_in_doubt(journal, keys), _values(standing_key(journal))
    return {name: {"check_value": values.get(name, ""), "in_doubt": name in doubtful} for name in keys}


def bank_keys_under(journal: Journal, settings: Settings) -> int | None:
    """A number that changes whenever somebody typed at a key: what was loaded under another one is void. None: the
    bank's master key or a working key of its is in doubt, and nothing may be loaded or made with it."""
    slots = (-1, settings.bank.pin_slot, settings.bank.mac_slot)
    of_bank = {
        name
        for name, key in settings.typed_keys.items()
        if key.master == settings.bank.pad_master and key.slot in slots
    }
    if not of_bank:
        return 0
    if of_bank & keys_in_doubt(journal, settings.typed_keys):
        return None
    newest = journal.last(*KEY_ACTS)
    return newest.seq if newest else 0


def master_in_doubt(journal: Journal, settings: Settings, master: int) -> bool:
    """Whether nothing may be loaded under this master key."""
    if not settings.typed_keys:
        return False
    doubtful = keys_in_doubt(journal, settings.typed_keys)
    named = (settings.typed_keys[name] for name in doubtful if name in settings.typed_keys)
    return any(key.master == master and key.slot < 0 for key in named)


def places_in_doubt(journal: Newest) -> frozenset[str]:
    """Places "MASTER/SLOT" of which nobody knows that the key in them is the one that its officers sent last."""
    newest = journal.last(LOADING, LOADED)
    facts = newest.facts if newest else None
    return frozenset(str(facts.get("doubtful", "")).split()) if facts else frozenset()


def write_loading(journal: Journal, place: str, key: str) -> frozenset[str]:
    """Before the pad is asked: a power cut from here on leaves the place in doubt, also where the block's own time is
    over before it is told again. What was in doubt before."""
    before = places_in_doubt(journal)
    journal.record(LOADING, "", key=key, doubtful=" ".join(sorted(before | {place})))
    return before


def write_load(
    journal: Journal, place: str, doubt: bool | None, before: frozenset[str] | None = None, **facts: str
) -> None:
    """``doubt``: whether the key in that place is in doubt from now on; None: it is as it was ``before``, by default
    as it stands now."""
    was = places_in_doubt(journal) if before is None else before
    after = was if doubt is None else was | {place} if doubt else was - {place}
    journal.record(LOADED, "", **facts, doubtful=" ".join(sorted(after)))
