"""``python -m simulators replace-board TERMINAL``: two of the agency say that a terminal has another board.

Without a key it lists the boards that asked. The old board's chain is kept for ever as TERMINAL/FINGERPRINT.
"""

import argparse
import sys
from datetime import datetime

from simulators.alone.agency import add_run_dir, agency
from simulators.hosts.ledger_books import NotReplaced


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("terminal")
    parser.add_argument("key", nargs="?", default="", help="public key of the new board's journal, in hex")
    parser.add_argument("--by", default="", help="who says so")
    parser.add_argument("--approver", default="", help="and who else")
    add_run_dir(parser)


def main(asked: argparse.Namespace) -> int:
    with agency(asked.run_dir) as (ledger, _):
        if not asked.key:
            print("\n".join(ledger.kept.newcomers(asked.terminal)) or "no other board has asked")
            return 0
        at = datetime.now().astimezone().isoformat(timespec="seconds")
        try:
            old = ledger.kept.replace_board(asked.terminal, asked.key, at, asked.by, asked.approver)
        except NotReplaced as refused:
            print(refused, file=sys.stderr)
            return 1
    print(f"{asked.terminal} has a new board; the old one's rows are {old}")
    return 0
