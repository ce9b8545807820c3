"""``city add``: a city, with the place at the root of its tree. The province itself is the city ``province``."""

import argparse
import re
import sys

import peewee

from provisioning.fleet import audit
from provisioning.fleet.actor import Actor
from provisioning.fleet.database import open_database, step
from provisioning.fleet.schema.places import Place, Tenant
from provisioning.fleet.settings import FleetSettings
from provisioning.fleet.web import now_ms
from provisioning.rules.poll import TENANT

COMMAND_LINE = "fleet:command line"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["add"])
    parser.add_argument("--code", required=True, help="short name, small letters and digits: it stands in every path")
    parser.add_argument("--name-zh", required=True)
    parser.add_argument("--name-en", required=True)


def run(settings: FleetSettings, asked: argparse.Namespace) -> int:
    open_database(settings.database_url)
    if not re.match(TENANT, asked.code):
        print("A city's code has 2 to 32 small letters, digits and dashes.", file=sys.stderr)
        return 1
    try:
        print(add_city(asked.code, asked.name_zh, asked.name_en, now_ms()))
    except peewee.IntegrityError:
        print(f"There is a city {asked.code} already.", file=sys.stderr)
        return 1
    return 0


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
