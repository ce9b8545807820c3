"""What commands of one city share: who types, and the custodians' key."""

import argparse
import getpass
import os
import sys
import time
from pathlib import Path

from provisioning.fleet.actor import Actor
from provisioning.fleet.database import open_database
from provisioning.fleet.ledger.custody import Custodians, load_custodians
from provisioning.fleet.schema.places import Tenant
from provisioning.fleet.settings import FleetSettings

EX_NOINPUT = 66  # sysexits(3)


def add_city(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tenant", required=True, help="the city")
    parser.add_argument("--by", required=True, help="your login; it stands on the audit trail")


def add_custodians(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--custodians", type=Path, required=True, help="the recovery key, PEM")


def actor_of(settings: FleetSettings, asked: argparse.Namespace) -> Actor | None:
    """Opens the database. None, and said so: there is no such city."""
    open_database(settings.database_url)
    if Tenant.get_or_none(Tenant.code == asked.tenant) is None:
        print(f"There is no city {asked.tenant}.", file=sys.stderr)
        return None
    return Actor(asked.tenant, f"person:{asked.by}")


def custodians_of(asked: argparse.Namespace) -> Custodians:
    """Asks for the words that protect the key: never an argument, which other users could read.

    Raises:
        NoCustody: no such key, or other words.
    """
    words = os.environ.get("CUSTODIANS_WORDS")
    if words is None:
        words = getpass.getpass("Words that protect the custodians' key (empty for none): ")
    return load_custodians(asked.custodians, words)


def now_ms() -> int:
    return time.time_ns() // 1_000_000
