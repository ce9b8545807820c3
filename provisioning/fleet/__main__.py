"""``python -m provisioning.fleet serve | verify``: the fleet's server and what its people do beside the console."""

import argparse
import sys
from pathlib import Path

from provisioning.fleet import audit
from provisioning.fleet.database import open_database
from provisioning.fleet.schema.places import Tenant
from provisioning.fleet.settings import FleetSettings, SettingsError, load_settings

EX_CONFIG = 78  # sysexits(3)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="provisioning.fleet", description="The fleet's server")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="answer terminals and people until SIGTERM, on a UNIX socket behind nginx")
    commands.add_parser("verify", help="walk every city's audit trail; exit status 1 where one is broken")
    parser.add_argument("--settings", type=Path, required=True, help="TOML, see provisioning/fleet/settings.py")
    asked = parser.parse_args(arguments)
    try:
        settings = load_settings(asked.settings)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return EX_CONFIG
    return {"serve": serve, "verify": verify}[asked.command](settings)


def serve(settings: FleetSettings) -> int:
    from provisioning.fleet.serve import run  # what a server needs takes half a second to load

    return run(settings)


def verify(settings: FleetSettings) -> int:
    open_database(settings.database_url)
    whole = True
    for tenant in Tenant.select().order_by(Tenant.code):
        verdict = audit.verify(tenant.code)
        whole = whole and not verdict.broken_at
        print(
            f"{tenant.code}: {verdict.rows} rows, "
            + (f"broken at {verdict.broken_at}" if verdict.broken_at else "whole")
        )
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
