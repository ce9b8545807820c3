"""``python -m simulators card --world FILE --card NAME --vpcd PORT``: one card inserted in somebody's vpcd."""

import argparse
from pathlib import Path

from simulators.cards.__main__ import PSAM, run_card

WORLD = Path(__file__).parents[1] / "worlds" / "demo.toml"
VPCD_PORT = 35963  # vpcd's own default for its first slot


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--world", type=Path, default=WORLD)
    parser.add_argument("--card", required=True, help=f"its handle in the world, or {PSAM}")
    parser.add_argument("--vpcd", type=int, default=VPCD_PORT, metavar="PORT", help="on 127.0.0.1")


def main(asked: argparse.Namespace) -> int:
    return run_card(asked.world, asked.card, asked.vpcd)
