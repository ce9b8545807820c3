"""``recover TERMINAL``: what its journal says is owed to whom, opened by the custodians. Each look is on the trail."""

import argparse
import sys

from provisioning.fleet import audit
from provisioning.fleet.commands.asking import EX_NOINPUT, actor_of, add_city, add_custodians, custodians_of, now_ms
from provisioning.fleet.ledger.boards import boards
from provisioning.fleet.ledger.custody import NoCustody
from provisioning.fleet.ledger.recover import Owed, owed, recovered
from provisioning.fleet.ledger.rows import ACCOUNTS
from provisioning.fleet.settings import FleetSettings

_TOLD_AS = ("inside, never booked", "owed to the holder", "under check", "contribution not credited")
_WORDS = dict(zip(ACCOUNTS, _TOLD_AS, strict=True))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("terminal")
    add_city(parser)
    add_custodians(parser)
    parser.add_argument("--why", required=True, help="the reason for looking; it stands on the audit trail")


def run(settings: FleetSettings, asked: argparse.Namespace) -> int:
    """The exit status: 0 told, 66 nothing is kept of this terminal."""
    actor = actor_of(settings, asked)
    try:
        custodians = custodians_of(asked) if actor else None
    except NoCustody as error:
        print(error, file=sys.stderr)
        return EX_NOINPUT
    if actor is None or custodians is None:
        return EX_NOINPUT
    known = boards(actor.tenant, asked.terminal)
    audit.record(actor, now_ms(), "journal_opened", asked.terminal, asked.why)
    for board in known:
        state = "in service" if board.replaced_ms is None else "replaced"
        print(f"board {board.public_key[:16]}, {state}, {board.seq} rows")
        for case in owed(recovered(board, custodians)):
            print("  " + _told(case))
    if not known:
        print("Nothing is kept of this terminal.", file=sys.stderr)
    return 0 if known else EX_NOINPUT


def _told(case: Owed) -> str:
    sums = [f"{_WORDS[name]} {case.of(name) / 100:.2f} yuan" for name in ACCOUNTS if case.of(name)]
    card = f"card {case.card_number}" if case.card_number else "card not known"
    return f"case {case.case_code}, {card}: " + ", ".join(sums) + f" (last act {case.last_act})"
