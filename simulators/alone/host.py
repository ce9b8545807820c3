"""``python -m simulators host NAME --port N``: one outside system, over the same mutual TLS as in the demo."""

import argparse
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import trio

from simulators.alone.until_stopped import run_until_stopped
from simulators.hosts import HOSTS, open_host
from simulators.hosts.bank import NAME as BANK
from simulators.hosts.bank import BankHost
from simulators.hosts.bank_server import serve_bank
from simulators.hosts.sandbox import Sandbox
from simulators.hosts.serve import serve
from simulators.hosts.weather import Weather
from simulators.pki import Pki, make_pki
from simulators.worlds.world import load_world

WORLD = Path(__file__).parents[1] / "worlds" / "demo.toml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", choices=(*HOSTS, BANK))
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--world", type=Path, default=WORLD)
    parser.add_argument("--run-dir", type=Path, default=Path(".run"), help="certificates (pki) and books (hosts)")


def main(asked: argparse.Namespace) -> int:
    run_dir = asked.run_dir.resolve()
    run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    pki = make_pki(run_dir / "pki")
    world, books = load_world(asked.world), run_dir / "hosts"
    if asked.name == BANK:
        bank = BankHost(world, books, Weather())
        return _closing(bank, partial(_serve_bank, bank, asked.port, pki))
    sandbox = open_host(asked.name, world, books, pki)
    return _closing(sandbox, partial(_serve, sandbox, asked.port, pki))


def _closing(host: Sandbox | BankHost, serving: Callable[[], Awaitable[None]]) -> int:
    try:
        return run_until_stopped(serving)
    finally:
        host.close()


async def _serve_bank(bank: BankHost, port: int, pki: Pki) -> None:
    async with trio.open_nursery() as nursery:
        port = await nursery.start(serve_bank, bank, port, pki)
        print(f"ready tls://127.0.0.1:{port}", flush=True)
        print(f"  show {pki.terminal_certificate}, trust {pki.hosts_ca}", flush=True)


async def _serve(sandbox: Sandbox, port: int, pki: Pki) -> None:
    async with trio.open_nursery() as nursery:
        port = await nursery.start(partial(serve, sandbox, port, pki))
        print(f"ready https://127.0.0.1:{port}", flush=True)
        if not sandbox.public:
            print(f"  show {pki.terminal_certificate}, trust {pki.hosts_ca}", flush=True)
