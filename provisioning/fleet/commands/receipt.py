"""``receipt [FILE]``: rows from the QR codes of receipts, one code a line; without a file from standard input."""

import argparse
import sys

from provisioning.fleet.commands.asking import EX_NOINPUT, actor_of, add_city, now_ms
from provisioning.fleet.ledger.paper import CodeRefused, book_paper
from provisioning.fleet.settings import FleetSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("codes", type=argparse.FileType(encoding="utf-8"), nargs="?", default=sys.stdin)
    add_city(parser)


def run(settings: FleetSettings, asked: argparse.Namespace) -> int:
    """The exit status: 0 each code was booked or known, 1 one was refused."""
    actor = actor_of(settings, asked)
    if actor is None:
        return EX_NOINPUT
    status = 0
    for line in asked.codes:
        try:
            result, row = book_paper(actor, line.rstrip("\r\n"), now_ms())
            print(f"{result}: {row.terminal} row {row.seq}, case {row.case_code}")
        except CodeRefused as refused:
            print(f"refused: {refused}")
            status = 1
    return status
