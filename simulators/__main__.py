"""``python -m simulators``: the demo, the smoke run, the benches, and every counterpart alone.

Each command loads only what it needs, so that one broken library does not take the others away.
"""

import argparse
import sys
from importlib import import_module
from pathlib import Path

# Command -> module with ``add_arguments(parser)`` and ``main(asked) -> int``, and what it is for.
COMMANDS = {
    "run": ("simulators.run", "the whole terminal in a browser"),
    "fleet": ("simulators.fleet.command", "the fleet's server in a browser, and terminals that ask it"),
    "smoke": ("simulators.smoke.command", "residents' visits, bills and a staff visit, judged from outside"),
    "simulate": ("simulators.deterministic.command", "whole kiosks in memory, from seeds; every book is judged"),
    "bench": ("simulators.bench.command", "measure: one JSON object a line"),
    "device": ("simulators.alone.device", "one device on a serial line or a pty"),
    "page-printer": ("simulators.alone.page_printer", "the A4 printer, by IPP"),
    "card": ("simulators.alone.card", "one card in a virtual reader (vpcd)"),
    "usb": ("simulators.alone.usb_terminal", "all devices at the USB ports of a terminal in qemu"),
    "voices": ("simulators.alone.voices", "build the free voice pack by espeak-ng"),
    "host": ("simulators.alone.host", "one outside system over HTTPS"),
    "hawkbit": ("simulators.alone.hawkbit", "a server in hawkBit's shape that offers one file"),
    "import-bundles": ("simulators.alone.import_bundles", "the agency reads a terminal's rows from a USB stick"),
    "recover": ("simulators.alone.recover", "what a dead board left behind, opened by the custodians"),
    "replace-board": ("simulators.alone.replace_board", "two of the agency register a terminal's new board"),
    "import-receipt": ("simulators.alone.import_receipt", "the agency books rows from the QR codes of receipts"),
}
WORLD = Path(__file__).parent / "worlds" / "demo.toml"


def make_parser(given: list[str]) -> argparse.ArgumentParser:
    """``given``: what was typed; only the command that is named there is loaded."""
    parser = argparse.ArgumentParser(prog="python -m simulators", description="The other half of the terminal's world")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, purpose) in COMMANDS.items():
        command = commands.add_parser(name, help=purpose, description=purpose)
        if name == given[0]:
            import_module(module).add_arguments(command)
    return parser


def main(arguments: list[str] | None = None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    if not given:
        _list_all()
        return 0
    asked = make_parser(given).parse_args(given)
    status: int = import_module(COMMANDS[asked.command][0]).main(asked)
    return status


def _list_all() -> None:
    """Every counterpart by name, with the command that starts it."""
    from simulators.devices import MODELS
    from simulators.hosts import HOSTS
    from simulators.worlds.world import load_world

    for name, (_, purpose) in COMMANDS.items():
        print(f"python -m simulators {name:<12} {purpose}")
    print(f"\ndevice MODEL --line PATH      {'  '.join(sorted(MODELS))}")
    print(f"host NAME --port N            {'  '.join((*HOSTS, 'bank'))}")
    print("card --world FILE --card NAME --vpcd PORT, in worlds/demo.toml:")
    for card in load_world(WORLD).cards:
        print(f"    {card.handle:<18} {card.title}")


if __name__ == "__main__":
    sys.exit(main())
