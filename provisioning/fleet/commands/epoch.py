"""``epoch new | sign | publish | end``: after a restore. Two approvers sign the file on machines of their own."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from kiosk.signed import NotTrusted, Signer, cosigned
from provisioning.fleet.actor import Refused
from provisioning.fleet.commands.asking import EX_NOINPUT, actor_of, now_ms
from provisioning.fleet.epoch.acts import draft, end_reconciling, publish
from provisioning.fleet.settings import FleetSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("step", choices=("new", "sign", "publish", "end"))
    parser.add_argument("file", type=Path, nargs="?", help="new writes it, sign adds to it, publish reads it")
    parser.add_argument("--tenant", default="", help="the city; sign needs none")
    parser.add_argument("--by", default="", help="your login")
    parser.add_argument("--why", default="", help="end: why enough was heard")
    parser.add_argument("--key", metavar="NAME=FILE", default="", help="sign: your own key (Ed25519, PEM)")


def run(settings: FleetSettings, asked: argparse.Namespace) -> int:
    """The exit status: 0 done, 1 refused, 66 no such city, key or file."""
    try:
        if asked.step == "sign":
            return _sign(asked)
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


def _sign(asked: argparse.Namespace) -> int:
    name, _, pem = asked.key.partition("=")
    key = load_pem_private_key(Path(pem).read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{pem}: not an Ed25519 key")
    asked.file.write_bytes(cosigned(asked.file.read_bytes(), Signer(name, key)))
    return 0
