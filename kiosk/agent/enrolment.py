"""What the agent's root puts together of identity, way to the fleet, network and clock."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from kiosk.basics.control import ControlSilent
from kiosk.hosts.link import HttpsHostLink
from kiosk.ports import Log
from kiosk.settings.agent_rules import AgentRules
from kiosk.settings.config import ConfigError, HostSettings, Settings
from provisioning.rules.commands import NotObeyed
from provisioning.terminal.clock import TerminalClock
from provisioning.terminal.disk import Disk
from provisioning.terminal.enrolment.enrol import Address, Enrolment, FleetLink, Image
from provisioning.terminal.enrolment.identity import Identity, Known
from provisioning.terminal.enrolment.renew import Renewal
from provisioning.terminal.enrolment.way import DEADLINE_S, Way
from provisioning.terminal.house import House
from provisioning.terminal.network import Networks
from provisioning.terminal.poll import Heard
from provisioning.terminal.privileged import Privileged
from provisioning.token_key import Token

BUILD = datetime(2026, 11, 1, tzinfo=UTC)  # before this software existed no clock can be right
LOOK_S = 60.0
IN_DOUBT = "in_doubt"


class WayIn:
    """One for the agent's life."""

    def __init__(self, settings: Settings, disk: Disk, privileged: Privileged, log: Log) -> None:
        rules = settings.agent
        self._settings, self._privileged, self._log = settings, privileged, log
        home = Path(rules.home)
        token = msgspec.convert(msgspec.to_builtins(rules.token), Token) if rules.token else None
        self.identity = Identity(home / "identity", disk, rules.serial, token)
        self.way = Way(home, disk, self.identity)
        self.clock = TerminalClock(
            home=home,
            data_dir=Path(settings.data_dir),
            build=BUILD,
            board_runs=settings.offline.has_rtc,
            set_clock=self._set_clock,
            ask=self._time_link,
            log=log,
        )
        self.enrolment = Enrolment(
            identity=self.identity,
            networks=Networks(home, disk, self._apply),
            image=image_of(rules),
            disk=disk,
            open_link=self.open,
            surely=self.clock.now,
            log=log,
        )
        self.renewal = Renewal(
            self.identity, self.open, self.enrolment.address, self.clock.believed, self.enrolment.record, log
        )

    def open(self, address: Address, known: Known | None) -> HttpsHostLink:
        """A line that shows the fleet's certificate, or without ``known`` the one that the key signed itself."""
        host = self.way.settings(address, known is not None)
        return HttpsHostLink("fleet", host, self._log, production=self._settings.production)

    def link(self, known: Known | None) -> HttpsHostLink:
        return self.open(self.enrolment.address(), known)

    async def keep_certificate(self, heard: Heard, told: Callable[[], bool], house: House) -> None:
        """For ever. ``heard``: how the newest poll went; ``told``: whether its answer wants a renewal."""
        doubted = False
        while True:
            await trio.sleep(LOOK_S)
            known = self.identity.known()
            if known is not None and await self.renewal.look(known, told(), heard.away) == "renewed":
                self.way.settings(self.enrolment.address(), True)  # a tunnel shows the new one from now on
            if heard.refused != IN_DOUBT:
                doubted = doubted and heard.failures > 0  # heard again: people have decided, and may have to once more
            elif not doubted:
                doubted = await self._take_out(house)

    async def _take_out(self, house: House) -> bool:
        """Two places speak as this terminal: until people decide no money is taken here. They also bring it back."""
        self._log("identity_in_doubt")
        self.enrolment.record.note(IN_DOUBT)
        try:
            await house.ask_kiosk(f"out_of_service {IN_DOUBT}")
        except ControlSilent:
            return False
        return True

    async def _set_clock(self, moment: datetime) -> bool:
        return await self._wish("clock", moment.isoformat(timespec="milliseconds"))

    async def _apply(self, folder: Path | None) -> None:
        await self._wish("network", folder.name if folder else "")

    async def _wish(self, what: str, told: str) -> bool:
        if not self._privileged.is_there:
            return False
        try:
            await self._privileged.wish("clock" if what == "clock" else "network", told)
        except NotObeyed as refused:
            self._log("wish_refused", step=what, why=str(refused)[:100])
            return False
        return True

    def _time_link(self) -> HttpsHostLink:
        address = self.enrolment.address()
        host = HostSettings(url=address.url, ca=address.ca, proxy=self.way.proxy(), deadline_s=DEADLINE_S)
        return HttpsHostLink("fleet", host, self._log, production=self._settings.production, for_time=True)


def image_of(rules: AgentRules) -> Image:
    """Raises ConfigError: a key that cannot be read."""
    keys = {name: _public_key(Path(path)) for name, path in rules.claim_keys.items()}
    stick = Path(rules.stick) if rules.stick else None
    return Image(Address(rules.url, rules.ca), keys, rules.console_url, stick)


def _public_key(path: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {type(error).__name__}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigError(f"{path}: not an Ed25519 key")
    return key


def _implements(link: HttpsHostLink) -> FleetLink:
    return link
