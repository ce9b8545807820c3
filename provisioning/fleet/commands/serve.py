"""``serve``: one process of the fleet, until SIGTERM."""

import argparse

from provisioning.fleet.serve import run as serve
from provisioning.fleet.settings import FleetSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It takes all from the settings."""


def run(settings: FleetSettings, asked: argparse.Namespace) -> int:
    return serve(settings)
