"""``backup --to FILE``: the whole fleet as one encrypted file, of one moment, while it goes on."""

import argparse
import sys
from pathlib import Path

from provisioning.fleet.backup.archive import BackupRefused, write_backup
from provisioning.fleet.backup.folders import folders_of
from provisioning.fleet.commands.asking import now_ms
from provisioning.fleet.database import open_database
from provisioning.fleet.settings import FleetSettings

EX_CANTCREAT = 73  # sysexits(3)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", type=Path, required=True, help="the file; it is written beside and renamed when whole")
    parser.add_argument("--recipient", action="append", required=True, help="age public key; may be given again")
    parser.add_argument("--without-artifacts", action="store_true", help="leave out what can be published again")


def run(settings: FleetSettings, asked: argparse.Namespace) -> int:
    """The exit status: 0 written, 73 not."""
    open_database(settings.database_url)
    try:
        size = write_backup(asked.to, folders_of(settings, not asked.without_artifacts), asked.recipient, now_ms())
    except (BackupRefused, OSError) as error:
        print(error, file=sys.stderr)
        return EX_CANTCREAT
    print(f"{asked.to}: {size} bytes")
    return 0
