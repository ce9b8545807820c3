"""Deposits and debts with the real clients and the real sandbox, and the published document between them."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from trio.testing import MockClock

from kiosk.domain.books import Account
from kiosk.domain.money import Fen
from kiosk.domain.statement import Difference
from kiosk.hosts.hospital.client import DebtRegisterClient, HospitalClient
from kiosk.money.drive_deposits import drive_deposits
from kiosk.money.run_reconciliation import Books, Reconciled, reconcile_day
from kiosk.ports import HostLink, Outcome
from kiosk.settings.config import Settings
from simulators.hosts.hospital import HospitalSandbox
from simulators.hosts.weather import Weather
from tests.flows.fittings import FakeReader
from tests.flows.hospital import deliver_all
from tests.flows.owed import Terminal
from tests.hosts.medical import DEMO, NOON, MemoryLink, card_of
from tests.hosts.memory import DocumentedLink

STAY = "ZY20261101"
TERMINAL = "T0000001"


class Lobby:
    """A terminal, and the sandbox behind the client that a link makes."""

    def __init__(self, folder: Path, handle: str) -> None:
        self.sandbox = HospitalSandbox(DEMO, folder / "hospital", Weather(), lambda: NOON)
        self.link = MemoryLink(self.sandbox)
        self.terminal = Terminal(folder / "journal")
        self.identity, holder = card_of(DEMO, handle)
        identity = self.identity

        class Reader(FakeReader):
            def __init__(self) -> None:
                super().__init__()
                self.identity, self.holder = identity, holder

        self.terminal.make_reader = Reader
        self.connect(self.link)

    def connect(self, link: HostLink) -> None:
        self.terminal.hospital = self.hospital = HospitalClient(link, TERMINAL)
        self.terminal.register = DebtRegisterClient(link, TERMINAL)

    async def reconcile(self) -> Reconciled:
        """The day in front, which the hospital says is over."""
        self.sandbox.weather.change(day_is_over=True)
        journal, settings = self.terminal.journal, Settings(run_dir="", data_dir="")
        unsent = partial(journal.outbox.unsent_keys, "hospital")
        books = Books(journal, self.terminal.clock, self.hospital, settings, unsent=unsent)
        return await reconcile_day(books, NOON.date())

    async def tell(self) -> None:
        await deliver_all(self.terminal.journal, self.terminal.hospital, self.terminal.register)

    def close(self) -> None:
        self.terminal.journal.close()
        self.sandbox.close()


@pytest.fixture
def inpatient(tmp_path: Path) -> Iterator[Lobby]:
    made = Lobby(tmp_path, "wang_xiulan")
    yield made
    made.close()


@pytest.fixture
def creditor(tmp_path: Path) -> Iterator[Lobby]:
    made = Lobby(tmp_path, "long_name")
    yield made
    made.close()


async def test_a_deposit_as_documented(autojump_clock: MockClock, inpatient: Lobby) -> None:
    """Every question and answer of a deposit passes the published document, and the hospital has the money once."""
    documented = DocumentedLink(inpatient.sandbox)
    inpatient.connect(documented)
    assert await inpatient.terminal.visit("pay_inpatient_deposit", (10_000, 10_000)) is Outcome.DONE
    assert documented.operations == ["admission", "deposit"]
    assert inpatient.sandbox.claims.deposits() == [(STAY, 20_000)]
    assert "YJ0000000001" in "".join(inpatient.terminal.papers[0])


async def test_an_answer_that_is_lost_credits_once(autojump_clock: MockClock, inpatient: Lobby) -> None:
    """The hospital credits and nobody hears it, four times: one deposit, driven to its receipt by the same key."""
    link = inpatient.link
    link.before["/v1/deposits"] = lambda: setattr(link, "deaf", True)
    assert await inpatient.terminal.visit("pay_inpatient_deposit", (10_000, 10_000)) is Outcome.UNKNOWN
    assert await drive_deposits(inpatient.terminal.journal, inpatient.terminal.clock, inpatient.terminal.hospital) == 1
    link.deaf = False
    assert await drive_deposits(inpatient.terminal.journal, inpatient.terminal.clock, inpatient.terminal.hospital) == 0
    assert link.asked.count("/v1/deposits") == 5
    assert len({body for path, body in zip(link.asked, link.sent, strict=True) if path == "/v1/deposits"}) == 1
    assert inpatient.sandbox.claims.deposits() == [(STAY, 20_000)]
    assert inpatient.terminal.balances == {Account.CASH_BOX: 20_000, Account.HOSPITAL: -20_000}


async def test_a_discharged_patient_gets_the_notes_back(autojump_clock: MockClock, inpatient: Lobby) -> None:
    """The stay ends while notes go in: the hospital's no is final, and what came in goes out."""
    inpatient.terminal.cash.drums = {Fen(5000): 9}
    link = inpatient.link

    def discharge() -> None:
        residents = [one for one in DEMO.residents if one.admission != STAY]
        inpatient.sandbox.world = type(DEMO)(name=DEMO.name, city=DEMO.city, residents=residents, cards=[])

    link.before["/v1/deposits"] = discharge
    assert await inpatient.terminal.visit("pay_inpatient_deposit", (10_000, 10_000)) is Outcome.REFUSED
    assert inpatient.terminal.cash.outlet == 20_000
    assert inpatient.sandbox.claims.deposits() == []


