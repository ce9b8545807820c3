"""``restore --from FILE``: into an empty database and empty folders. Terminals then wait for a new epoch."""

import argparse
import getpass
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from provisioning.fleet.backup.archive import BackupRefused, read_backup
from provisioning.fleet.backup.folders import folders_of
from provisioning.fleet.backup.tables import NotEmpty
from provisioning.fleet.commands.asking import now_ms
from provisioning.fleet.database import open_database
from provisioning.fleet.epoch.acts import begin_reconciling
from provisioning.fleet.ledger.cases import count_anew
from provisioning.fleet.settings import FleetSettings

EX_DATAERR = 65  # sysexits(3)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="source", type=Path, required=True)
    parser.add_argument("--by", required=True, help="your login; it stands on the audit trail of every city")


def run(settings: FleetSettings, asked: argparse.Namespace) -> int:
    """The exit status: 0 restored, 65 nothing was changed."""
    open_database(settings.database_url)
    identity = os.environ.get("AGE_IDENTITY") or getpass.getpass("age identity (AGE-SECRET-KEY-...): ")
    try:
        manifest = read_backup(asked.source, identity, folders_of(settings))
    except (BackupRefused, NotEmpty, OSError) as error:
        print(error, file=sys.stderr)
        return EX_DATAERR
    count_anew()
    begin_reconciling(f"person:{asked.by}", manifest.made_ms, now_ms())
    moment = datetime.fromtimestamp(manifest.made_ms / 1000, UTC).isoformat(timespec="seconds")
    print(f"restored as it was at {moment}; now `epoch new`, two signatures, `epoch publish`")
    return 0
