"""``python -m simulators import-bundles DIR``: the agency reads a stick and writes its acknowledgement onto it."""

import argparse
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from simulators.hosts.agency_documents import DocumentMaker
from simulators.hosts.agency_ledger import AgencyLedgerSandbox
from simulators.hosts.journal_bundle import BundleRefused
from simulators.hosts.weather import Weather
from simulators.pki import Pki, make_pki
from simulators.worlds.world import load_world

WORLD = Path(__file__).parents[1] / "worlds" / "demo.toml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="where the bundles are, e.g. a USB stick")
    parser.add_argument("--run-dir", type=Path, default=Path(".run"), help="certificates (pki) and books (hosts)")


def main(asked: argparse.Namespace) -> int:
    run_dir = asked.run_dir.resolve()
    run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    pki = make_pki(run_dir / "pki")
    ledger = AgencyLedgerSandbox(load_world(WORLD), run_dir / "hosts", Weather())
    try:
        return import_all(asked.folder, ledger, pki)
    finally:
        ledger.close()


def import_all(folder: Path, ledger: AgencyLedgerSandbox, pki: Pki) -> int:
    """In the order of their rows. Exit status 1: some bundle was refused; the others were kept all the same."""
    custodians = load_pem_private_key(pki.key("recovery").read_bytes(), None)
    signing = load_pem_private_key(pki.key("documents").read_bytes(), None)
    assert isinstance(custodians, RSAPrivateKey)
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
