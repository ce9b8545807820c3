"""A loss report: in force when the platform says so, kept and never called reported without the line, lifted by PIN."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from trio.testing import MockClock

from kiosk.domain.card import CardState, PinResult, PinVerdict
from kiosk.domain.health import Condition, Health
from kiosk.domain.loss import LostCard
from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.offline import ActLimits, CardFinding, OfflinePolicy
from kiosk.domain.receipt import PaperReceipt
from kiosk.ports import DeviceFault, HostRefused
from offline_queue.journal import SqliteJournal
from tests.flows.people import KioskInMemory

NOW = datetime(2026, 11, 21, 10, 24, tzinfo=UTC)
NUMBER = "990001194912310065"
POLICY = OfflinePolicy(
    version=1,
    issued_at=NOW,
    expires_at=NOW + timedelta(days=30),
    age_max=timedelta(hours=72),
    hotlist_age_max=timedelta(hours=24),
    unsent_fen_max=Fen(100_000),
    unsent_count_max=100,
    acts={"loss_report": ActLimits(NOTHING, NOTHING, 2)},
)
SCRIPT = {
    "menu": ["report_loss", "take_card"],
    "loss_number": f"#{NUMBER}",
    "loss_confirm": "report",
    "loss_in_force": "understood",
    "loss_queued": "understood",
    "loss_not_taken": "understood",
    "loss_refused": "understood",
    "loss_found": "withdraw",
    "loss_withdrawn": "understood",
    "loss_withdrawal_silent": "understood",
    "loss_withdrawal_refused": "understood",
}


class NamedJournal(SqliteJournal):
    """Says what happened, as the house in memory asks for it."""

    def names(self) -> list[str]:
        return [entry.act for entry in self.entries()]


class Documents:
    """The agency allows loss reports; whose card is listed it never asks."""

    rules: OfflinePolicy | None = POLICY

    def policy(self, version_min: int) -> OfflinePolicy | None:
        return self.rules

    def card(self, card_number: str, now: datetime, age_max: timedelta) -> CardFinding:
        return CardFinding.CLEAR


MakeKiosk = Callable[..., KioskInMemory]


@pytest.fixture
def a_kiosk(tmp_path: Path) -> Iterator[MakeKiosk]:
    with ExitStack() as ends:

        def make(without_card: int = 0, **script: Any) -> KioskInMemory:
            journal = NamedJournal(tmp_path, lambda: NOW)
            ends.callback(journal.close)
            people = {"insert_card": ["no_card"] * without_card, "no_card": ["card_lost"] * without_card}
            return KioskInMemory(SCRIPT | people | script, journal=journal, documents=Documents())

        yield make


def acts(kiosk: KioskInMemory) -> list[str]:
    return [str(entry.act) for entry in kiosk.journal.entries()]


def owed(kiosk: KioskInMemory) -> Any:
    return kiosk.journal.outbox.due("card_platform")


def words(paper: PaperReceipt) -> str:
    return "\n".join(line.words for line in paper.lines)


async def nobody_with_a_card(kiosk: KioskInMemory, page: str) -> None:
    await kiosk.serve(lambda: page in kiosk.screen.names())


async def test_the_holder_reports_the_card_in_the_slot(a_kiosk: MakeKiosk, autojump_clock: MockClock) -> None:
    """With its PIN; the intent is journaled before the platform is asked, under the key that it gets."""
    kiosk = a_kiosk()
    await kiosk.visit()
    ((lost, key),) = kiosk.hosts.lost
    assert lost == LostCard(card_number=kiosk.reader.identity.card_number)
    told = [entry for entry in kiosk.journal.entries() if entry.act in ("loss_report_intent", "loss_reported")]
    assert [(entry.act, entry.facts["key"]) for entry in told] == [("loss_report_intent", key), ("loss_reported", key)]
    assert "loss_in_force" in kiosk.screen.names()
    assert owed(kiosk) is None


async def test_without_the_card_it_is_told_by_the_number(a_kiosk: MakeKiosk, autojump_clock: MockClock) -> None:
    """Nobody needs the card to say that it is gone; no visit is left open afterwards."""
    kiosk = a_kiosk(1)
    await nobody_with_a_card(kiosk, "loss_in_force")
    ((lost, _),) = kiosk.hosts.lost
    assert lost == LostCard(personal_number=NUMBER)
    assert not hasattr(kiosk.desk, "visit")


async def test_a_number_that_cannot_be_is_asked_again(a_kiosk: MakeKiosk, autojump_clock: MockClock) -> None:
    """A slip of the finger blocks nobody's card: the check digit must hold. The X at the end is added by itself."""
    kiosk = a_kiosk(1, loss_number=["#990001194912310066", "#99000119491231009", "#" + NUMBER])
    await nobody_with_a_card(kiosk, "loss_in_force")
    assert kiosk.screen.names().count("loss_number") == 2
    assert kiosk.hosts.lost[0][0].personal_number == "99000119491231009X"


