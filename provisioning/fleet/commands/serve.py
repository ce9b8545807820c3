"""``serve``: one process of the fleet, until SIGTERM."""

import argparse
import sys

from provisioning.fleet.serve import run as serve
from provisioning.fleet.settings import FleetSettings

EX_USAGE = 64  # sysexits(3)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--process", type=int, default=1, help="which of the settings' processes this is, from 1")


def run(settings: FleetSettings, asked: argparse.Namespace) -> int:
    if not 1 <= asked.process <= settings.processes:
        print(f"The settings name {settings.processes} processes; there is no {asked.process}.", file=sys.stderr)
        return EX_USAGE
    return serve(settings, asked.process)
