"""The agency's side on the command line: its books of terminals' journals, and its keys."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from simulators.hosts.agency_ledger import AgencyLedgerSandbox
from simulators.hosts.weather import Weather
from simulators.pki import Pki, make_pki
from simulators.worlds.world import load_world

WORLD = Path(__file__).parents[1] / "worlds" / "demo.toml"


def add_run_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run-dir", type=Path, default=Path(".run"), help="certificates (pki) and books (hosts)")


@contextmanager
def agency(run_dir: Path) -> Iterator[tuple[AgencyLedgerSandbox, Pki]]:
    """Ledger and keys of the demo in ``run_dir``; made where there are none."""
    folder = run_dir.resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    pki = make_pki(folder / "pki")
    ledger = AgencyLedgerSandbox(load_world(WORLD), folder / "hosts", Weather())
    try:
        yield ledger, pki
    finally:
        ledger.close()


def custodians_key(pki: Pki) -> RSAPrivateKey:
    """What two custodians bring together in reality."""
    return _opened(pki.key("recovery").read_bytes())


@lru_cache(maxsize=4)  # an RSA key is proved at each reading, which takes longer than an import
def _opened(pem: bytes) -> RSAPrivateKey:
    key = load_pem_private_key(pem, None)
    assert isinstance(key, RSAPrivateKey)
    return key