async def test_a_debt_as_documented(autojump_clock: MockClock, creditor: Lobby) -> None:
    """The world's 23.50: 23 in notes, confirmed as documented, and half a yuan stays under the same voucher."""
    documented = DocumentedLink(creditor.sandbox)
    creditor.connect(documented)
    assert await creditor.terminal.visit("collect_money", choose_debt="QK00000001") is Outcome.DONE
    await creditor.tell()
    assert documented.operations == ["debtsOfCard", "reserveDebt", "confirmDebt"]
    (left,) = creditor.sandbox.debts.of_card(creditor.identity.card_number)
    assert (left.left_fen, left.reserved_by, creditor.terminal.cash.outlet) == (50, "", 2300)


async def test_a_lost_reserve_is_given_back(autojump_clock: MockClock, creditor: Lobby) -> None:
    """The register reserved and nobody heard it: nothing is paid, it is given back, and the next try pays."""
    link = creditor.link
    link.before["/v1/debts/reserve"] = lambda: setattr(link, "deaf", True)
    script: dict[str, Any] = {"choose_debt": "QK00000001"}
    assert await creditor.terminal.visit("collect_money", **script) is Outcome.UNAVAILABLE
    link.deaf = False
    await creditor.tell()
    assert creditor.terminal.cash.dispenses == 0
    assert await creditor.terminal.visit("collect_money", **script) is Outcome.DONE
    assert creditor.terminal.cash.outlet == 2300


async def test_a_day_of_deposits_agrees_with_the_hospital(autojump_clock: MockClock, inpatient: Lobby) -> None:
    """As documented, with the real client: what the hospital credited agrees, and one that it lost is told."""
    inpatient.connect(DocumentedLink(inpatient.sandbox))
    assert await inpatient.terminal.visit("pay_inpatient_deposit", (10_000, 10_000)) is Outcome.DONE
    assert (await inpatient.reconcile()).agree == 1
    inpatient.sandbox.books.execute("delete from deposits")
    done = await inpatient.reconcile()
    assert [(one.side, one.difference, one.ours_fen) for one in done.findings] == [
        ("deposits", Difference.HERE_NOT_THERE, 20_000)
    ]


async def test_a_credit_in_silence_is_proved_by_the_detail(autojump_clock: MockClock, inpatient: Lobby) -> None:
    """The hospital credits and is never heard: the day's detail closes it before the driver asks once more."""
    link = inpatient.link
    link.before["/v1/deposits"] = lambda: setattr(link, "deaf", True)
    assert await inpatient.terminal.visit("pay_inpatient_deposit", (10_000, 10_000)) is Outcome.UNKNOWN
    link.deaf = False
    assert (await inpatient.reconcile()).proved == 1
    assert inpatient.terminal.balances == {Account.CASH_BOX: 20_000, Account.HOSPITAL: -20_000}
    assert inpatient.terminal.journal.open_effects() == []


async def test_a_day_of_debts_agrees_with_the_register(autojump_clock: MockClock, creditor: Lobby) -> None:
    """Paid and confirmed agrees; a confirmation that the register lost leaves its reserve, and is told."""
    assert await creditor.terminal.visit("collect_money", choose_debt="QK00000001") is Outcome.DONE
    done = await creditor.reconcile()
    assert (done.open, done.findings) == (1, ())
    await creditor.tell()
    assert (await creditor.reconcile()).agree == 1
    creditor.sandbox.books.execute("delete from payouts")
    (lost,) = (await creditor.reconcile()).findings
    assert (lost.side, lost.difference, lost.ours_fen) == ("debts", Difference.HERE_NOT_THERE, 2300)
