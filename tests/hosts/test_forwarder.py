"""The forwarder as a process of its own, beside a kiosk that writes the same file: nothing lost, nothing twice."""

import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
import trio

from kiosk.basics.clock import SystemClock
from kiosk.basics.control import ask_control, forward_path
from kiosk.domain.entries import NewEntry, NewNotice
from kiosk.forwarder.aside import NOTHING, TWO_PEOPLE
from kiosk.settings.config import Settings, load_settings
from offline_queue.agency_keys import recovery_key
from offline_queue.copies import open_copies
from offline_queue.journal import SqliteJournal
from offline_queue.reader import open_reader
from offline_queue.verify import verify
from simulators.kiosk_settings import as_toml
from tests.hosts.conftest import Town

ARRIVES_S_MAX = 60.0
KILLS = 6
HOUSE = Path(__file__).parents[2]


class Terminal:
    """A journal that this process writes as a kiosk would, and the settings that both processes read."""

    def __init__(self, town: Town, folder: Path) -> None:
        self.town = town
        self.file = folder / "settings.toml"
        hosts = {name: self._host(name) for name in ("card_platform", "hospital", "agency_ledger")}
        keys = {"recovery": str(town.pki.public("recovery"))}
        self.file.write_text(
            as_toml(
                {
                    "run_dir": str(folder / "run"),
                    "data_dir": str(folder / "data"),
                    "hosts": hosts,
                    "agency_keys": keys,
                }
            )
        )
        self.settings: Settings = load_settings(self.file)
        self.clock = SystemClock()
        self.journal = SqliteJournal(folder / "data", self.clock.now, recovery_key(self.settings.agency_keys))
        self.journal.record("kiosk_started")
        self.owed: list[str] = []

    def _host(self, name: str) -> dict[str, object]:
        host = self.town.settings(name, deadline_s=5.0)
        return {field: getattr(host, field) for field in host.__struct_fields__}

    def change_a_pin(self, number: int) -> None:
        key = self.clock.new_key()
        cards = self.town.world.cards
        card = cards[number % len(cards)].number
        facts: dict[str, str | int] = {"card_number": card, "at": datetime.now(UTC).isoformat()}
        notice = NewNotice("card_platform", "pin_changed", key, facts)
        self.journal.commit(NewEntry("pin_changed", "", card_number=str(facts["card_number"]), notices=(notice,)))
        self.owed.append(key)

    @asynccontextmanager
    async def forwarder(self) -> AsyncIterator[trio.Process]:
        command = [sys.executable, "-m", "kiosk", "forward", "--settings", str(self.file)]
        async with trio.open_nursery() as nursery:
            process: trio.Process = await nursery.start(partial(trio.run_process, command, cwd=HOUSE, check=False))
            try:
                yield process
            finally:
                process.terminate()

    def told(self) -> list[str]:
        return [key for key, _ in self.town.platform.pin_changes()]


@pytest.fixture
def terminal(town: Town, tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(town, tmp_path)
    yield made
    made.journal.close()


async def until_all_is_told(terminal: Terminal) -> None:
    with trio.fail_after(ARRIVES_S_MAX):
        while terminal.journal.outbox.unsent_count():
            await trio.sleep(0.1)


async def test_what_residents_did_arrives_while_no_kiosk_runs(terminal: Terminal) -> None:
    """Notices are told in order and the ledger gets every row; who asks on the socket learns what is unsent."""
    for number in range(12):
        terminal.change_a_pin(number)
    async with terminal.forwarder():
        await until_all_is_told(terminal)
        told = await ask_control(forward_path(terminal.settings.run_dir), "unsent")
        assert (told["unsent_count"], told["unsent_sum_fen"], told["oldest_at"]) == (0, 0, "")
        assert (told["open_effects"], told["under_way"]) == (0, 0)
        ledger = terminal.town.sandboxes["agency_ledger"]
        copies = open_copies(Path(terminal.settings.data_dir))
        with trio.fail_after(ARRIVES_S_MAX):
            while ledger.kept_up_to("T0000001")[0] < copies.newest():  # type: ignore[attr-defined] # the ledger's own
                await trio.sleep(0.2)
    assert terminal.told() == terminal.owed
    assert ledger.alerts("T0000001") == []  # type: ignore[attr-defined] # the ledger's own


@pytest.mark.slow
async def test_a_forwarder_that_is_killed_again_and_again_tells_each_once(terminal: Terminal) -> None:
    """SIGKILL at seeded moments while the other process writes on: every key has one effect, and the chain is whole."""
    seed = int(os.environ.get("KILL_SEED", "20261122"))
    chance = random.Random(seed)
    for _ in range(KILLS):
        async with terminal.forwarder() as process:
            ends = trio.current_time() + 0.8 + chance.random()
            while trio.current_time() < ends:
                terminal.change_a_pin(chance.randrange(1000))
                await trio.sleep(0.02 + 0.05 * chance.random())
            process.send_signal(signal.SIGKILL)
    async with terminal.forwarder():
        await until_all_is_told(terminal)
    assert sorted(terminal.told()) == sorted(terminal.owed), f"KILL_SEED={seed}"
    by_card: dict[str, list[str]] = {}
    for key, card in terminal.town.platform.pin_changes():
        by_card.setdefault(card, []).append(key)
    assert all(keys == sorted(keys) for keys in by_card.values()), "of one card nothing overtakes"
    reader = open_reader(Path(terminal.settings.data_dir))
    assert verify(reader.connection, reader.public_key, root=reader.root).whole


async def asked(terminal: Terminal, *words: str) -> tuple[int | None, str]:
    """What `python -m kiosk notices` ends with, and says."""
    command = [sys.executable, "-m", "kiosk", "notices", *words, "--settings", str(terminal.file)]
    done = await trio.run_process(command, cwd=HOUSE, check=False, capture_stdout=True, capture_stderr=True)
    return done.returncode, (done.stdout + done.stderr).decode().strip()


async def test_people_bring_refused_notices_on(terminal: Terminal) -> None:
    """Listed with the host's reason; one is told once more, one given up by two people, and not by one of them."""
    terminal.town.weather.change(refuse_code="unknown_card", only=frozenset({"card_platform"}))
    for number in range(2):
        terminal.change_a_pin(number)
    first, second = terminal.owed
    async with terminal.forwarder():
        with trio.fail_after(ARRIVES_S_MAX):
            while len(terminal.journal.outbox.put_aside()) < 2:
                await trio.sleep(0.1)
        status, said = await asked(terminal, "list")
        assert status == 0
        assert [line.split()[0] for line in said.splitlines()] == [first, second]
        assert "refused: unknown_card" in said
        terminal.town.weather.clear()
        assert await asked(terminal, "release", "another", "--by", "1001") == (1, NOTHING)
        assert await asked(terminal, "release", first, "--by", "1001") == (0, "released")
        alone = await asked(terminal, "give-up", second, "--by", "1001", "--approver", "1001", "--why", "by telephone")
        assert (alone[0], TWO_PEOPLE in alone[1]) == (64, True)
        both = ("--by", "1001", "--approver", "1002", "--why", "told by telephone")
        assert await asked(terminal, "give-up", second, *both) == (0, "given up")
        await until_all_is_told(terminal)
        assert await asked(terminal, "list") == (0, "no notice was put aside")
    given_up = [entry.facts or {} for entry in terminal.journal.entries() if entry.act == "notice_given_up"]
    assert [(one["key"], one["approver"], one["why"]) for one in given_up] == [(second, "1002", "told by telephone")]
    assert terminal.told() == [first]
    assert (await asked(terminal, "list"))[0] == 66, "without a forwarder nobody is answered"
