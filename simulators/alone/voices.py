"""``python -m simulators voices DIR``: build the free voice pack; what is there already stays."""

import argparse
from pathlib import Path

from simulators.voices import build


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path)


def main(asked: argparse.Namespace) -> int:
    print(f"{build(asked.folder)} files")
    return 0