async def test_without_the_line_it_is_kept_and_not_in_force(a_kiosk: MakeKiosk, autojump_clock: MockClock) -> None:
    """The platform is owed the report by the key of the intent; page and paper say "not in force yet"."""
    kiosk = a_kiosk(1)
    kiosk.hosts.silent = True
    await nobody_with_a_card(kiosk, "loss_queued")
    (intent,) = [entry for entry in kiosk.journal.entries() if entry.act == "loss_report_intent"]
    notice = owed(kiosk)
    assert (notice.act, notice.key) == ("loss_report", intent.facts["key"])
    assert notice.facts["personal_number"] == NUMBER
    assert "loss_in_force" not in kiosk.screen.names()
    (paper,) = kiosk.receipts.papers
    assert NUMBER not in words(paper)
    assert paper.qr


async def test_what_is_kept_is_told_in_the_same_words(a_kiosk: MakeKiosk, autojump_clock: MockClock) -> None:
    """The platform may have taken it and its answer was lost: the same key names the same second when told again."""
    kiosk = a_kiosk(1)
    kiosk.desk.clock.tick, kiosk.hosts.answer_is_lost = timedelta(seconds=1), True
    await nobody_with_a_card(kiosk, "loss_queued")
    assert kiosk.hosts.lost_at == [owed(kiosk).facts["at"]]


async def test_what_the_policy_does_not_allow_is_not_taken(a_kiosk: MakeKiosk, autojump_clock: MockClock) -> None:
    """Without a policy the page sends them to the telephone, and nobody believes that it is reported."""
    kiosk = a_kiosk(1)
    kiosk.hosts.silent, kiosk.documents.rules = True, None
    await nobody_with_a_card(kiosk, "loss_not_taken")
    assert owed(kiosk) is None
    assert kiosk.receipts.papers == []


async def test_the_third_report_of_a_day_is_not_kept(a_kiosk: MakeKiosk, autojump_clock: MockClock) -> None:
    """By the policy's count for one person, also where three residents in a row type the same number."""
    kiosk = a_kiosk(3)
    kiosk.hosts.silent = True
    await nobody_with_a_card(kiosk, "loss_not_taken")
    assert acts(kiosk).count("loss_report_queued") == 2


async def test_a_refusal_is_told_with_its_next_step(a_kiosk: MakeKiosk, autojump_clock: MockClock) -> None:
    """No card under this number: nothing is kept, and the telephone is named."""
    kiosk = a_kiosk(1)
    kiosk.hosts.refuses = HostRefused("card_platform", "no_such_card")
    await nobody_with_a_card(kiosk, "loss_refused")
    assert owed(kiosk) is None


async def test_a_card_that_was_found_again_is_lifted_by_its_pin(a_kiosk: MakeKiosk, autojump_clock: MockClock) -> None:
    """The visit ends with it: the next insertion asks the platform anew."""
    kiosk = a_kiosk()
    kiosk.hosts.state = CardState.TEMPORARILY_LOST
    await kiosk.visit()
    assert kiosk.hosts.state is CardState.NORMAL
    assert "loss_withdrawn" in kiosk.screen.names()
    assert "menu" not in kiosk.screen.names()


async def test_a_finder_without_the_pin_lifts_nothing(a_kiosk: MakeKiosk, autojump_clock: MockClock) -> None:
    """Whoever holds the card and not its PIN leaves it reported."""
    kiosk = a_kiosk(pin_locked="understood")
    kiosk.hosts.state = CardState.TEMPORARILY_LOST
    kiosk.pin.verdicts = [PinVerdict(PinResult.LOCKED)]
    await kiosk.visit()
    assert kiosk.hosts.state is CardState.TEMPORARILY_LOST
    assert "loss_withdrawn" not in kiosk.screen.names()


async def test_silence_at_the_lifting_promises_nothing(a_kiosk: MakeKiosk, autojump_clock: MockClock) -> None:
    """It may have been lifted: the page says so, and the card tells next time."""
    kiosk = a_kiosk()
    kiosk.hosts.state = CardState.TEMPORARILY_LOST

    async def silent(card: Any, key: str) -> None:
        kiosk.hosts.silent = True
        await kiosk.hosts._answer()

    kiosk.hosts.withdraw_loss = silent  # type: ignore[method-assign]  # only this question is not answered
    await kiosk.visit()
    assert "loss_withdrawal_silent" in kiosk.screen.names()
    assert "loss_withdrawn" not in acts(kiosk)


async def test_a_broken_printer_costs_only_the_paper(a_kiosk: MakeKiosk, autojump_clock: MockClock) -> None:
    """A loss report must not fail for want of paper."""
    kiosk = a_kiosk(1)
    kiosk.receipts.fault = DeviceFault("receipt_printer", Health(Condition.FAULT, "paper_out"))
    await nobody_with_a_card(kiosk, "loss_in_force")
    assert kiosk.receipts.papers == []
