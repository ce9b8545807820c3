"""Notices through a real nginx with mutual TLS, which throttles, cuts, refuses and hangs up: each has one effect."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio

from kiosk.basics.log import Field
from kiosk.forwarder.notices import card_platform_batches, card_platform_notices, deliver_notices
from kiosk.hosts.card_platform.client import CardPlatformClient
from kiosk.hosts.link import HttpsHostLink
from kiosk.settings.config import HostSettings
from offline_queue.journal import SqliteJournal
from tests.hosts.conftest import Town
from tests.hosts.nginx import BINARY, BUSY, CLOSES_OFTEN, THROTTLED, free_port, nginx
from tests.hosts.test_forwarder import Terminal as Forwarded
from tests.hosts.test_forwarder import until_all_is_told

pytestmark = pytest.mark.skipif(not Path(BINARY).exists(), reason="nginx is one of packages.txt")
ARRIVES_S_MAX = 60.0
FIVE_YEARS = 1826


@dataclass
class Terminal:
    """A journal with notices, and the way to the card platform through nginx."""

    town: Town
    folder: Path
    journal: SqliteJournal
    port: int = field(default_factory=free_port)
    keys: list[str] = field(default_factory=list)
    events: list[tuple[str, dict[str, Field]]] = field(default_factory=list)

    def owe(self, count: int) -> None:
        cards = self.town.world.cards
        for number in range(len(self.keys), len(self.keys) + count):
            self.keys.append(f"key-{number:04d}")
            card = cards[number % len(cards)].number
            at = datetime.now(UTC).isoformat()
            self.journal.owe_notice("card_platform", "pin_changed", self.keys[-1], card_number=card, at=at)

    @asynccontextmanager
    async def forwarding(self, *, together: int = 50, deadline_s: float = 10.0) -> AsyncIterator[None]:
        pki = self.town.pki
        host = HostSettings(
            url=f"https://127.0.0.1:{self.port}",
            ca=str(pki.hosts_ca),
            certificate=str(pki.terminal_certificate),
            private_key=str(pki.terminal_key),
            deadline_s=deadline_s,
            batch_items_max=together,
            remembers_keys_days=FIVE_YEARS,
        )
        link = HttpsHostLink("card_platform", host, lambda event, **fields: self.events.append((event, fields)))
        client = CardPlatformClient(link)
        async with trio.open_nursery() as nursery:
            batches = card_platform_batches(client, host)
            nursery.start_soon(
                deliver_notices,
                self.journal.outbox,
                card_platform_notices(client),
                lambda event, **fields: None,
                batches,
            )
            yield
            nursery.cancel_scope.cancel()
        link.close()

    def before(self, more: str = "") -> "AsyncIterator[trio.Process]":
        behind = self.town.ports["card_platform"]
        return nginx(self.folder / "nginx", self.town.pki, self.port, behind, more)  # type: ignore[return-value]  # used as a context

    def booked(self) -> list[str]:
        return [key for key, _ in self.town.platform.pin_changes()]

    def unknown(self) -> list[str]:
        return [str(fields["why"]) for event, fields in self.events if event == "host_unknown"]

    async def until_told(self) -> None:
        with trio.fail_after(ARRIVES_S_MAX):
            while self.journal.outbox.unsent_count():
                await trio.sleep(0.02)

    async def until(self, enough: int) -> None:
        """So many questions had no answer that could be used."""
        with trio.fail_after(ARRIVES_S_MAX):
            while len(self.unknown()) < enough:
                await trio.sleep(0.02)


@pytest.fixture
def terminal(town: Town, tmp_path: Path) -> Iterator[Terminal]:
    journal = SqliteJournal(tmp_path / "data", lambda: datetime.now(UTC))
    yield Terminal(town, tmp_path, journal)
    journal.close()


async def test_fifty_at_a_time_through_nginx(terminal: Terminal) -> None:
    """In order, each once, and without a word that was not understood."""
    terminal.owe(120)
    async with terminal.before(), terminal.forwarding():
        await terminal.until_told()
    assert terminal.booked() == terminal.keys
    assert terminal.unknown() == []


async def test_the_forwarder_and_nginx_as_processes(town: Town, tmp_path: Path) -> None:
    """Killed in the middle and started again, `python -m kiosk forward` tells each once through nginx."""
    behind, town.ports["card_platform"] = town.ports["card_platform"], free_port()
    forwarded = Forwarded(town, tmp_path)
    for number in range(80):
        forwarded.change_a_pin(number)
    async with nginx(tmp_path / "nginx", town.pki, town.ports["card_platform"], behind, "limit_rate 3k;"):
        async with forwarded.forwarder() as process:
            with trio.fail_after(ARRIVES_S_MAX):
                while not town.platform.pin_changes():
                    await trio.sleep(0.01)
            process.kill()
        async with forwarded.forwarder():
            await until_all_is_told(forwarded)
    assert forwarded.told() == forwarded.owed
    forwarded.journal.close()


async def test_answers_that_trickle_are_asked_for_again(terminal: Terminal) -> None:
    """Booked, but the answer too slow to wait for: still owed; told again by the same keys when the line is better."""
    terminal.owe(60)
    async with terminal.forwarding(deadline_s=0.6):
        async with terminal.before(THROTTLED):
            await terminal.until(2)
        assert terminal.booked() == terminal.keys[:50]
        assert terminal.journal.outbox.unsent_count() == 60
        async with terminal.before():
            await terminal.until_told()
    assert terminal.booked() == terminal.keys


async def test_answers_that_are_cut_are_asked_for_again(terminal: Terminal) -> None:
    """nginx dies in the middle of an answer: nothing of it counts, and each notice has one effect in the end."""
    terminal.owe(50)
    async with terminal.forwarding():
        async with terminal.before(THROTTLED) as process:
            with trio.fail_after(ARRIVES_S_MAX):
                while not terminal.booked():
                    await trio.sleep(0.02)
            process.kill()
            await terminal.until(1)
        assert terminal.journal.outbox.unsent_count() == 50
        async with terminal.before():
            await terminal.until_told()
    assert terminal.booked() == terminal.keys
    assert terminal.journal.outbox.put_aside() == []


async def test_too_many_requests_wait_as_long_as_nginx_says(terminal: Terminal) -> None:
    """429 with a page for people and Retry-After: no refusal of any notice, and the pause is the one that is asked."""
    terminal.owe(4)
    async with terminal.before(BUSY), terminal.forwarding(together=1):
        await terminal.until_told()
    assert terminal.booked() == terminal.keys
    assert 0 < len(terminal.unknown()) <= 4, "each pause was long enough"
    assert set(terminal.unknown()) == {"status 429 without a problem document"}
    assert "notice_refused" not in [entry.act for entry in terminal.journal.entries()]


async def test_a_page_for_people_is_no_answer(terminal: Terminal) -> None:
    """502 with HTML while the host behind is down: unknown, and told when it is back."""
    terminal.owe(3)
    terminal.town.weather.change(down=True, only=frozenset({"card_platform"}))
    async with terminal.before(), terminal.forwarding():
        await terminal.until(2)
        assert set(terminal.unknown()) == {"status 502"}
        terminal.town.weather.clear()
        await terminal.until_told()
    assert terminal.booked() == terminal.keys


async def test_lines_that_nginx_closes_are_opened_anew(terminal: Terminal) -> None:
    """Every second question ends the line: the next one opens a new one, and nothing is lost."""
    terminal.owe(9)
    async with terminal.before(CLOSES_OFTEN), terminal.forwarding(together=2):
        await terminal.until_told()
    assert terminal.booked() == terminal.keys


@pytest.mark.slow
async def test_an_idle_line_that_nginx_closed_is_opened_anew(terminal: Terminal) -> None:
    """nginx keeps an idle line for a second; the courier looks again after five."""
    terminal.owe(1)
    async with terminal.before(CLOSES_OFTEN), terminal.forwarding():
        await terminal.until_told()
        terminal.owe(3)
        await terminal.until_told()
    assert terminal.booked() == terminal.keys


async def test_a_terminal_without_its_certificate_is_nobody(terminal: Terminal) -> None:
    """Who comes with a certificate of another authority is not heard: nothing is booked and nothing told."""
    terminal.owe(1)
    pki = terminal.town.pki
    stranger = HostSettings(
        url=f"https://127.0.0.1:{terminal.port}",
        ca=str(pki.hosts_ca),
        certificate=str(pki.certificate("fleet")),
        private_key=str(pki.key("fleet")),
    )
    link = HttpsHostLink("card_platform", stranger, lambda event, **fields: terminal.events.append((event, fields)))
    async with terminal.before():
        with trio.move_on_after(1.0):
            await deliver_notices(
                terminal.journal.outbox, card_platform_notices(CardPlatformClient(link)), lambda event, **fields: None
            )
    link.close()
    assert (terminal.booked(), terminal.journal.outbox.unsent_count()) == ([], 1)
    assert terminal.unknown()
