"""Contributions in notes: credited, received without the line, refused, stopped; the paper always says which."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from kiosk.domain.books import Account
from kiosk.domain.offline import CardFinding
from kiosk.money.receipts_owed import receipts_owed
from kiosk.ports import Outcome
from kiosk.services.pay_contributions import pay_contributions
from tests.flows.agency import AgencyOffice, Documents, allows, tell_all
from tests.flows.owed import SERVICES, Terminal
from tests.flows.people import KioskInMemory

HUNDRED = 10_000
SAID: dict[str, Any] = {
    "choose_contribution": "resident_pension-2026",
    "choose_grade": "20000",
    "confirm_contribution": "pay",
    "contribution_credited": "understood",
    "contribution_received": "understood",
    "contribution_refused": "understood",
    "contribution_none": "understood",
    **{f"offline_{why}": "understood" for why in ("no_policy", "act_too_large", "ask_staff", "card_day_full")},
}
SERVICES["pay_contributions"] = pay_contributions


class Village(Terminal):
    """A terminal whose agency is in memory, with the year's grades for the time without a line."""

    def __init__(self, folder: Path) -> None:
        self.agency, self.documents = AgencyOffice(), Documents(allows("contribution", 30_000))
        super().__init__(folder)

    def new_kiosk(self, script: dict[str, Any]) -> KioskInMemory:
        kiosk = super().new_kiosk(SAID | script)
        rules = kiosk.settings.contributions.__class__(2026, (20_000, 30_000, 50_000), (40_000,))
        kiosk.desk.settings = kiosk.settings.__class__(
            **{name: getattr(kiosk.settings, name) for name in kiosk.settings.__struct_fields__}
            | {"contributions": rules}
        )
        kiosk.desk.social_insurance = self.agency  # type: ignore[assignment]  # all that this service asks of it
        object.__setattr__(kiosk.desk.offline, "documents", self.documents)
        return kiosk

    async def pays(self, *notes: int, **script: Any) -> Outcome | None:
        return await self.visit("pay_contributions", notes, **script)

    async def collects(self) -> None:
        """Every paper that waits for this card."""
        card = self.kiosk.reader.identity.card_number
        owed = [str(one.paper) for one in receipts_owed(self.journal, card)]
        await self.visit("collect_receipt", choose_receipt=owed)

    def pages(self) -> list[str]:
        return self.kiosk.screen.names()


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Village]:
    made = Village(tmp_path)
    yield made
    made.journal.close()


async def test_a_contribution_is_credited_and_written_down(autojump_clock: MockClock, village: Village) -> None:
    """Two notes of 100 are the year's 200; the paper bears the agency's number; telling again adds none."""
    assert await village.pays(HUNDRED, HUNDRED) is Outcome.DONE
    assert list(village.agency.credited.values()) == [20_000]
    assert village.balances == {Account.CASH_BOX: 20_000, Account.AGENCY: -20_000}
    (paper,) = village.papers
    assert "社保缴费：已入账" in paper
    assert "经办机构编号：C0000000001" in paper
    await tell_all(village.journal, village.agency, village.clock)
    assert (village.journal.unsent()[0], len(village.agency.credited)) == (0, 1)


async def test_change_comes_back_after_the_money_is_received(autojump_clock: MockClock, village: Village) -> None:
    """250 fed for 200: the contribution is committed before a note goes out, and the paper says both."""
    assert await village.pays(5000, HUNDRED, HUNDRED) is Outcome.DONE
    assert village.cash.outlet == 5000
    assert village.acts.index("contribution_received") < village.acts.index("dispense_intent")
    assert "已找零：¥ 50.00 元" in village.papers[0]


async def test_without_the_line_it_is_received_and_not_credited(autojump_clock: MockClock, village: Village) -> None:
    """Page and paper never say "credited"; when the line is back the same card gets the final receipt."""
    village.agency.habit = "silent"
    assert await village.pays(HUNDRED, HUNDRED) is Outcome.DONE
    assert "contribution_received" in village.pages()
    assert village.balances == {Account.CASH_BOX: 20_000, Account.CONTRIBUTIONS: -20_000}
    assert village.journal.unsent() == (1, 20_000)
    assert "社保缴费：已收款，还没有入账" in village.papers[0]
    assert village.kiosk.receipts.papers[0].qr
    village.agency.habit = "credits"
    await tell_all(village.journal, village.agency, village.clock)
    assert village.balances == {Account.CASH_BOX: 20_000, Account.AGENCY: -20_000}
    await village.collects()
    assert "社保缴费：已入账" in village.papers[0]


