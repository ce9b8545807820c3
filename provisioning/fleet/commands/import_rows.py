"""``import DIR``: what a stick or the second medium of a dead board holds, booked once, however often.

With a key to sign it, the agency's word for what it keeps is written beside the files: it goes back to the terminal.
"""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from kiosk.basics.signed import Signer
from provisioning.fleet.actor import Actor
from provisioning.fleet.commands.asking import EX_NOINPUT, actor_of, add_city, add_custodians, custodians_of, now_ms
from provisioning.fleet.ledger.bring import Brought, acknowledgement, bring_folder
from provisioning.fleet.ledger.custody import NoCustody
from provisioning.fleet.ledger.signing import signer_of
from provisioning.fleet.settings import FleetSettings

ACKNOWLEDGED = "{terminal}.acknowledgement.json"  # the name that the terminal looks for on its stick


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="where the files are")
    add_city(parser)
    add_custodians(parser)
    parser.add_argument("--sign", metavar="NAME=FILE", default="", help="the key that terminals know for documents")


def run(settings: FleetSettings, asked: argparse.Namespace) -> int:
    """The exit status: 0 every row of every file is kept now, 1 something wants a person, 66 nothing could be read."""
    actor = actor_of(settings, asked)
    if actor is None:
        return EX_NOINPUT
    try:
        signer = signer_of(asked.sign) if asked.sign else None
        brought = bring_folder(actor, asked.folder, custodians_of(asked), now_ms())
        for one in brought:
            print(_told(one))
        if signer is not None:
            _answer(actor, asked.folder, brought, signer)
    except (NoCustody, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return EX_NOINPUT
    return 1 if any(one.why for one in brought) else 0


def _told(one: Brought) -> str:
    counted = f"{one.kept} rows kept, {one.known} known before"
    return f"{one.file}: " + (f"{one.why} ({counted})" if one.why else counted)


def _answer(actor: Actor, folder: Path, brought: list[Brought], signer: Signer) -> None:
    for terminal in sorted({one.terminal_id for one in brought if one.terminal_id}):
        beside = folder / f"{terminal}.part"
        beside.write_bytes(acknowledgement(actor, terminal, signer, datetime.now(UTC)))
        beside.replace(folder / ACKNOWLEDGED.format(terminal=terminal))
