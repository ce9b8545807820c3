"""``trust new | sign | publish``: a city signs by another key, or other people approve. docs/fleet.md."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from kiosk.basics.signed import NotTrusted
from provisioning.fleet.actor import Actor, Refused
from provisioning.fleet.commands.asking import EX_NOINPUT, actor_of, now_ms
from provisioning.fleet.commands.own_key import sign_file
from provisioning.fleet.settings import FleetSettings
from provisioning.fleet.trust.acts import draft, publish


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("step", choices=("new", "sign", "publish"))
    parser.add_argument("file", type=Path, help="new writes it, sign adds to it, publish reads it; keep it")
    parser.add_argument("--tenant", default="", help="the city; sign needs none")
    parser.add_argument("--by", default="", help="your login")
    parser.add_argument("--new-key", action="store_true", help="new: the city signs by a key that is made now")
    parser.add_argument("--drop", nargs="*", default=(), metavar="NAME", help="new: keys of the city that end")
    parser.add_argument("--key", type=Path, help="sign: your own key, as `claim key` made it")


def needs_settings(asked: argparse.Namespace) -> bool:
    return bool(asked.step != "sign")


def run(settings: FleetSettings | None, asked: argparse.Namespace) -> int:
    """The exit status: 0 done, 1 refused, 66 no such city, key or file."""
    try:
        if settings is None or asked.step == "sign":
            sign_file(asked.file, asked.key)
            return 0
        actor = actor_of(settings, asked)
        if actor is None:
            return EX_NOINPUT
        _drawn_up_or_published(Path(settings.home), actor, asked)
    except (Refused, NotTrusted) as refused:
        print(refused, file=sys.stderr)
        return 1
    except (OSError, ValueError, AttributeError) as error:
        print(f"no such file or key: {error}", file=sys.stderr)
        return EX_NOINPUT
    return 0


def _drawn_up_or_published(home: Path, actor: Actor, asked: argparse.Namespace) -> None:
    if asked.step == "new":
        asked.file.write_bytes(draft(actor, home, datetime.now(UTC), asked.new_key, asked.drop))
        print(f"{asked.file} is to be signed by two approvers: trust sign")
    else:
        number = publish(actor, home, asked.file.read_bytes(), now_ms())
        print(f"trust list {number} of {actor.tenant} is told to its terminals")
