"""The A4 printer, the seal and its check at the level of their ports: each has tests of its own."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import trio

from kiosk.domain.certificate import SealExpectation, SealFinding
from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceContext, DeviceFault, OutcomeUnknown
from simulators.hosts import VERIFY_BASE
from simulators.hosts.certificates import Issuer, open_archive
from simulators.hosts.sheet import Sheet
from simulators.hosts.social_insurance import SocialInsuranceSandbox
from simulators.hosts.weather import Weather
from simulators.worlds.world import World

SHEET_S = 6.0


class MemoryPagePrinter:
    """Implements ``ports.PagePrinter`` and ``ports.Device``. ``fault``: "" | paper_out | silent."""

    version = "SIM"

    def __init__(self) -> None:
        self.sheets: list[str] = []  # keys of what came out
        self.fault = ""
        self._context: DeviceContext | None = None

    def opened(self, context: DeviceContext) -> None:
        self._context = context

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        task_status.started()
        await trio.sleep_forever()

    async def print_pdf(self, pdf: bytes, job_key: str) -> None:
        await trio.sleep(SHEET_S)
        if self.fault == "paper_out":
            raise DeviceFault("page_printer", Health(Condition.FAULT, "paper_out"))
        self.sheets.append(job_key)
        if self.fault == "silent":
            raise OutcomeUnknown("page_printer", "silent")


class SealTakenAtItsWord:
    """Implements ``ports.SealVerifier``: whether the services obey the verdict is what matters here."""

    def __init__(self, finding: SealFinding = SealFinding.GENUINE) -> None:
        self.finding = finding

    async def verify(self, pdf: bytes, expected: SealExpectation) -> SealFinding:
        await trio.sleep(0.3)
        return self.finding


class _PlainIssuer(Issuer):
    def _sealed(self, sheet: Sheet, fault: str) -> bytes:
        return f"%PDF-1.7 {sheet.number} {fault}".encode()


class _OneKey:
    """As much of a PKI as the archive's check codes need."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(b"TEST")
        self._path = path

    def key(self, name: str) -> Path:
        return self._path


class PlainAgency(SocialInsuranceSandbox):
    """Issues and files certificates without composing and sealing them, which would cost half a second each."""

    def __init__(self, world: World, directory: Path, weather: Weather, clock: Callable[[], datetime]) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        pki: Any = _OneKey(directory / "seal.key")
        super().__init__(world, directory, weather, clock, pki=pki, verify_base=VERIFY_BASE)
        self._issuer = _PlainIssuer(open_archive(directory), world, pki, directory, VERIFY_BASE)
