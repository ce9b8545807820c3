"""``python -m simulators import-receipt``: the agency books rows from the QR codes of receipts, one code a line.

A code scanner types what it reads, so the codes come by keyboard, by a pipe or as arguments.
"""

import argparse
import sys
from collections.abc import Iterable

from simulators.alone.agency import add_run_dir, agency
from simulators.hosts.ledger_books import LedgerBooks
from simulators.hosts.row_code import MARK, CodeRefused


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "codes", nargs="*", metavar="CODE", help=f"{MARK}...; without any, one a line from the keyboard"
    )
    add_run_dir(parser)


def main(asked: argparse.Namespace) -> int:
    with agency(asked.run_dir) as (ledger, _):
        return import_all(asked.codes or (line.strip("\r\n") for line in sys.stdin), ledger.kept)


def import_all(codes: Iterable[str], books: LedgerBooks) -> int:
    """Exit status 1: some code was refused; the others were booked all the same."""
    status = 0
    for text in codes:
        if not text:
            continue
        try:
            result, row = books.book_paper(text)
        except CodeRefused as refused:
            print(f"refused, {refused}", file=sys.stderr)
            status = 1
        else:
            print(f"{row.terminal} row {row.seq}, {row.act} of case {row.case_code}: {result}")
    return status
