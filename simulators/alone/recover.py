"""``python -m simulators recover TERMINAL``: what a dead board left behind, for the person who has to settle it."""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from simulators.alone.agency import add_run_dir, agency, custodians_key
from simulators.hosts.ledger_books import LedgerBooks
from simulators.hosts.recovery import INSIDE, NOT_CREDITED, OWED, UNDER_CHECK, Owed, Recovered, owed, recovered

WORDS = {
    INSIDE: "inside and not given back",
    OWED: "owed to the holder",
    UNDER_CHECK: "held or under check",
    NOT_CREDITED: "received, not credited",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("terminal", help="its number, or TERMINAL/FINGERPRINT for a board that was replaced")
    parser.add_argument("--case", default="", help="the whole story of one case")
    parser.add_argument("--to", type=Path, metavar="FILE", help="everything as JSON lines; it names cards")
    add_run_dir(parser)


def main(asked: argparse.Namespace) -> int:
    with agency(asked.run_dir) as (ledger, pki):
        rows = list(recovered(ledger.kept, asked.terminal, custodians_key(pki)))
        if asked.to:
            _write(asked.to, rows)
        lines = story(rows, asked.case) if asked.case else summary(ledger.kept, asked.terminal, rows)
        told = list(lines)
    print("\n".join(told) if told else f"nothing is known of {asked.terminal} {asked.case}".rstrip())
    return 0 if told else 1


def summary(books: LedgerBooks, chain: str, rows: list[Recovered]) -> Iterator[str]:
    """Cards by their last four digits: the whole number is in the file for those who pay."""
    if not rows:
        return
    paper = [str(row.seq) for row in rows if row.on_paper_only]
    yield f"{chain}: rows up to {books.kept_up_to(chain)[0]}" + (f", from receipts {' '.join(paper)}" if paper else "")
    for seq, why in books.alerts(chain):
        yield f"look at row {seq}: {why}"
    for case in owed(rows):
        yield _sentence(case)


def _sentence(case: Owed) -> str:
    sums = ", ".join(f"{words} {_yuan(case.of(account))}" for account, words in WORDS.items() if case.of(account))
    return f"case {case.case_code or '-'}, card ...{case.card_number[-4:]}: {sums} (last: {case.last_act})"


def story(rows: list[Recovered], case_code: str) -> Iterator[str]:
    for row in rows:
        if row.case_code == case_code:
            facts = ", ".join(f"{name} {_shown(name, value)}" for name, value in (row.facts or {}).items())
            moved = "; ".join(f"{account} {_yuan(fen)}" for account, fen in row.moved.items())
            yield f"{row.at}  {row.act} [{facts}] {{{moved}}}" + (" (from a receipt)" if row.on_paper_only else "")


def _shown(name: str, value: str | int) -> str:
    return f"...{str(value)[-4:]}" if name in ("card_number", "person_number", "pan") else str(value)


def _yuan(fen: int) -> str:
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def _write(file: Path, rows: list[Recovered]) -> None:
    file.touch(0o600, exist_ok=False)  # before the first card's number is in it
    with file.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows)
