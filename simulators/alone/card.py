"""``python -m simulators card --world FILE --card NAME --vpcd PORT``: one card inserted in somebody's vpcd."""

import argparse
from functools import partial
from pathlib import Path

import trio

from simulators.alone.until_stopped import run_until_stopped
from simulators.cards.card import VirtualCard
from simulators.cards.psam import VirtualPsam
from simulators.cards.slot import CardSlot, Chip
from simulators.worlds.world import load_world

WORLD = Path(__file__).parents[1] / "worlds" / "demo.toml"
PSAM = "psam"
VPCD_PORT = 35963  # vpcd's own default for its first slot


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--world", type=Path, default=WORLD)
    parser.add_argument("--card", required=True, help=f"its handle in the world, or {PSAM}")
    parser.add_argument("--vpcd", type=int, default=VPCD_PORT, metavar="PORT")
    parser.add_argument("--host", default="127.0.0.1", help="where vpcd is")


def main(asked: argparse.Namespace) -> int:
    world = load_world(asked.world)
    chip: Chip
    if asked.card == PSAM:
        chip = VirtualPsam(world.keys)
    else:
        card = world.card(asked.card)
        chip = VirtualCard(card, world.resident(card.resident), world.keys, world.city)
    return run_until_stopped(partial(_serve, CardSlot(asked.host, asked.vpcd), chip, asked.card))


async def _serve(slot: CardSlot, chip: Chip, name: str) -> None:
    async with trio.open_nursery() as nursery:
        await nursery.start(slot.run)
        await slot.insert(chip)
        print(f"inserted {name}; Ctrl-C pulls it", flush=True)
