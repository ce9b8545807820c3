"""Bills that were left, settled by the forwarder's own process over real mutual TLS: once, whenever it is killed."""

import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import trio

from kiosk.basics.clock import SystemClock
from kiosk.domain.books import Account, balanced, totals
from kiosk.domain.entries import NewEntry
from kiosk.domain.money import Fen
from kiosk.money.means import CASH
from kiosk.money.receipts_owed import receipts_owed
from kiosk.money.settlement_orders import HOST, open_orders, order_entry
from kiosk.ports import Visit
from kiosk.settings.config import Settings, load_settings
from offline_queue.agency_keys import recovery_key
from offline_queue.journal import SqliteJournal
from simulators.hosts.hospital import HospitalSandbox
from simulators.hosts.medical_insurance import MedicalInsuranceSandbox
from simulators.kiosk_settings import as_toml, medical_insurance_settings
from tests.hosts.conftest import Town
from tests.hosts.medical import bill_of

HOUSE = Path(__file__).parents[2]
ARRIVES_S_MAX = 60.0
KILLS = 6
CASE = "451207"
LEFT = Fen(10_000)
WHOSE = "wang_xiulan"  # her account pays all of her bill that the fund does not


class Terminal:
    """A journal in which a resident has left a bill with a note, and the settings of its forwarder."""

    def __init__(self, town: Town, folder: Path) -> None:
        self.town, self.file = town, folder / "settings.toml"
        hosts = {name: self._host(name) for name in ("card_platform", "hospital", "medical_insurance")}
        self.file.write_text(
            as_toml(
                {
                    "run_dir": str(folder / "run"),
                    "data_dir": str(folder / "data"),
                    "hosts": hosts,
                    "agency_keys": {"recovery": str(town.pki.public("recovery"))},
                    "medical_insurance": medical_insurance_settings(town.world),
                }
            )
        )
        self.settings: Settings = load_settings(self.file)
        self.clock = SystemClock()
        self.journal = SqliteJournal(folder / "data", self.clock.now, recovery_key(self.settings.agency_keys))
        self.journal.record("kiosk_started")

    def _host(self, name: str) -> dict[str, object]:
        host = self.town.settings(name, deadline_s=2.0)
        return {field: getattr(host, field) for field in host.__struct_fields__}

    def leave(self) -> None:
        """As the service commits it, with the note that was credited before."""
        bill = bill_of(self.town.world.resident(WHOSE).bills[0])
        visit = Visit(self.identity, self.town.holder(WHOSE), CASE, pin_verified=True)
        credited = balanced((Account.CASH_BOX, LEFT), (Account.RESIDENT, -LEFT))
        self.journal.commit(NewEntry("note_credited", CASE, {}, self.identity.card_number, credited))
        self.journal.commit(order_entry(visit, self.clock, bill, CASH, LEFT))
        self.journal.record("visit_closed", CASE)

    @property
    def identity(self):  # type: ignore[no-untyped-def] # as the town says
        return self.town.identity(WHOSE)

    @asynccontextmanager
    async def forwarder(self) -> AsyncIterator[trio.Process]:
        command = [sys.executable, "-m", "kiosk", "forward", "--settings", str(self.file)]
        async with trio.open_nursery() as nursery:
            process: trio.Process = await nursery.start(partial(trio.run_process, command, cwd=HOUSE, check=False))
            try:
                yield process
            finally:
                process.terminate()

    @property
    def balances(self) -> dict[Account, Fen]:
        return totals([posting for entry in self.journal.entries() for posting in entry.postings])

    @property
    def tries(self) -> int:
        """How often the order was begun in vain."""
        return sum(notice.tries for notice in self.journal.outbox.due_together(HOST, 1))

    @property
    def waits_for_the_day_after(self) -> bool:
        """A 2207 that was cut off before it left: not found, reversed, and never sent again (money-rules 10)."""
        return "reversal_answered" in [entry.act for entry in self.journal.story(CASE)]

    async def until_all_is_told(self) -> None:
        with trio.fail_after(ARRIVES_S_MAX):
            while self.journal.outbox.unsent_count() or open_orders(self.journal):
                if self.waits_for_the_day_after:
                    return
                await trio.sleep(0.1)


@pytest.fixture
def terminal(town: Town, tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(town, tmp_path)
    made.leave()
    yield made
    made.journal.close()


def judge(terminal: Terminal) -> None:
    """Settled once at the platform, paid once at the hospital, and the whole note registered as the holder's; or a
    2207 that did not leave, its cash kept until the day's detail tells."""
    platform, hospital = (terminal.town.sandboxes[name] for name in ("medical_insurance", "hospital"))
    assert isinstance(platform, MedicalInsuranceSandbox) and isinstance(hospital, HospitalSandbox)
    if terminal.waits_for_the_day_after:
        assert (platform.platform.standing(), hospital.claims.payments()) == ([], [])
        assert terminal.balances == {Account.CASH_BOX: LEFT, Account.SUSPENSE: -LEFT}
        return
    (row,) = platform.platform.standing()
    (payment,) = hospital.claims.payments()
    assert (payment.settlement_id, payment.means) == (row.setl_id, "account")
    (debt,) = hospital.debts.of_card(terminal.identity.card_number)
    assert debt.left_fen == LEFT
    assert terminal.balances == {Account.CASH_BOX: LEFT, Account.HOLDER_DEBT: -LEFT}
    assert [one.kind for one in receipts_owed(terminal.journal, terminal.identity.card_number)] == ["bill"]


async def test_a_bill_that_was_left_is_settled_when_the_line_is_back(terminal: Terminal) -> None:
    """While only the insurance is silent it waits, and counts as unsent; then it is settled with nobody there."""
    terminal.town.weather.change(platform_down=True)
    async with terminal.forwarder():
        with trio.fail_after(ARRIVES_S_MAX):
            while not terminal.tries:
                await trio.sleep(0.1)
        assert len(open_orders(terminal.journal)) == 1
        assert terminal.journal.unsent() == (1, LEFT)
        terminal.town.weather.clear()
        await terminal.until_all_is_told()
    judge(terminal)


@pytest.mark.slow
async def test_a_forwarder_that_is_killed_while_it_settles(terminal: Terminal) -> None:
    """SIGKILL at seeded moments of claim, quote and settlement: one 2207 stands, and all books agree."""
    seed = int(os.environ.get("KILL_SEED", "20261122"))
    chance = random.Random(seed)
    terminal.town.weather.change(slow_s=0.15)
    for _ in range(KILLS):
        async with terminal.forwarder() as process:
            await trio.sleep(1.2 + chance.random())
            process.send_signal(signal.SIGKILL)
    terminal.town.weather.clear()
    async with terminal.forwarder():
        await terminal.until_all_is_told()
    judge(terminal)
