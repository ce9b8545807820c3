"""Check balances, lived by scripted residents."""

from dataclasses import replace
from typing import Any

import pytest
from trio.testing import MockClock

from kiosk.domain.account import InsuranceState
from kiosk.domain.card import PinResult, PinVerdict
from kiosk.domain.text import Amount, Text
from kiosk.l10n import render
from kiosk.ports import Figures, HostRefused
from tests.flows.people import KioskInMemory
from tests.flows.scripted_screen import PULLS_CARD, WALKS_AWAY


def resident(**script: Any) -> KioskInMemory:
    return KioskInMemory(
        {
            "menu": ["query_account", "take_card"],
            "overview": ["account", "contributions", "insurances", "benefits", "back"],
            "figures_account": "back",
            "figures_contributions": "back",
            "figures_insurances": "back",
            "figures_benefits": "back",
            "wrong_pin": "again",
            "host_refused": "understood",
            "host_silent": "understood",
        }
        | script
    )


async def test_pension_of_a_retired_person_is_never_called_ended(autojump_clock: MockClock) -> None:
    """Who draws a pension reads that it is being paid, and the newest payment stands first, the total last."""
    kiosk = resident()
    overview = kiosk.hosts.account
    pension = replace(overview.insurances[0], state=InsuranceState.RECEIVING)
    kiosk.hosts.account = replace(overview, insurances=(pension,))
    await kiosk.visit()
    shown = {question.name: question.body for question in kiosk.screen.asked}
    insurances, benefits = shown["figures_insurances"], shown["figures_benefits"]
    assert isinstance(insurances, Figures)
    assert isinstance(benefits, Figures)
    state = insurances.rows[0].value
    assert isinstance(state, Text)
    assert render(state, "zh") == "正在领取"
    assert [row.heading for row in benefits.rows] == [False] * len(overview.benefits) + [True]


async def test_resident_sees_all_four_parts_and_leaves(autojump_clock: MockClock) -> None:
    """Every part is shown once, with the host's own amounts, and the visit ends with the card taken."""
    kiosk = resident()
    await kiosk.visit()
    assert [name for name in kiosk.screen.names() if name.startswith("figures_")] == [
        "figures_account",
        "figures_contributions",
        "figures_insurances",
        "figures_benefits",
    ]
    account = next(question for question in kiosk.screen.asked if question.name == "figures_account")
    assert isinstance(account.body, Figures)
    amounts = [row.value.fen for row in account.body.rows if isinstance(row.value, Amount)]
    assert amounts == [137_815, 6_100_000, 6_237_815]
    assert kiosk.journal.acts[-1][2]["how"] == "stopped"


async def test_pin_is_asked_once_a_visit(autojump_clock: MockClock) -> None:
    """A second service in the same visit asks for no PIN again."""
    kiosk = resident(menu=["query_account", "query_account", "take_card"], overview="back")
    await kiosk.visit()
    assert kiosk.pin.entries == 1


async def test_wrong_pin_tells_tries_and_allows_another(autojump_clock: MockClock) -> None:
    """A wrong PIN shows the card's own count of tries and the service goes on after the right one."""
    kiosk = resident(overview="back")
    kiosk.pin.verdicts = [PinVerdict(PinResult.WRONG, 2), PinVerdict(PinResult.OK)]
    await kiosk.visit()
    wrong = next(question for question in kiosk.screen.asked if question.name == "wrong_pin")
    assert wrong.explain[0].args["tries"] == 2
    assert "overview" in kiosk.screen.names()


async def test_last_try_makes_stopping_the_main_answer(autojump_clock: MockClock) -> None:
    """With one try left the main answer stops, and stopping uses no try."""
    kiosk = resident(last_try="stop")
    kiosk.pin.verdicts = [PinVerdict(PinResult.WRONG, 1)]
    await kiosk.visit()
    last = next(question for question in kiosk.screen.asked if question.name == "last_try")
    assert last.answer("stop").role.value == "main"
    assert kiosk.pin.entries == 1


@pytest.mark.parametrize("result", [PinResult.LOCKED, PinResult.UNSET])
async def test_card_that_cannot_verify_is_explained(autojump_clock: MockClock, result: PinResult) -> None:
    """A locked or never-set PIN ends in words, not in a balance."""
    kiosk = resident(**{f"pin_{result.value}": "understood"})
    kiosk.pin.verdicts = [PinVerdict(result)]
    await kiosk.visit()
    assert f"pin_{result.value}" in kiosk.screen.names()
    assert "overview" not in kiosk.screen.names()


async def test_without_network_the_chip_answers(autojump_clock: MockClock) -> None:
    """When the host is silent the chip's record is shown, and the journal says where it came from."""
    kiosk = resident(figures_chip="understood")
    kiosk.hosts.silent = True
    await kiosk.visit()
    assert "figures_chip" in kiosk.screen.names()
    assert "account_from_chip" in kiosk.journal.names()


async def test_host_refusal_is_told_in_its_own_words(autojump_clock: MockClock) -> None:
    """A refusal reaches the resident with the host's sentence."""
    kiosk = resident()
    kiosk.hosts.refuses = HostRefused("social_insurance", "moved", "您的关系已转出")
    await kiosk.visit()
    told = next(question for question in kiosk.screen.asked if question.name == "host_refused")
    assert told.explain[0].args["words"] == "您的关系已转出"


async def test_card_pulled_at_a_balance_closes_it(autojump_clock: MockClock) -> None:
    """Pulling the card while figures stand ends the visit at once."""
    kiosk = resident(figures_account=PULLS_CARD)
    await kiosk.visit()
    closed = [facts for act, _, facts in kiosk.journal.acts if act == "visit_closed"]
    assert closed == [{"how": "card_pulled"}]


async def test_walking_away_warns_then_clears_and_tells_staff(autojump_clock: MockClock) -> None:
    """Ninety seconds without a touch: a warning over twenty, then the page is gone and the card is asked for."""
    kiosk = resident(figures_account=WALKS_AWAY)
    await kiosk.visit()
    assert kiosk.screen.warnings[0] == 20 or kiosk.screen.warnings[0] == 21
    assert "card_left" in kiosk.screen.names()
    assert kiosk.journal.acts[-1][2]["how"] == "timeout"


async def test_forgotten_card_is_reported_after_a_minute(autojump_clock: MockClock) -> None:
    """A card left in the slot for a minute becomes a staff event."""
    kiosk = resident()
    kiosk.reader.insert()
    called = ("card_left", "card_left_behind")
    await kiosk.serve(lambda: called in kiosk.hosts.staff_calls)
    assert kiosk.hosts.staff_calls.count(called) == 1
