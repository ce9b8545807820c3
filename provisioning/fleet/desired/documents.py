"""Signed documents among the bodies of a city's settings, as far as they end one day: the agency's offline policy, its
hotlist, its list of blocked PSAMs. Their signatures are the terminals' to judge; here only their dates are read.

A terminal does nothing with money offline by a policy or a hotlist that is older than the policy allows
(``kiosk/domain/offline.py``), so that age ends them too. The service catalogue is part of the settings, which stay in
force; trust lists never end (ADR 52).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from peewee import fn

from kiosk.basics.signed import DOCUMENT_BYTES_MAX
from provisioning.fleet.desired.bodies import FOLDER
from provisioning.fleet.schema.desired import SettingsLayer
from provisioning.fleet.schema.places import Place

POLICY, PSAM_LIST, HOTLIST, CHANGES = "offline_policy", "psam_blocklist", "hotlist", "hotlist_changes"
KINDS = (POLICY, HOTLIST, CHANGES, PSAM_LIST)
KEPT_MAX = 256  # a city has a handful; by digest they never change


@dataclass(frozen=True)
class Dated:
    """``content``: the whole document, as its signer wrote it."""

    kind: str
    version: int
    issued_ms: int
    expires_ms: int
    content: Mapping[str, Any]


@dataclass(frozen=True)
class Brought:
    """In force below ``place``, by its newest layer. ``life_ms``: from its date to its end."""

    kind: str
    version: int
    place: Place
    ends_ms: int
    life_ms: int


def brought(home: Path, tenant: str) -> Iterator[Brought]:
    """Of every layer in force. What is no document of these kinds is passed over: an emblem, a hotlist's hashes."""
    layers = [(layer, _documents_of(layer, home / FOLDER / tenant)) for layer in _newest_layers(tenant)]
    policies = {layer.place.path: found[POLICY] for layer, found in layers if POLICY in found}
    for layer, found in layers:
        policy = found.get(POLICY) or _from_above(policies, layer.place.path)
        hotlist = _newest_hotlist(found)
        for one in (found.get(POLICY), hotlist, found.get(PSAM_LIST)):
            if one is not None:
                ends_ms = min(one.expires_ms, _too_old_ms(one, policy))
                kind = HOTLIST if one is hotlist else one.kind
                yield Brought(kind, one.version, layer.place, ends_ms, ends_ms - one.issued_ms)


def _documents_of(layer: SettingsLayer, folder: Path) -> dict[str, Dated]:
    bodies = [body for body in layer.bodies if body["bytes"] <= DOCUMENT_BYTES_MAX]
    try:
        read = [_dated(folder / body["sha256"]) for body in bodies]
    except OSError:  # gone, or not to be read now: asked again at the next look
        return {}
    return {one.kind: one for one in read if one is not None}


def _from_above(policies: Mapping[str, Dated], path: str) -> Dated | None:
    """Of the nearest place above: layers lie over each other (``compose.py``)."""
    above = [one for one in policies if path.startswith(one)]
    return policies[max(above, key=len)] if above else None


def _newest_layers(tenant: str) -> list[SettingsLayer]:
    later = SettingsLayer.alias()
    same = (later.place == SettingsLayer.place) & (later.profile == SettingsLayer.profile)
    newer = later.select().where((later.tenant == tenant) & same & (later.version > SettingsLayer.version))
    rows = SettingsLayer.select(SettingsLayer, Place).join(Place).where(SettingsLayer.tenant == tenant)
    return list(rows.where(~fn.EXISTS(newer)).order_by(SettingsLayer.place, SettingsLayer.profile))


def _newest_hotlist(found: Mapping[str, Dated]) -> Dated | None:
    """Changes to just this list are younger than it, and their dates count (``offline_queue/hotlist.py``)."""
    whole, changes = found.get(HOTLIST), found.get(CHANGES)
    if whole is None or changes is None:
        return whole
    fits = changes.content.get("base_version") == whole.version and changes.version >= whole.version
    return changes if fits else whole


def _too_old_ms(one: Dated, policy: Dated | None) -> int:
    """From when on it is older than the policy allows; its own end where there is no policy."""
    field = {POLICY: "age_s_max", HOTLIST: "hotlist_age_s_max", CHANGES: "hotlist_age_s_max"}.get(one.kind, "")
    age_s = policy.content.get(field) if policy is not None else None
    return one.issued_ms + age_s * 1000 if isinstance(age_s, int) else one.expires_ms


@lru_cache(KEPT_MAX)
def _dated(path: Path) -> Dated | None:
    """None: no document of these kinds. Raises OSError."""
    wire = path.read_bytes()
    try:
        document = json.loads(wire)["document"]
        issued, expires = (datetime.fromisoformat(document[name]) for name in ("issued_at", "expires_at"))
        if document["kind"] not in KINDS or None in (issued.tzinfo, expires.tzinfo):
            return None
        version = int(document["version"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return Dated(document["kind"], version, _ms(issued), _ms(expires), document)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
