"""``openapi``: the interface as a document, for docs/hosts/fleet.json."""

import argparse
import json

from provisioning.fleet.app import every_route
from provisioning.fleet.openapi import document
from provisioning.fleet.settings import FleetSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none."""


def run(settings: FleetSettings, asked: argparse.Namespace) -> int:
    print(words())
    return 0


def words() -> str:
    return json.dumps(document(every_route()), ensure_ascii=False, indent=1)
