"""Every outside system of a world at once, over mutual TLS on loopback, with one weather for all."""

from functools import partial
from pathlib import Path

import trio

from simulators.hosts import open_host
from simulators.hosts.bank import BankHost
from simulators.hosts.bank_server import serve_bank
from simulators.hosts.sandbox import Sandbox
from simulators.hosts.serve import serve
from simulators.hosts.weather import Weather
from simulators.pki import Pki
from simulators.worlds.world import World

# Host in the kiosk's settings -> its sandbox.
KIOSK_HOSTS = {
    "social_insurance": "social_insurance",
    "card_platform": "card_platform",
    "agency": "agency_duty",
    "hospital": "hospital",
    "medical_insurance": "medical_insurance",
    "agency_ledger": "agency_ledger",
}
CHECKER = "certificate_check"  # where anybody follows the QR code of a certificate
LOOPBACK = "127.0.0.1"


class OutsideSystems:
    """Their books lie in ``books`` and survive a restart."""

    def __init__(self, world: World, books: Path, pki: Pki) -> None:
        self.weather = Weather()
        self.sandboxes: dict[str, Sandbox] = {}
        self.bank: BankHost  # no sandbox of questions and answers over HTTP: it speaks ISO 8583
        self.ports: dict[str, int] = {}
        self.bank_port = 0
        self._world, self._books, self._pki = world, books, pki

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Started once every one listens; until cancelled.

        Raises:
            OSError: no port.
        """
        async with trio.open_nursery() as nursery:
            check_port = await nursery.start(partial(self._serve_host, CHECKER, ""))
            verify = f"https://{LOOPBACK}:{check_port}/verify"
            for name, sandbox in KIOSK_HOSTS.items():
                self.ports[name] = await nursery.start(partial(self._serve_host, sandbox, verify))
            self.bank_port = await nursery.start(self._serve_bank)
            task_status.started()

    async def _serve_host(self, name: str, verify: str, task_status: trio.TaskStatus[int]) -> None:
        sandbox = open_host(name, self._world, self._books, self._pki, self.weather, verify_base=verify)
        self.sandboxes[name] = sandbox
        try:
            await serve(sandbox, 0, self._pki, task_status=task_status)
        finally:
            sandbox.close()

    async def _serve_bank(self, task_status: trio.TaskStatus[int]) -> None:
        self.bank = BankHost(self._world, self._books, self.weather)
        try:
            await serve_bank(self.bank, 0, self._pki, task_status=task_status)
        finally:
            self.bank.close()
