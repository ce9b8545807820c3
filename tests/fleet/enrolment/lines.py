"""A terminal's line to a fleet in memory: what nginx would pass on, without a socket."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from kiosk.ports import HostAnswer, HostRefused, OutcomeUnknown, PlainAnswer
from provisioning.fleet import ca
from provisioning.fleet.identity import serial_hex
from provisioning.terminal.enrolment.enrol import Address
from provisioning.terminal.enrolment.identity import Identity, Known
from tests.fleet.client import Answer
from tests.fleet.enrolment.asking import Desk


@dataclass
class Town:
    """The fleet, and whether there is a way to it. ``asked``: every path in order; ``opened``: where lines led."""

    desk: Desk
    reachable: bool = True
    asked: list[str] = field(default_factory=list)
    opened: list[Address] = field(default_factory=list)

    def opener(self, identity: Identity) -> Any:
        def open_link(address: Address, known: Known | None) -> "Line":
            self.opened.append(address)
            return Line(self, identity.certificate if known else identity.bare)

        return open_link


@dataclass
class Line:
    """Implements ``FleetLink``."""

    town: Town
    shown: Path

    async def send(
        self, path: str, content: bytes, content_type: str, *, bytes_max: int, deadline_s: float | None = None
    ) -> PlainAnswer:
        answer = await self._ask("POST", path, content)
        return PlainAnswer(answer.status, answer.body, float(answer.headers.get("retry-after", 0)))

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        key: str = "",
        deadline_s: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HostAnswer:
        answer = await self._ask(method, path, body or b"")
        return HostAnswer(answer.status, answer.json() if answer.body else None)

    async def fetch(self, path: str, *, bytes_max: int, deadline_s: float | None = None) -> bytes:
        return (await self._ask("GET", path, b"")).body

    def close(self) -> None:
        """There is nothing to close."""

    async def _ask(self, method: str, path: str, content: bytes) -> Answer:
        self.town.asked.append(path)
        if not self.town.reachable:
            raise OutcomeUnknown("fleet", "no way there")
        answer = await self.town.desk.client.ask_within(method, path, self._headers(), body=content)
        if answer.status >= 400:
            told = answer.json()
            raise HostRefused("fleet", told["code"], told["detail"], float(answer.headers.get("retry-after", 0)))
        return answer

    def _headers(self) -> dict[str, str]:
        pem = self.shown.read_bytes()
        certificate = x509.load_pem_x509_certificate(pem)
        verify = "SUCCESS" if _trusted(certificate, self.town.desk) else "FAILED:not ours, or over"
        told = {"X-Client-Verify": verify, "X-Client-Serial": serial_hex(certificate.serial_number)}
        return {"X-Face": "terminals", "X-Real-IP": "10.9.9.9", "X-Client-Cert": quote(pem.decode()), **told}


def _trusted(certificate: x509.Certificate, desk: Desk) -> bool:
    if certificate.not_valid_after_utc.timestamp() * 1000 <= desk.at_ms:
        return False
    for authority in ca.authorities(desk.home):
        try:
            certificate.verify_directly_issued_by(authority.certificate)
        except (InvalidSignature, ValueError):
            continue
        return True
    return False


def clock_of(desk: Desk) -> Callable[[], datetime]:
    """The terminal's clock, which is right in these tests."""
    return lambda: datetime.fromtimestamp(desk.at_ms / 1000, UTC)