async def test_an_answer_that_is_lost_is_found_out_by_the_key(autojump_clock: MockClock, village: Village) -> None:
    """Credited, and nobody heard it: the page says "not credited yet", and it is never credited twice."""
    village.agency.habit = "credits_silently"
    assert await village.pays(HUNDRED, HUNDRED) is Outcome.DONE
    assert "contribution_received" in village.pages()
    village.agency.habit = "credits"
    await tell_all(village.journal, village.agency, village.clock)
    assert list(village.agency.credited.values()) == [20_000]
    assert village.balances == {Account.CASH_BOX: 20_000, Account.AGENCY: -20_000}


async def test_what_the_agency_refuses_comes_back_at_once(autojump_clock: MockClock, village: Village) -> None:
    """Paid at the counter in the meantime: the notes go out again, as far as notes can."""
    village.agency.habit = "refuses"
    village.cash.drums[10_000] = 2  # type: ignore[index]  # fen
    assert await village.pays(HUNDRED, HUNDRED) is Outcome.REFUSED
    assert "contribution_refused" in village.pages()
    assert village.cash.outlet == 20_000
    assert village.balances.get(Account.CONTRIBUTIONS, 0) == 0
    await tell_all(village.journal, village.agency, village.clock)
    assert (village.agency.credited, village.agency.registered) == ({}, {})


async def test_what_is_told_again_is_the_same_in_every_word(autojump_clock: MockClock, village: Village) -> None:
    """A key with another content would be refused: also the second in which the money was received stays as it is."""
    village.clock.tick, village.agency.habit = timedelta(seconds=1), "credits_silently"
    await village.pays(HUNDRED, HUNDRED)
    village.agency.habit = "credits"
    await tell_all(village.journal, village.agency, village.clock)
    first, again = village.agency.asked
    assert first == again


@pytest.mark.parametrize("habit", ["refuses", "credits"])
async def test_the_forwarder_leaves_a_contribution_to_its_visit(
    autojump_clock: MockClock, village: Village, habit: str
) -> None:
    """The other process comes by while the visit waits for the agency: one of them books what became of the money."""
    ask, forwarder_came_by = village.agency.contribute, trio.Event()

    async def slowly(*asked: Any) -> str:
        if not forwarder_came_by.is_set():
            forwarder_came_by.set()
            await tell_all(village.journal, village.agency, village.clock)
        return await ask(*asked)

    village.agency.habit, village.agency.contribute = habit, slowly  # type: ignore[method-assign,assignment]
    await village.pays(HUNDRED, HUNDRED, prepare=lambda _: village.journal.record("visit_opened", "000001"))
    village.journal.record("visit_closed", "000001")
    await tell_all(village.journal, village.agency, village.clock)
    assert village.balances.get(Account.CONTRIBUTIONS, 0) == 0
    assert not any(act.endswith("_late") for act in village.acts)
    assert village.journal.unsent()[0] == 0


async def test_what_is_refused_later_is_the_holders_at_the_agency(autojump_clock: MockClock, village: Village) -> None:
    """Days later nobody stands there: a debt in the agency's register and a paper, once, however often it is told."""
    village.agency.habit = "silent"
    await village.pays(HUNDRED, HUNDRED)
    village.agency.habit = "refuses"
    await tell_all(village.journal, village.agency, village.clock)
    assert list(village.agency.registered.values()) == [20_000]
    assert village.balances == {Account.CASH_BOX: 20_000, Account.HOLDER_DEBT: -20_000}
    await village.collects()
    assert "社保缴费：没有入账" in village.papers[0]


