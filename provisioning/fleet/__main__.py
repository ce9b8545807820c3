"""``python -m provisioning.fleet --settings FILE COMMAND``: the server, and what people do beside the console.

Each command loads only what it needs.
"""

import argparse
import sys
from importlib import import_module
from pathlib import Path

from provisioning.fleet.settings import SettingsError, load_settings

EX_CONFIG = 78  # sysexits(3)
# Command -> module with ``add_arguments(parser)`` and ``run(settings, asked) -> int``, and what it is for.
COMMANDS = {
    "serve": ("provisioning.fleet.commands.serve", "answer terminals and people until SIGTERM, on a UNIX socket"),
    "nginx": ("provisioning.fleet.commands.nginx", "write the configuration of nginx for these settings"),
    "city": ("provisioning.fleet.commands.city", "add a city, or say whether it takes stock DDI clients"),
    "program": ("provisioning.fleet.commands.program", "add or stop a program that uses the management interface"),
    "openapi": ("provisioning.fleet.commands.openapi", "print the interface as an OpenAPI document"),
    "rehearse": ("provisioning.fleet.commands.rehearse", "people and terminals for a demonstration; not in production"),
    "verify": ("provisioning.fleet.commands.verify", "walk every city's audit trail; 1 where one is broken"),
    "person": ("provisioning.fleet.commands.person", "add somebody who can sign in, or give them a new password"),
    "audit": ("provisioning.fleet.commands.audit", "export a city's audit trail, or prove an export"),
    "import": ("provisioning.fleet.commands.import_rows", "bring in rows from sticks and second media"),
    "receipt": ("provisioning.fleet.commands.receipt", "book rows from the QR codes of receipts"),
    "ca": ("provisioning.fleet.commands.ca", "who gives terminals their certificates, and how one follows another"),
    "claim": ("provisioning.fleet.commands.claim", "sticks that enrol terminals, signed by two people"),
    "release": ("provisioning.fleet.commands.release", "which software terminals may run, signed by two people"),
    "bundle": ("provisioning.fleet.commands.bundle", "build the application bundle of a source tree"),
    "backup": ("provisioning.fleet.commands.backup", "the whole fleet as one encrypted file"),
    "restore": ("provisioning.fleet.commands.restore", "a backup into an empty fleet"),
    "epoch": ("provisioning.fleet.commands.epoch", "after a restore: a new epoch, signed by two approvers"),
    "trust": ("provisioning.fleet.commands.trust", "whom a city's terminals believe: new keys, other people"),
    "recover": ("provisioning.fleet.commands.recover", "what a dead board left behind, opened by the custodians"),
}


def make_parser(given: list[str]) -> argparse.ArgumentParser:
    """``given``: what was typed; only the command that is named there is loaded."""
    parser = argparse.ArgumentParser(prog="provisioning.fleet", description="The fleet's server")
    parser.add_argument("--settings", type=Path, help="TOML, see provisioning/fleet/settings.py")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, purpose) in COMMANDS.items():
        command = commands.add_parser(name, help=purpose, description=purpose)
        if name in given:
            import_module(module).add_arguments(command)
    return parser


def main(arguments: list[str] | None = None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    parser = make_parser(given)
    asked = parser.parse_args(given)
    chosen = import_module(COMMANDS[asked.command][0])
    # What people do on machines of their own, e.g. sign, has no server's settings.
    if asked.settings is None and getattr(chosen, "needs_settings", lambda asked: True)(asked):
        parser.error("--settings is required")
    try:
        settings = load_settings(asked.settings) if asked.settings else None
    except SettingsError as error:
        print(error, file=sys.stderr)
        return EX_CONFIG
    status: int = chosen.run(settings, asked)
    return status


if __name__ == "__main__":
    sys.exit(main())
