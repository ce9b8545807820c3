"""Every sandbox over real mutual TLS, on free loopback ports, with a fresh memory for each test."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path

import pytest
import trio

from kiosk.basics.log import JsonLog
from kiosk.domain.card import CardIdentity, Holder, Sex
from kiosk.hosts.link import HttpsHostLink
from kiosk.settings.config import HostSettings
from simulators.cards.chip import build_atr, build_identification_code
from simulators.hosts import HOSTS, Sandbox, Weather, open_host
from simulators.hosts.agency_duty import AgencyDutySandbox
from simulators.hosts.card_platform import CardPlatformSandbox
from simulators.hosts.serve import serve
from simulators.hosts.social_insurance import SocialInsuranceSandbox
from simulators.pki import Pki, make_pki
from simulators.worlds.world import World, load_world

WORLDS = Path(__file__).parents[2] / "simulators" / "worlds"
PROMISED = {"card_platform": {"batch_items_max": 50, "remembers_keys_days": 1826}}  # in docs/hosts/
UNLIMITED_S = 60.0  # a deadline that no test waits for


@dataclass
class Town:
    """The hosts of a run: sandboxes by name, their ports, the weather, and links with a terminal's certificate."""

    world: World
    pki: Pki
    weather: Weather
    sandboxes: dict[str, Sandbox]
    ports: dict[str, int]
    logged: list[str]
    links: list[HttpsHostLink] = field(default_factory=list)

    @property
    def agency(self) -> SocialInsuranceSandbox:
        sandbox = self.sandboxes["social_insurance"]
        assert isinstance(sandbox, SocialInsuranceSandbox)
        return sandbox

    @property
    def platform(self) -> CardPlatformSandbox:
        sandbox = self.sandboxes["card_platform"]
        assert isinstance(sandbox, CardPlatformSandbox)
        return sandbox

    @property
    def desk(self) -> AgencyDutySandbox:
        sandbox = self.sandboxes["agency_duty"]
        assert isinstance(sandbox, AgencyDutySandbox)
        return sandbox

    def settings(self, name: str, deadline_s: float = UNLIMITED_S) -> HostSettings:
        return HostSettings(
            url=f"https://127.0.0.1:{self.ports[name]}",
            ca=str(self.pki.hosts_ca),
            certificate=str(self.pki.terminal_certificate),
            private_key=str(self.pki.terminal_key),
            deadline_s=deadline_s,
            **PROMISED.get(name, {}),
        )

    def link(self, name: str, settings: HostSettings | None = None) -> HttpsHostLink:
        def log(event: str, **fields: object) -> None:
            JsonLog(open_nowhere())(event, **fields)  # type: ignore[arg-type]  # refuses fields that are not allowed
            self.logged.append(f"{event} {fields}")

        self.links.append(HttpsHostLink(name, settings or self.settings(name), log))
        return self.links[-1]

    def identity(self, handle: str) -> CardIdentity:
        """What a card reader would have read from this card."""
        card = self.world.card(handle)
        code = build_identification_code(card, self.world.city, self.world.keys)
        atr = build_atr(card, code)
        return CardIdentity(code, card.number, card.spec, date(2019, 3, 12), date(2029, 3, 12), atr)

    def holder(self, handle: str) -> Holder:
        resident = self.world.resident(self.world.card(handle).resident)
        return Holder(resident.name, resident.number, Sex(resident.sex), resident.nation, None)


def open_nowhere() -> "Nowhere":
    return Nowhere()


class Nowhere:
    """A text stream that forgets."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        return None


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="session")
def fonts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cut typefaces, shared: cutting them anew for each test would cost a second each."""
    return tmp_path_factory.mktemp("fonts")


@pytest.fixture
async def town(tmp_path: Path, pki: Pki, fonts: Path) -> AsyncIterator[Town]:
    world = load_world(WORLDS / "tiny.toml")
    state = tmp_path / "hosts"
    state.mkdir()
    (state / "fonts").symlink_to(fonts)
    weather = Weather()
    sandboxes = {name: open_host(name, world, state, pki, weather) for name in HOSTS}
    town = Town(world, pki, weather, sandboxes, {}, [])
    async with trio.open_nursery() as nursery:
        for name, sandbox in sandboxes.items():
            town.ports[name] = await nursery.start(partial(serve, sandbox, 0, pki))
        yield town
        nursery.cancel_scope.cancel()
    for link in town.links:
        link.close()
    for sandbox in sandboxes.values():
        sandbox.close()
