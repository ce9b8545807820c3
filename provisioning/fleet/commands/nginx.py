"""``nginx``: the configuration of nginx for these settings, on standard output or into a folder of its own."""

import argparse
import shutil
import sys
from pathlib import Path

from provisioning.fleet import ca
from provisioning.fleet.nginx import Plan, configuration
from provisioning.fleet.settings import FleetSettings

FILE = "nginx.conf"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--folder", type=Path, help="where nginx keeps its own; the file is written there")


def run(settings: FleetSettings, asked: argparse.Namespace) -> int:
    """Makes the first authority of terminals' certificates where there is none: nginx wants the file."""
    if not settings.front.certificate or not settings.front.key:
        print("front.certificate and front.key: nginx needs a certificate of its own", file=sys.stderr)
        return 1
    folder = asked.folder or Path(settings.home) / "nginx"
    words = configuration(plan_of(settings, folder.resolve()))
    if asked.folder is None:
        print(words, end="")
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(words)
    return 0


def plan_of(settings: FleetSettings, folder: Path) -> Plan:
    front = settings.front
    for needed in (Path(settings.public), settings.artifacts_path):
        needed.mkdir(parents=True, exist_ok=True)
    return Plan(
        folder=folder,
        public=Path(settings.public).resolve(),
        artifacts=settings.artifacts_path.resolve(),
        sockets=[path.resolve() for path in settings.socket_paths],
        device_listen=front.device_listen,
        console_listen=front.console_listen,
        certificate=Path(front.certificate).resolve(),
        key=Path(front.key).resolve(),
        trusted=_trusted(settings).resolve(),
        user=front.user,
        workers=front.workers,
    )


def _trusted(settings: FleetSettings) -> Path:
    authorities = ca.trusted(Path(settings.home))
    return Path(shutil.copyfile(authorities, settings.front.trusted)) if settings.front.trusted else authorities
