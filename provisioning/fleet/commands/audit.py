"""``audit --tenant CITY --to FILE | --check FILE``: the trail for an auditor, who proves it without the server.

One JSON object a line, in the order of the chain, with its link; the last line says where it ends.
"""

import argparse
import json
import sys
from pathlib import Path

from provisioning.fleet import audit
from provisioning.fleet.actor import Actor
from provisioning.fleet.audit_export import ExportBroken, export, proven
from provisioning.fleet.commands.asking import EX_NOINPUT, now_ms
from provisioning.fleet.database import open_database
from provisioning.fleet.schema.audit import AuditRow
from provisioning.fleet.settings import FleetSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tenant", required=True)
    parser.add_argument("--by", default="auditor", help="your login; an export stands on the trail")
    parser.add_argument("--to", type=Path, help="write it there")
    parser.add_argument("--check", type=Path, help="prove this export, and that the trail still has its end")


def run(settings: FleetSettings, asked: argparse.Namespace) -> int:
    """The exit status: 0 written or proven, 1 broken, 66 no such file."""
    try:
        if asked.check:
            return _check(settings, asked)
        open_database(settings.database_url)
        audit.record(Actor(asked.tenant, f"person:{asked.by}"), now_ms(), "audit_exported", asked.tenant)
        with asked.to.open("w", encoding="utf-8") as out:
            rows = sum(1 for _ in map(out.write, export(asked.tenant)))
        print(f"{asked.to}: {rows - 1} rows")
    except ExportBroken as broken:
        print(broken, file=sys.stderr)
        return 1
    except (OSError, AttributeError) as error:
        print(f"no such file: {error}", file=sys.stderr)
        return EX_NOINPUT
    return 0


def _check(settings: FleetSettings, asked: argparse.Namespace) -> int:
    with asked.check.open(encoding="utf-8") as lines:
        seq, link = proven(asked.tenant, map(json.loads, lines))
    print(f"{seq} rows, whole")
    open_database(settings.database_url)
    row = AuditRow.get_or_none((AuditRow.tenant == asked.tenant) & (AuditRow.seq == seq))
    if seq and (row is None or row.link != link):
        raise ExportBroken(f"the trail has another row {seq} than this export")
    return 0
