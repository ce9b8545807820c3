"""The tree of places of a city: halls in districts in the city, and where terminals stand in it."""

import peewee

from provisioning.fleet import audit, roles
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.database import step
from provisioning.fleet.desired.versions import wanted_anew, wanted_below
from provisioning.fleet.people.held import held_by
from provisioning.fleet.schema.people import Grant
from provisioning.fleet.schema.places import Place
from provisioning.fleet.schema.terminals import Terminal

KINDS = ("city", "district", "hall")
NAME_MAX = 64
PLACES_MAX = 20_000  # of a city
PATH_MAX = 190
WAS_USED = "Something was proposed, set or given here, so the place stays. Change its name instead."


def add(actor: Actor, parent_id: int, kind: str, name_zh: str, name_en: str, at_ms: int) -> int:
    """A new place below another; its number.

    Raises:
        NotFound: no such parent in this city.
        Refused: not this person's, no name, no such kind, below a hall, or too many.
    """
    with step():
        parent = _own(actor, parent_id)
        names = _sound_names(name_zh, name_en)
        if kind not in KINDS[1:] or parent.kind == "hall":
            raise Refused("kind", "A place is a district or a hall, and nothing lies below a hall.")
        if len(parent.path) > PATH_MAX or Place.select().where(Place.tenant == actor.tenant).count() >= PLACES_MAX:
            raise Refused("too_many", "There are too many places here.")
        place = Place.create(tenant=actor.tenant, parent=parent, kind=kind, path="", **names)
        Place.update(path=f"{parent.path}{place.id}/").where(Place.id == place.id).execute()
        audit.record(actor, at_ms, "place_added", f"place:{place.id}", "", {"parent": parent.id, "kind": kind, **names})
        return int(place.id)


def change(actor: Actor, place_id: int, name_zh: str, name_en: str, metered: bool, at_ms: int) -> None:
    """New names, and whether its line is paid by the byte. Raises as ``add``."""
    with step():
        place = _own(actor, place_id)
        told = {**_sound_names(name_zh, name_en), "metered": metered}
        Place.update(**told).where(Place.id == place.id).execute()
        wanted_below(actor.tenant, place, "", at_ms)  # terminals show the names of where they stand
        audit.record(actor, at_ms, "place_changed", f"place:{place.id}", "", told)


def remove(actor: Actor, place_id: int, why: str, at_ms: int) -> None:
    """A place made by mistake: with nothing below it that was ever there. Raises as ``add``."""
    with step():
        place = _own(actor, place_id)
        below = Place.select().where(Place.parent == place).exists()
        if place.parent is None or below or Terminal.select().where(Terminal.place == place).exists():
            raise Refused("not_empty", "Places and terminals below it must go first.")
        _delete(place)
        audit.record(actor, at_ms, "place_removed", f"place:{place.id}", why, {"name_zh": place.name_zh})


def _delete(place: Place) -> None:
    """What was ever proposed, set, called or told of a place keeps it: its number must never become another place's."""
    try:
        if Grant.select().where(Grant.place == place).exists():
            raise Refused("not_empty", WAS_USED)
        with step():
            Place.delete().where(Place.id == place.id).execute()
    except peewee.IntegrityError:
        raise Refused("not_empty", WAS_USED) from None


def _own(actor: Actor, place_id: int) -> Place:
    place = Place.get_or_none((Place.id == place_id) & (Place.tenant == actor.tenant))
    if place is None:
        raise NotFound
    if not roles.may(held_by(actor), "places", place.path):
        raise Refused("not_yours", "This needs a system administrator.")
    return place


def _sound_names(name_zh: str, name_en: str) -> dict[str, str]:
    names = {"name_zh": name_zh.strip(), "name_en": name_en.strip() or name_zh.strip()}
    if not all(0 < len(name) <= NAME_MAX for name in names.values()):
        raise Refused("name", "Write a name, at most 64 characters.")
    return names


def move(actor: Actor, terminal_id: str, place_id: int, why: str, at_ms: int) -> None:
    """A terminal stands somewhere else of this city from now on; its settings are composed anew for there.

    Raises:
        NotFound: no such terminal or place in this city.
        Refused: not this person's at both ends, no reason, or it is there already.
    """
    if not why.strip():
        raise Refused("no_reason", "Say why.")
    with step():
        terminal = Terminal.get_or_none((Terminal.tenant == actor.tenant) & (Terminal.terminal_id == terminal_id))
        place = Place.get_or_none((Place.id == place_id) & (Place.tenant == actor.tenant))
        if terminal is None or place is None:
            raise NotFound
        held = held_by(actor)
        if not (roles.may(held, "move", terminal.place.path) and roles.may(held, "move", place.path)):
            raise Refused("not_yours", "This is not yours to do at both places.")
        if terminal.place_id == place.id:
            raise Refused("there", "It stands there already.")
        Terminal.update(place=place).where(Terminal.id == terminal.id).execute()
        wanted_anew(actor.tenant, terminal_id, at_ms)
        facts = {"from": terminal.place_id, "to": place.id}
        audit.record(actor, at_ms, "terminal_moved", terminal_id, why, facts)
