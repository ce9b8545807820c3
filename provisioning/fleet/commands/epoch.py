"""``epoch new | sign | publish | end``: after a restore. Two approvers sign the file on machines of their own, with the
keys that they sign sticks with (``claim key``, ``claim trust``)."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from kiosk.basics.signed import NotTrusted
from provisioning.fleet.actor import Refused
from provisioning.fleet.commands.asking import EX_NOINPUT, actor_of, now_ms
from provisioning.fleet.commands.own_key import sign_file
from provisioning.fleet.epoch.acts import draft, end_reconciling, publish
from provisioning.fleet.settings import FleetSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("step", choices=("new", "sign", "publish", "end"))
    parser.add_argument("file", type=Path, nargs="?", help="new writes it, sign adds to it, publish reads it")
    parser.add_argument("--tenant", default="", help="the city; sign needs none")
    parser.add_argument("--by", default="", help="your login")
    parser.add_argument("--why", default="", help="end: why enough was heard")
    parser.add_argument("--key", type=Path, help="sign: your own key, as `claim key` made it")


def needs_settings(asked: argparse.Namespace) -> bool:
    return str(asked.step) != "sign"


def run(settings: FleetSettings | None, asked: argparse.Namespace) -> int:
    """The exit status: 0 done, 1 refused, 66 no such city, key or file."""
    try:
        if settings is None or asked.step == "sign":
            sign_file(asked.file, asked.key)
            return 0
        actor = actor_of(settings, asked)
        if actor is None:
            return EX_NOINPUT
        if asked.step == "new":
            asked.file.write_bytes(draft(actor, datetime.now(UTC)))
        elif asked.step == "publish":
            print(
                f"epoch {publish(actor, asked.file.read_bytes(), now_ms())} of {actor.tenant} is told to its terminals"
            )
        else:
            end_reconciling(actor, asked.why, now_ms())
    except (Refused, NotTrusted) as refused:
        print(refused, file=sys.stderr)
        return 1
    except (OSError, ValueError, AttributeError) as error:
        print(f"no such file or key: {error}", file=sys.stderr)
        return EX_NOINPUT
    return 0
