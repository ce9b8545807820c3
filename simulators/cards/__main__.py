"""One card, or the PSAM, in a slot of a vpcd that runs already.

``python -m simulators.cards --world FILE --card NAME --vpcd PORT``; the card named ``psam`` is the PSAM. Ends when it
is interrupted: the card is pulled.
"""

import argparse
import sys
from pathlib import Path

import trio

from simulators.cards.rack import CardRack
from simulators.cards.slot import CardSlot
from simulators.worlds.world import WorldError, load_world

PSAM = "psam"


def run_card(world_file: Path, handle: str, port: int) -> int:
    """Keep the card in the slot until interrupted; the program's exit code."""
    try:
        rack = CardRack(load_world(world_file))
    except WorldError as error:
        print(error, file=sys.stderr)
        return 2
    if handle != PSAM and handle not in rack.cards:
        print(f"no card {handle}; the world has: {', '.join(rack.cards)}, {PSAM}", file=sys.stderr)
        return 2
    exit_code = 0
    try:
        trio.run(_serve, rack, handle, port)
    except* KeyboardInterrupt:
        print("pulled")
    except* OSError as group:
        print(group.exceptions[0], file=sys.stderr)
        exit_code = 1
    return exit_code


async def _serve(rack: CardRack, handle: str, port: int) -> None:
    async with trio.open_nursery() as nursery:
        slot = CardSlot("127.0.0.1", port)
        await nursery.start(slot.run)
        await slot.insert(rack.psam if handle == PSAM else rack.card(handle))
        print(f"inserted {handle} at port {port}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m simulators.cards", description=__doc__)
    parser.add_argument("--world", type=Path, required=True, help="world file (TOML)")
    parser.add_argument("--card", required=True, help="handle of a card in the world, or psam")
    parser.add_argument("--vpcd", type=int, required=True, help="port of the virtual slot on 127.0.0.1")
    given = parser.parse_args(arguments)
    return run_card(given.world, given.card, given.vpcd)


if __name__ == "__main__":
    sys.exit(main())