async def test_a_refusal_that_is_not_final_waits_for_a_person(autojump_clock: MockClock, village: Village) -> None:
    """A host out of its mind takes no money away: three times, then put aside, and the money stays explained."""
    village.agency.habit = "silent"
    await village.pays(HUNDRED, HUNDRED)
    village.agency.habit, village.agency.refuses_with = "refuses", "maintenance"
    await tell_all(village.journal, village.agency, village.clock)
    assert [one[1:3] for one in village.journal.outbox.put_aside()] == [("social_insurance", "contribution")]
    assert village.balances == {Account.CASH_BOX: 20_000, Account.CONTRIBUTIONS: -20_000}


async def test_beyond_the_policy_no_note_is_taken(autojump_clock: MockClock, village: Village) -> None:
    """500 where the agency allows 300 without the line: told before the first note."""
    village.agency.habit = "silent"
    assert await village.pays(HUNDRED, choose_grade="50000") is Outcome.UNAVAILABLE
    assert "offline_act_too_large" in village.pages()
    assert "note_intent" not in village.acts


async def test_a_policy_that_ends_while_notes_go_in_gives_them_back(
    autojump_clock: MockClock, village: Village
) -> None:
    """Judged again at the commit: nothing is received, and what was fed comes out or is owed."""
    village.agency.habit = "silent"

    village.cash.drums[10_000] = 2  # type: ignore[index]  # fen
    judged = village.documents.policy

    def once_more(version_min: int) -> Any:
        return judged(version_min) if "note_credited" not in village.acts else None

    village.documents.policy = once_more  # type: ignore[method-assign]  # it expires under our eyes
    assert await village.pays(HUNDRED, HUNDRED) is Outcome.UNAVAILABLE
    assert "offline_no_policy" in village.pages()
    assert "contribution_received" not in village.acts
    assert village.cash.outlet == 20_000


@pytest.mark.parametrize(("finding", "page"), [(CardFinding.LISTED, "offline_ask_staff")])
async def test_a_listed_card_pays_nothing_without_the_line(
    autojump_clock: MockClock, village: Village, finding: CardFinding, page: str
) -> None:
    """A person must look first; nobody is accused."""
    village.agency.habit, village.documents.finding = "silent", finding
    assert await village.pays(HUNDRED) is Outcome.UNAVAILABLE
    assert page in village.pages()


async def test_who_walks_away_is_owed_at_the_agency(autojump_clock: MockClock, village: Village) -> None:
    """Notes inside and nobody there: a debt where the money was for, not at some hospital."""
    await village.pays(HUNDRED)
    await tell_all(village.journal, village.agency, village.clock)
    assert list(village.agency.registered.values()) == [HUNDRED]
    assert village.agency.credited == {}


async def test_a_year_that_is_paid_cannot_be_chosen(autojump_clock: MockClock, village: Village) -> None:
    """Its tile says so; where nothing else is left the page says that."""
    village.agency.payables = tuple(one for one in village.agency.payables if one.paid)
    assert await village.pays() is Outcome.DONE
    assert village.pages() == ["contribution_loading", "contribution_none"]


async def test_what_was_received_here_is_not_paid_again(autojump_clock: MockClock, village: Village) -> None:
    """The agency was silent; it answers now and knows nothing of it. The same year is not offered before it heard."""
    village.agency.habit = "silent"
    await village.pays(HUNDRED, HUNDRED)
    village.agency.habit = "credits"
    village.agency.payables = tuple(one for one in village.agency.payables if one.kind.value == "resident_pension")
    assert await village.pays() is Outcome.DONE
    assert village.pages() == ["contribution_loading", "contribution_none"]
    await tell_all(village.journal, village.agency, village.clock)
    assert list(village.agency.credited.values()) == [20_000]


async def test_what_is_paid_after_it_is_told_after_it(autojump_clock: MockClock, village: Village) -> None:
    """Another insurance may be paid meanwhile; the agency hears of both in the order of the card."""
    village.agency.payables = tuple(replace(one, paid=False) for one in village.agency.payables)
    village.agency.habit = "silent"
    await village.pays(HUNDRED, HUNDRED)
    village.agency.habit = "credits"
    await village.pays(*[HUNDRED] * 4, choose_contribution="resident_medical-2026")
    assert "contribution_received" in village.pages()
    assert village.agency.credited == {}
    await tell_all(village.journal, village.agency, village.clock)
    assert list(village.agency.credited.values()) == [20_000, 40_000]
