"""``verify``: walk every city's audit trail."""

import argparse

from provisioning.fleet import audit
from provisioning.fleet.database import open_database
from provisioning.fleet.schema.places import Tenant
from provisioning.fleet.settings import FleetSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tenant", default="", help="one city only")


def run(settings: FleetSettings, asked: argparse.Namespace) -> int:
    """The exit status: 0 all whole, 1 one is broken."""
    open_database(settings.database_url)
    cities = [tenant.code for tenant in Tenant.select().order_by(Tenant.code) if asked.tenant in ("", tenant.code)]
    verdicts = {city: audit.verify(city) for city in cities}
    for city, verdict in verdicts.items():
        print(f"{city}: {verdict.rows} rows, " + (f"broken at {verdict.broken_at}" if verdict.broken_at else "whole"))
    return 1 if any(verdict.broken_at for verdict in verdicts.values()) else 0
