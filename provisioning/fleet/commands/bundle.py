"""``bundle build``: the application bundle of a source tree, the same bytes whoever builds it."""

import argparse
import hashlib
import sys
from pathlib import Path

from provisioning.fleet.actor import Refused
from provisioning.fleet.settings import FleetSettings
from provisioning.fleet.updates.bundle import build
from provisioning.fleet.updates.repository import place


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["build"])
    parser.add_argument("--tree", type=Path, default=Path(), help="a checked-out source with its catalogs compiled")
    parser.add_argument("--version", required=True)
    parser.add_argument("--out", type=Path, required=True)


def needs_settings(asked: argparse.Namespace) -> bool:
    return False


def run(settings: FleetSettings | None, asked: argparse.Namespace) -> int:
    try:
        bundle = build(asked.tree, asked.version)
        place(asked.out, bundle)
    except (Refused, OSError) as refused:
        print(refused, file=sys.stderr)
        return 1
    print(f"{len(bundle)} bytes  sha256 {hashlib.sha256(bundle).hexdigest()}")
    return 0
