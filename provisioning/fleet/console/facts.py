"""What a proposal says, in words: numbers of rows become names, codes become words, what is empty is left out."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provisioning.fleet.console import words
from provisioning.fleet.console.visit import Visit
from provisioning.fleet.schema.places import Place
from provisioning.fleet.schema.software import DistributionSet


@dataclass(frozen=True)
class Fact:
    """``block``: of more than one line."""

    name: str
    value: str
    block: bool = False


def facts(visit: Visit, told: Mapping[str, Any]) -> Iterator[Fact]:
    """Nothing is left out that somebody approves, except what is empty."""
    for name, value in told.items():
        if value in ("", None, [], {}) and name != "profile":
            continue
        if name in _READ:
            yield Fact(name, _READ[name](visit, value))
        elif isinstance(value, dict | list):
            yield Fact(name, json.dumps(value, ensure_ascii=False, indent=2), block=True)
        else:
            yield Fact(name, str(value))


def _place(visit: Visit, value: Any) -> str:
    place = Place.get_or_none((Place.id == value) & (Place.tenant == visit.city))
    return str(value) if place is None else str(place.name_zh if visit.language == "zh" else place.name_en)


def _set(visit: Visit, value: Any) -> str:
    chosen = DistributionSet.get_or_none((DistributionSet.id == value) & (DistributionSet.tenant == visit.city))
    return str(value) if chosen is None else f"{chosen.name} {chosen.version}"


def _word(kind: str) -> Callable[[Visit, Any], str]:
    return lambda visit, value: words.of(kind, str(value), visit.language)


_READ: Mapping[str, Callable[[Visit, Any], str]] = {
    "place": _place,
    "set": _set,
    "role": _word("role"),
    "profile": _word("profile"),
    "act": _word("command"),
}
