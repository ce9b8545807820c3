"""Settings of places: what is in force, what came before, and what is proposed instead."""

import tomllib
from itertools import zip_longest
from typing import Any

from starlette.responses import Response

from provisioning.fleet.actor import NotFound, Refused
from provisioning.fleet.console.compare import Line, compared
from provisioning.fleet.console.page import Page, go
from provisioning.fleet.console.pages.place import node_of
from provisioning.fleet.console.render import show
from provisioning.fleet.console.tree import places
from provisioning.fleet.console.visit import Visit
from provisioning.fleet.desired import acts
from provisioning.fleet.desired.bodies import keep_body
from provisioning.fleet.schema.desired import SettingsLayer
from provisioning.rules.desired import BODY_BYTES_MAX, SETTINGS_BYTES_MAX
from provisioning.terminal.toml import as_toml

SHOWN = 30
FILE_BYTES_MAX = BODY_BYTES_MAX + 2 * SETTINGS_BYTES_MAX  # with the form around it


def draw_list(visit: Visit) -> Response:
    """Every place, and what is said there."""
    layers: dict[int, list[SettingsLayer]] = {}
    for layer in SettingsLayer.select().where(SettingsLayer.tenant == visit.city).order_by(SettingsLayer.version):
        kept = [one for one in layers.get(layer.place_id, []) if one.profile != layer.profile]
        layers[layer.place_id] = [*kept, layer]
    return show(visit, "settings.html", places=places(visit), layers=layers)


def profile_of(visit: Visit) -> str:
    """Raises NotFound: there is no such kind of terminal."""
    profile = visit.query.get("profile", "")
    if profile not in acts.PROFILES:
        raise NotFound
    return profile


def draw(visit: Visit) -> Response:
    node, above = node_of(visit)
    history = acts.history(visit.actor, node.place.id, profile_of(visit), SHOWN)
    now = history[0] if history else None
    told = {
        "now": now,
        "text": as_toml(now.settings) if now else "",
        "versions": [(one, changes(before, one)) for one, before in zip_longest(history, history[1:])],
        "profiles": acts.PROFILES,
        "profile": profile_of(visit),
        "proposes": visit.may("settings", node.place),
    }
    return show(visit, "settings_of.html", place=node.place, above=above, **told)


def changes(before: SettingsLayer | None, after: SettingsLayer) -> list[Line]:
    return compared(as_toml(before.settings) if before else "", as_toml(after.settings))


def propose(visit: Visit) -> Response:
    place, profile = node_of(visit)[0].place, profile_of(visit)
    settings, bodies = _typed(visit), _bodies(visit, place.id, profile)
    number = acts.propose_settings(visit.actor, place.id, profile, settings, bodies, visit.field("why"), visit.at_ms)
    return go(f"{visit.base}/proposals/{number}", "proposed")


def propose_return(visit: Visit) -> Response:
    number = acts.propose_return(visit.actor, visit.number("layer"), visit.field("why"), visit.at_ms)
    return go(f"{visit.base}/proposals/{number}", "proposed")


def _typed(visit: Visit) -> dict[str, Any]:
    """Raises Refused: no TOML; the line is named."""
    text = visit.field("settings", SETTINGS_BYTES_MAX)
    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        raise Refused("no_toml", f"This cannot be read: {error}"[:200]) from None


def _bodies(visit: Visit, place_id: int, profile: str) -> list[dict[str, Any]]:
    """Those in force, less what was taken away, and the one that was brought now."""
    now = acts.in_force(visit.actor, place_id, profile)
    kept = {body["name"]: body for body in now.bodies if visit.field(f"drop:{body['name']}") != "yes"} if now else {}
    name = visit.field("body_name")
    if name:
        row = keep_body(visit.actor, visit.home, visit.file("file"), visit.at_ms)
        kept[name] = {"name": name, "sha256": row.sha256, "bytes": row.bytes}
    return list(kept.values())


ACTS = {"propose": propose, "return": propose_return}
ROUTES = [
    Page("/console/{tenant}/settings", draw_list).route(),
    Page("/console/{tenant}/settings/{place:int}", draw, ACTS, file_bytes_max=FILE_BYTES_MAX).route(),
]
