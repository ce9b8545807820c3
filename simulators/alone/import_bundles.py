"""``python -m simulators import-bundles DIR``: the agency reads a stick and writes its acknowledgement onto it."""

import argparse
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from simulators.alone.agency import add_run_dir, agency, custodians_key
from simulators.hosts.agency_documents import DocumentMaker
from simulators.hosts.agency_ledger import AgencyLedgerSandbox
from simulators.hosts.journal_bundle import BundleRefused
from simulators.pki import Pki


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="where the bundles are, e.g. a USB stick")
    add_run_dir(parser)


def main(asked: argparse.Namespace) -> int:
    with agency(asked.run_dir) as (ledger, pki):
        return import_all(asked.folder, ledger, pki)


def import_all(folder: Path, ledger: AgencyLedgerSandbox, pki: Pki) -> int:
    """In the order of their rows. Exit status 1: some bundle was refused; the others were kept all the same."""
    custodians = custodians_key(pki)
    signing = load_pem_private_key(pki.key("documents").read_bytes(), None)
    assert isinstance(signing, Ed25519PrivateKey)
    status, terminals = 0, set()
    for path in sorted(folder.glob("*.bundle"), key=_first_row):
        try:
            terminals.add(ledger.import_bundle(path.read_bytes(), custodians))
        except BundleRefused as refused:
            print(f"{path.name}: refused, {refused}", file=sys.stderr)
            status = 1
    for terminal in sorted(terminals):
        word = ledger.acknowledgement(terminal, DocumentMaker(signing, "agency"))
        (folder / f"{terminal}.acknowledgement.json").write_bytes(word)
        print(f"{terminal}: kept up to row {ledger.kept_up_to(terminal)[0]}")
    return status


def _first_row(path: Path) -> int:
    parts = path.stem.split("-")
    return int(parts[-2]) if len(parts) > 2 and parts[-2].isdigit() else 0
