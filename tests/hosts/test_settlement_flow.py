"""The service settles with the real clients and the real sandboxes, and the books of all sides agree."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio
from trio.testing import MockClock

from kiosk.domain.books import Account, totals
from kiosk.domain.money import Fen
from kiosk.domain.settlement import HOSPITAL
from kiosk.hosts.hospital.client import DebtRegisterClient, HospitalClient
from kiosk.money.debts import DebtRegisters
from kiosk.money.drive_unknown import drive_unknown
from kiosk.money.recover import recover_cash
from kiosk.ports import Back, Outcome, ResidentLeft, Visit
from kiosk.services.settle_medical_bill import settle_medical_bill
from offline_queue.journal import SqliteJournal
from simulators.hosts.hospital import HospitalSandbox
from simulators.hosts.medical_insurance import PlatformBehaviour
from simulators.hosts.weather import Weather
from simulators.worlds.world import World
from tests.flows.money import CashMachine
from tests.flows.people import CountingClock, KioskInMemory
from tests.hosts.medical import DEMO, NOON, Clinic, MemoryLink, treatment_of

DRUMS = {2000: 5, 1000: 5, 500: 5, 100: 9}


class Visited:
    """One resident of a world, a terminal with a recycler, the platform and the hospital."""

    def __init__(self, folder: Path, world: World, handle: str, script: dict[str, Any], notes: tuple[int, ...]) -> None:
        self.clinic = Clinic(folder / "platform", world)
        self.hospital = HospitalSandbox(world, folder / "hospital", Weather(), lambda: NOON)
        self.hospital_link = MemoryLink(self.hospital)
        self.cash = CashMachine(DRUMS)
        self.cash.pocket = [Fen(note) for note in notes]
        self.journal = SqliteJournal(folder / "journal", lambda: NOON)
        self.kiosk = KioskInMemory(script, cash=self.cash, journal=self.journal)
        desk = self.kiosk.desk
        desk.hospital, desk.medical_insurance = HospitalClient(self.hospital_link), self.clinic.client
        desk.debt_register = DebtRegisters({HOSPITAL: DebtRegisterClient(self.hospital_link)})
        self.kiosk.reader.identity, self.kiosk.reader.holder = self.clinic.card(handle)

    async def settle(self) -> Outcome:
        kiosk, ended = self.kiosk, None
        async with trio.open_nursery() as nursery:
            await recover_cash(self.journal, CountingClock(), self.cash)
            nursery.start_soon(kiosk.supervisor.run)
            await kiosk.supervisor.wait_tried()
            kiosk.reader.insert()
            kiosk.desk.visit = Visit(kiosk.reader.identity, kiosk.reader.holder, "000001", pin_verified=True)
            ended = await settle_medical_bill(kiosk.desk)
            nursery.cancel_scope.cancel()
        assert ended is not None
        return ended

    def balances(self) -> dict[Account, Fen]:
        return totals([posting for entry in self.journal.entries() for posting in entry.postings])

    def close(self) -> None:
        self.journal.close()
        self.clinic.platform.close()
        self.hospital.close()


def script(bill: str) -> dict[str, Any]:
    done = ("bill_settled", "outcome_pending", "host_refused", "host_silent", "device_out")
    return {
        "choose_bill": bill,
        "confirm_quote": "pay",
        "figures_changed": "accept",
        **dict.fromkeys(done, "understood"),
    }


def with_account(handle: str, medical_fen: int) -> World:
    """The demo world with another amount in one resident's account."""
    residents = [
        msgspec.structs.replace(one, medical_fen=medical_fen) if one.handle == handle else one for one in DEMO.residents
    ]
    return msgspec.structs.replace(DEMO, residents=residents)


