"""``program add|stop``: programs that use the management interface. Their secret is told once."""

import argparse
import hashlib
import secrets
import sys

import peewee

from provisioning.fleet import audit
from provisioning.fleet.actor import Actor
from provisioning.fleet.database import open_database, step
from provisioning.fleet.schema.machines import ApiClient
from provisioning.fleet.settings import FleetSettings
from provisioning.fleet.web import now_ms

COMMAND_LINE = "fleet:command line"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["add", "stop"])
    parser.add_argument("--city", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--may", choices=["read", "write", "assign"], default="read", help="assign: also to terminals")


def run(settings: FleetSettings, asked: argparse.Namespace) -> int:
    open_database(settings.database_url)
    if asked.what == "stop":
        return 0 if stop_program(asked.city, asked.name, now_ms()) else 1
    try:
        secret = add_program(asked.city, asked.name, asked.may, now_ms())
    except peewee.IntegrityError:
        print("There is no such city, or it has a program of this name.", file=sys.stderr)
        return 1
    print(f"user {asked.city}/{asked.name}, secret (told once): {secret}")
    return 0


def add_program(city: str, name: str, may: str, at_ms: int) -> str:
    """Its secret.

    Raises:
        peewee.IntegrityError: no such city, or the name is taken.
    """
    secret = secrets.token_urlsafe(32)
    digest = hashlib.sha256(secret.encode()).hexdigest()
    with step():
        ApiClient.create(tenant=city, name=name, secret_hash=digest, may=may, created_ms=at_ms)
        audit.record(Actor(city, COMMAND_LINE), at_ms, "program_added", f"program:{name}", "", {"may": may})
    return secret


def stop_program(city: str, name: str, at_ms: int) -> bool:
    """Whether there was such a one."""
    with step():
        mine = (ApiClient.tenant == city) & (ApiClient.name == name) & ApiClient.active
        stopped = ApiClient.update(active=False).where(mine).execute()
        if stopped:
            audit.record(Actor(city, COMMAND_LINE), at_ms, "program_stopped", f"program:{name}")
    return bool(stopped)
