"""Sandboxes of the outside systems: plain objects with a thin server (``serve``), also callable in memory."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from simulators.hosts.agency_documents import agencys_maker
from simulators.hosts.agency_duty import AgencyDutySandbox
from simulators.hosts.agency_ledger import AgencyLedgerSandbox
from simulators.hosts.card_platform import CardPlatformSandbox
from simulators.hosts.hospital import HospitalSandbox
from simulators.hosts.medical_insurance import MedicalInsuranceSandbox
from simulators.hosts.sandbox import Sandbox
from simulators.hosts.social_insurance import CertificateCheckSandbox, SocialInsuranceSandbox
from simulators.hosts.weather import Weather
from simulators.pki import Pki
from simulators.worlds.world import World

__all__ = ["HOSTS", "Sandbox", "Weather", "open_host"]
VERIFY_BASE = "https://127.0.0.1:8444/verify"
Clock = Callable[[], datetime]

# Every host by the name that settings, weather and `python -m simulators host NAME` use.
HOSTS: dict[str, type[Sandbox]] = {
    sandbox.name: sandbox
    for sandbox in (
        SocialInsuranceSandbox,
        CardPlatformSandbox,
        AgencyDutySandbox,
        AgencyLedgerSandbox,
        CertificateCheckSandbox,
        MedicalInsuranceSandbox,
        HospitalSandbox,
    )
}


def open_host(
    name: str,
    world: World,
    directory: Path,
    pki: Pki,
    weather: Weather | None = None,
    *,
    clock: Clock | None = None,
    verify_base: str = VERIFY_BASE,
) -> Sandbox:
    """A sandbox by name. ``directory`` is shared by all hosts of a run; ``verify_base`` is the QR's address, up to
    the certificate's number, e.g. ``https://127.0.0.1:8444/verify``.

    Raises:
        KeyError: no such host.
    """
    weather = weather or Weather()
    if HOSTS[name] is SocialInsuranceSandbox:
        return SocialInsuranceSandbox(world, directory, weather, clock, pki=pki, verify_base=verify_base)
    sandbox = HOSTS[name](world, directory, weather, clock)
    if isinstance(sandbox, AgencyLedgerSandbox):
        sandbox.maker = agencys_maker(pki)
    return sandbox