async def test_an_employee_pays_by_account_and_notes(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Employee scheme: fund, account and notes pay the bill; change comes back; every book says the same."""
    visit = Visited(tmp_path, with_account("li_jianguo", 3000), "li_jianguo", script("20261121012"), (5000, 5000))
    assert await visit.settle() is Outcome.DONE
    bill = visit.clinic.bill("li_jianguo", 1)
    person = await visit.clinic.person("li_jianguo")
    (row,) = visit.clinic.platform.platform.live(person.person_number, bill.visit_number)
    assert row.account == 3000
    assert row.fund + row.account + row.cash == bill.total_fen
    assert person.balance_fen == 0
    (payment,) = visit.hospital.claims.payments()
    assert (payment.settlement_id, payment.means, payment.bill_id) == (row.setl_id, "cash", bill.bill_id)
    books = visit.balances()
    assert books[Account.HOSPITAL] == -row.cash
    assert books.get(Account.RESIDENT, 0) == 0
    assert visit.cash.outlet - books.get(Account.HOLDER_DEBT, 0) == 10_000 - row.cash
    visit.close()


async def test_an_account_that_holds_enough_needs_no_notes(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Employee scheme with money in the account: settled without a single note, and the hospital knows the means."""
    visit = Visited(tmp_path, DEMO, "wang_xiulan", script("20261121001"), ())
    assert await visit.settle() is Outcome.DONE
    (payment,) = visit.hospital.claims.payments()
    assert (payment.means, visit.cash.dispenses) == ("account", 0)
    assert visit.clinic.platform.balance_of("wang_xiulan") == 286_415 - 44_423
    visit.close()


async def test_silence_of_the_platform_is_found_out(tmp_path: Path, autojump_clock: MockClock) -> None:
    """2207 books and its answer is lost: 5203 finds it, and the resident leaves with a settled bill."""
    visit = Visited(tmp_path, DEMO, "zhao_min", script("20261121021"), (10_000, 5000))
    visit.clinic.link.lost.add("2207")
    assert await visit.settle() is Outcome.DONE
    person, bill = await visit.clinic.person("zhao_min"), visit.clinic.bill("zhao_min")
    (row,) = visit.clinic.platform.platform.live(person.person_number, bill.visit_number)
    found = await visit.clinic.client.find(treatment_of(person, bill), row.msgid)
    assert found is not None
    assert visit.balances()[Account.HOSPITAL] == -found.split.cash_fen
    visit.close()


async def test_the_window_was_faster(tmp_path: Path, autojump_clock: MockClock) -> None:
    """A bill paid at the window while the resident reads the list ends before any money moves."""
    visit = Visited(tmp_path, DEMO, "zhao_min", script("20261121021"), (10_000, 5000))
    visit.hospital_link.before["/v1/claims"] = lambda: visit.hospital.pay_at_window("20261121021")
    assert await visit.settle() is Outcome.REFUSED
    assert visit.clinic.platform.platform.messages() == []
    assert visit.cash.pocket == [10_000, 5000]
    visit.close()


def messages_of(visit: Visited, kind: str) -> int:
    """How many messages of a kind left the terminal."""
    return sum(f'"infno":"{kind}"'.encode() in sent for sent in visit.clinic.link.sent)


@pytest.mark.parametrize("habit", ["dedupe", "book_twice", "refuse"])
async def test_one_settlement_whatever_the_platforms_habit(
    tmp_path: Path, autojump_clock: MockClock, habit: str
) -> None:
    """2207 books and stays silent: exactly one 2207 leaves, so that no habit with repeated messages can matter."""
    visit = Visited(tmp_path, DEMO, "zhao_min", script("20261121021"), (10_000, 5000))
    visit.clinic.platform.behaviour.on_repeat = habit
    visit.clinic.link.lost.add("2207")
    assert await visit.settle() is Outcome.DONE
    assert (messages_of(visit, "2207"), messages_of(visit, "2601")) == (1, 0)
    assert len(visit.hospital.claims.payments()) == 1
    visit.close()


async def test_reversal_that_overtakes(tmp_path: Path, autojump_clock: MockClock) -> None:
    """2207 is under way when its 2601 is answered, and books afterwards: the second look finds it, and it stands."""
    visit = Visited(tmp_path, DEMO, "zhao_min", script("20261121021"), (10_000, 5000))
    visit.clinic.platform.behaviour.overtaken = True
    assert await visit.settle() is Outcome.DONE
    assert (messages_of(visit, "2207"), messages_of(visit, "2601")) == (1, 1)
    person, bill = await visit.clinic.person("zhao_min"), visit.clinic.bill("zhao_min")
    (row,) = visit.clinic.platform.platform.live(person.person_number, bill.visit_number)
    assert visit.balances()[Account.HOSPITAL] == -row.cash
    visit.close()


async def test_nothing_is_known_until_the_line_is_back(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Every answer after 2207 is lost: the cash waits in suspense, and is the hospital's once the platform is heard."""
    visit = Visited(tmp_path, DEMO, "zhao_min", script("20261121021"), (10_000, 5000))
    visit.clinic.link.lost |= {"2207", "5203", "2601"}
    assert await visit.settle() is Outcome.UNKNOWN
    held = -visit.balances()[Account.SUSPENSE]
    assert held == 15_000
    # 2601 was heard by the platform, so the settlement is gone there; nothing is settled and nothing is lost.
    visit.clinic.link.lost.clear()
    assert await drive_unknown(visit.journal, CountingClock(), visit.clinic.client) == 1
    assert -visit.balances()[Account.SUSPENSE] == held
    assert messages_of(visit, "2207") == 1
    assert visit.hospital.claims.payments() == []
    visit.close()


async def test_dearer_than_quoted_and_refused_is_undone(tmp_path: Path, autojump_clock: MockClock) -> None:
    """2207 leaves more to the person than 2206 said: refused, 2208 undoes it, and the notes come back."""
    visit = Visited(tmp_path, DEMO, "zhao_min", script("20261121021") | {"figures_changed": "refuse"}, (10_000, 5000))
    visit.clinic.platform.behaviour.settles_differently = True
    ended = False
    try:
        await visit.settle()
    except* Back:
        ended = True
    assert ended
    assert await bills_live(visit) == []
    assert (messages_of(visit, "2207"), messages_of(visit, "2208")) == (1, 1)
    assert visit.cash.outlet == 15_000
    assert {account: fen for account, fen in visit.balances().items() if fen} == {
        Account.CASH_BOX: 15_000,
        Account.DRUMS: -15_000,
    }
    visit.close()


async def test_dearer_than_quoted_and_accepted_takes_more_notes(tmp_path: Path, autojump_clock: MockClock) -> None:
    """The resident accepts, and puts in what is missing now: settled once, to the platform's fen."""
    lived = script("20261121021") | {"figures_changed": "accept"}
    visit = Visited(tmp_path, DEMO, "zhao_min", lived, (10_000, 2000, 500, 100, 100, 100))
    visit.clinic.platform.behaviour.settles_differently = True
    assert await visit.settle() is Outcome.DONE
    assert (messages_of(visit, "2207"), messages_of(visit, "2208")) == (1, 0)
    (row,) = await bills_live(visit)
    assert visit.balances()[Account.HOSPITAL] == -row.cash == -12_797
    assert visit.cash.pocket == []
    visit.close()


async def test_dearer_than_quoted_and_nothing_more_comes(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Accepted, and nobody puts in the rest: 2208, and what is inside is the holder's, who has gone."""
    lived = script("20261121021") | {"figures_changed": "accept"}
    visit = Visited(tmp_path, DEMO, "zhao_min", lived, (10_000, 2000, 500, 100, 100))
    visit.clinic.platform.behaviour.settles_differently = True
    gone = False
    try:
        await visit.settle()
    except* ResidentLeft:
        gone = True
    assert gone
    assert await bills_live(visit) == []
    assert (messages_of(visit, "2207"), messages_of(visit, "2208")) == (1, 1)
    assert visit.cash.outlet == 0
    assert visit.balances() == {Account.CASH_BOX: 12_700, Account.HOLDER_DEBT: -12_700}
    visit.close()


async def bills_live(visit: Visited) -> list[Any]:
    """What stands at the platform for the bill of these tests."""
    person, bill = await visit.clinic.person("zhao_min"), visit.clinic.bill("zhao_min")
    rows: list[Any] = visit.clinic.platform.platform.live(person.person_number, bill.visit_number)
    return rows


async def test_a_quote_that_contradicts_itself_moves_no_money(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Broken identities in 2206: the resident is told, nothing is settled, and the bill is free again."""
    visit = Visited(tmp_path, DEMO, "zhao_min", script("20261121021"), (10_000, 5000))
    visit.clinic.platform.behaviour.breaks_identity = True
    assert await visit.settle() is Outcome.REFUSED
    assert messages_of(visit, "2207") == 0
    assert visit.cash.pocket == [10_000, 5000]
    assert visit.hospital.claims.holder("20261121021", NOON) == ""
    assert "amounts_disagree" in [entry.act for entry in visit.journal.entries()]
    visit.close()


async def test_a_settlement_that_contradicts_itself_is_a_case(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Broken identities in 2207 alone: settled as the platform says, and a case that names what does not add up."""
    visit = Visited(tmp_path, DEMO, "zhao_min", script("20261121021"), (10_000, 5000))
    breaks = PlatformBehaviour(breaks_identity=True)
    visit.hospital_link.before["/v1/claims/extend"] = lambda: setattr(visit.clinic.platform, "behaviour", breaks)
    assert await visit.settle() is Outcome.DONE
    (case,) = [entry for entry in visit.journal.entries() if entry.act == "amounts_disagree"]
    assert case.facts is not None
    assert "rows_make_fund" in str(case.facts["why"])
    visit.close()


async def test_a_platform_that_never_answers_acts(tmp_path: Path, autojump_clock: MockClock) -> None:
    """The weather silences every act and no question: 2207 is found at once, and no reversal is sent."""
    visit = Visited(tmp_path, DEMO, "zhao_min", script("20261121021"), (10_000, 5000))
    visit.clinic.platform.weather.change(platform_silent=True)
    assert await visit.settle() is Outcome.DONE
    assert (messages_of(visit, "2207"), messages_of(visit, "2601")) == (1, 0)
    visit.close()


async def test_the_window_pays_just_before_the_claim(tmp_path: Path, autojump_clock: MockClock) -> None:
    """The weather lets the window be faster: the claim is refused before any money moves."""
    visit = Visited(tmp_path, DEMO, "zhao_min", script("20261121021"), (10_000, 5000))
    visit.hospital.weather.change(window_pays=True)
    assert await visit.settle() is Outcome.REFUSED
    assert [payment.means for payment in visit.hospital.claims.payments()] == ["window"]
    assert visit.cash.pocket == [10_000, 5000]
    visit.close()


async def test_a_paused_insurance_ends_before_the_claim(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Who is not insured now is told so by name, and the bill stays free for the window."""
    visit = Visited(tmp_path, DEMO, "paused", script("20261121051"), (10_000,))
    assert await visit.settle() is Outcome.REFUSED
    assert "Your medical insurance is not in force now." in str(visit.kiosk.screen.asked[-1])
    assert [path for path in visit.hospital_link.asked if path == "/v1/claims"] == []
    visit.close()


async def test_the_window_pays_while_notes_go_in(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Paid at the window after the claim: found before 2207 leaves, nothing is booked, and the notes come back."""
    visit = Visited(tmp_path, DEMO, "zhao_min", script("20261121021"), (10_000, 5000))
    visit.hospital_link.before["/v1/claims/extend"] = lambda: visit.hospital.pay_at_window("20261121021")
    assert await visit.settle() is Outcome.REFUSED
    assert messages_of(visit, "2207") == 0
    assert visit.cash.outlet == 15_000
    assert visit.journal.open_effects() == []
    visit.close()


async def test_a_bill_is_held_while_its_outcome_is_unknown(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Nobody knows whether 2207 booked: no other terminal gets the bill, hours later either."""
    visit = Visited(tmp_path, DEMO, "zhao_min", script("20261121021"), (10_000, 5000))
    visit.clinic.link.lost |= {"2207", "5203", "2601"}
    assert await visit.settle() is Outcome.UNKNOWN
    assert visit.hospital.claims.holder("20261121021", NOON + timedelta(hours=30)) != ""
    visit.close()
