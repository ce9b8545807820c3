"""``python -m simulators import-bundles DIR``: the agency reads a stick, or the second medium of a dead board, and
writes its acknowledgement onto it."""

import argparse
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from simulators.alone.agency import add_run_dir, agency, custodians_key
from simulators.hosts.agency_documents import agencys_maker
from simulators.hosts.agency_ledger import AgencyLedgerSandbox
from simulators.hosts.journal_bundle import BundleRefused
from simulators.hosts.ledger_books import TAKEN, Results
from simulators.hosts.medium_files import SUFFIX, read_medium
from simulators.hosts.recovery import keys_hold
from simulators.pki import Pki


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="where the bundles are, e.g. a USB stick")
    add_run_dir(parser)


def main(asked: argparse.Namespace) -> int:
    with agency(asked.run_dir) as (ledger, pki):
        return import_all(asked.folder, ledger, pki)


def import_all(folder: Path, ledger: AgencyLedgerSandbox, pki: Pki) -> int:
    """Bundles of a stick and files of a second medium, in the order of their rows. Exit status 1: some were refused, or
    have a row that does not follow what is kept; whatever could be kept was."""
    maker, status, terminals = agencys_maker(pki), 0, set[str]()
    for path in sorted((*folder.glob("*.bundle"), *folder.glob(f"*{SUFFIX}")), key=_first_row):
        try:
            terminal, results = _import(path, ledger, custodians_key(pki))
            terminals.add(terminal)
            _insist_on_every_row(results)
        except BundleRefused as refused:
            print(f"{path.name}: refused, {refused}", file=sys.stderr)
            status = 1
    for terminal in sorted(terminals):
        word = ledger.acknowledgement(terminal, maker)
        (folder / f"{terminal}.acknowledgement.json").write_bytes(word)
        for chain in ledger.kept.chains(terminal):
            print(f"{chain}: kept up to row {ledger.kept_up_to(chain)[0]}")
    return status


def _import(path: Path, ledger: AgencyLedgerSandbox, custodians: RSAPrivateKey) -> tuple[str, Results]:
    """Whose it was, and what became of its rows. Raises BundleRefused."""
    if path.suffix != SUFFIX:
        return ledger.import_bundle(path.read_bytes(), custodians)
    medium = read_medium(path)
    if not medium.rows:
        raise BundleRefused("no whole row")
    if not keys_hold(medium.rows, medium.periods, custodians):
        raise BundleRefused("a month's key that does not open its rows")
    return medium.terminal, ledger.import_rows(medium.terminal, medium.public_key, medium.rows, medium.periods)


def _insist_on_every_row(results: Results) -> None:
    """Raises BundleRefused: the last one that was looked at was not kept, and those behind it were not looked at."""
    for result in results:
        if result["result"] not in TAKEN:
            raise BundleRefused(f"row {result['seq']}: {result['result']}; the rows before it are kept")


def _first_row(path: Path) -> int:
    """Bundles are named TERMINAL-FIRST-LAST, files of a second medium TERMINAL-KEY-FIRST."""
    parts = path.stem.split("-")
    first = parts[-1 if path.suffix == SUFFIX else -2] if len(parts) > 2 else ""
    return int(first) if first.isdigit() else 0
