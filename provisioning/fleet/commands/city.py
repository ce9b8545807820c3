"""``city add|set``: a city, with the place at the root of its tree, and what is taken there. The province itself is the
city ``province``."""

import argparse
import re
import sys

import peewee

from provisioning.fleet import audit
from provisioning.fleet.actor import Actor
from provisioning.fleet.database import open_database, step
from provisioning.fleet.identity import TOKENS_ALLOWED
from provisioning.fleet.schema.places import Place, Tenant
from provisioning.fleet.settings import FleetSettings
from provisioning.fleet.web import now_ms
from provisioning.rules.poll import TENANT

COMMAND_LINE = "fleet:command line"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["add", "set"])
    parser.add_argument("--code", required=True, help="short name, small letters and digits: it stands in every path")
    parser.add_argument("--name-zh", default="", help="of a city that is added")
    parser.add_argument("--name-en", default="", help="of a city that is added")
    parser.add_argument("--target-tokens", choices=["on", "off"], help="set: whether stock DDI clients are taken")


def run(settings: FleetSettings, asked: argparse.Namespace) -> int:
    open_database(settings.database_url)
    if asked.what == "set":
        return _set(asked)
    if not (asked.name_zh and asked.name_en):
        print("A city has a name in both languages: --name-zh, --name-en.", file=sys.stderr)
        return 1
    if not re.match(TENANT, asked.code):
        print("A city's code has 2 to 32 small letters, digits and dashes.", file=sys.stderr)
        return 1
    try:
        print(add_city(asked.code, asked.name_zh, asked.name_en, now_ms()))
    except peewee.IntegrityError:
        print(f"There is a city {asked.code} already.", file=sys.stderr)
        return 1
    return 0


def _set(asked: argparse.Namespace) -> int:
    if asked.target_tokens is None:
        print("Say what is to be set: --target-tokens on|off.", file=sys.stderr)
        return 1
    if not take_tokens(asked.code, asked.target_tokens == "on", now_ms()):
        print(f"There is no city {asked.code}.", file=sys.stderr)
        return 1
    return 0


def take_tokens(code: str, taken: bool, at_ms: int) -> bool:
    """Whether stock DDI clients with a token are taken in this city; False where there is no such city."""
    with step():
        city = Tenant.get_or_none(Tenant.code == code)
        if city is None:
            return False
        Tenant.update(settings={**city.settings, TOKENS_ALLOWED: taken}).where(Tenant.code == code).execute()
        audit.record(Actor(code, COMMAND_LINE), at_ms, "city_changed", code, "", {TOKENS_ALLOWED: taken})
    return True


def add_city(code: str, name_zh: str, name_en: str, at_ms: int) -> int:
    """The number of its root place.

    Raises:
        peewee.IntegrityError: there is one of that code.
    """
    names = {"name_zh": name_zh, "name_en": name_en}
    with step():
        Tenant.create(code=code, created_ms=at_ms, **names)
        place = Place.create(tenant=code, kind="city", path="", **names)
        Place.update(path=f"/{place.id}/").where(Place.id == place.id).execute()
        audit.record(Actor(code, COMMAND_LINE), at_ms, "city_added", code, "", names)
    return int(place.id)
