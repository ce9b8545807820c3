"""What a card may still do offline: judged by the agency's documents and by what the journal knows was done."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kiosk.basics.clock import SystemClock
from kiosk.domain.card import CardIdentity, Holder, Sex
from kiosk.domain.entries import NewEntry, NewNotice
from kiosk.domain.money import Fen
from kiosk.domain.offline import ActLimits, CardFinding, OfflinePolicy, OfflineRefusal
from kiosk.money.offline_limits import OfflineLimits
from kiosk.ports import Visit
from kiosk.ports.offline import NotAllowedOffline
from offline_queue.journal import SqliteJournal

CARD = CardIdentity(bytes(16), "B00000131", "2.00", None, None, b"")
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
POLICY = OfflinePolicy(
    version=3,
    issued_at=NOW - timedelta(hours=1),
    expires_at=NOW + timedelta(days=30),
    age_max=timedelta(hours=72),
    hotlist_age_max=timedelta(hours=24),
    unsent_fen_max=Fen(90_000),
    unsent_count_max=100,
    acts={"contribution": ActLimits(Fen(40_000), Fen(60_000), 2)},
)


@dataclass
class Agency:
    """Documents as a test lays them out."""

    rules: OfflinePolicy | None = POLICY
    finding: CardFinding = CardFinding.CLEAR

    def policy(self, version_min: int) -> OfflinePolicy | None:
        return self.rules if self.rules and self.rules.version >= version_min else None

    def card(self, card_number: str, now: datetime, age_max: timedelta) -> CardFinding:
        return self.finding


class SetClock(SystemClock):
    """Stands where it was set."""

    at = NOW

    def now(self) -> datetime:
        return self.at


class Terminal:
    def __init__(self, folder: Path) -> None:
        self.clock, self.agency = SetClock(), Agency()
        self.journal = SqliteJournal(folder, self.clock.now)
        self.visit = visit_of(CARD)
        self.desk = OfflineLimits(self.journal, self.clock, self.agency, lambda: self.visit, lambda: True)

    def take(self, fen: int) -> int:
        """A contribution received offline, which the agency does not know yet."""
        notice = NewNotice("social_insurance", "contribution", self.clock.new_key(), {}, fen)
        entry = NewEntry("contribution_received", self.visit.case_code, notices=(notice,))
        return self.desk.commit("contribution", Fen(fen), entry)


def visit_of(card: CardIdentity) -> Visit:
    return Visit(card, Holder("", "", Sex.FEMALE, "", None), "123456", pin_verified=True)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path)
    yield made
    made.journal.close()


def test_what_was_done_counts_until_the_day_ends(terminal: Terminal) -> None:
    """The second act of the day is the last, and the sum of a day is bounded too; tomorrow both begin anew."""
    terminal.take(30_000)
    assert terminal.desk.refusal("contribution", Fen(40_000)) is OfflineRefusal.CARD_DAY_FULL
    terminal.take(30_000)
    assert terminal.desk.refusal("contribution", Fen(1)) is OfflineRefusal.CARD_DAY_FULL
    terminal.clock.at = NOW + timedelta(days=1)
    assert terminal.desk.refusal("contribution", Fen(1)) is None


def test_the_most_that_may_be_done_is_what_no_limit_refuses(terminal: Terminal) -> None:
    """One fen more is refused by whichever limit is the nearest: of the act, of the card's day, of the terminal."""
    assert terminal.desk.most_fen("contribution") == 40_000
    terminal.take(35_000)
    assert terminal.desk.most_fen("contribution") == 25_000
    assert terminal.desk.refusal("contribution", Fen(25_000)) is None
    assert terminal.desk.refusal("contribution", Fen(25_001)) is OfflineRefusal.CARD_DAY_FULL
    assert terminal.desk.most_fen("settlement_order") == 0
    terminal.agency.rules = replace(POLICY, unsent_fen_max=Fen(36_000))
    assert terminal.desk.most_fen("contribution") == 1_000
    terminal.agency.rules = None
    assert terminal.desk.most_fen("contribution") == 0


def test_another_card_has_its_own_day(terminal: Terminal) -> None:
    """Limits of a card bind that card; what the terminal has unsent binds all."""
    terminal.take(30_000)
    terminal.take(30_000)
    terminal.visit = visit_of(replace(CARD, card_number="B00000299"))
    assert terminal.desk.refusal("contribution", Fen(30_000)) is None
    assert terminal.desk.refusal("contribution", Fen(30_001)) is OfflineRefusal.TERMINAL_FULL


def test_a_clock_set_back_opens_no_new_day(terminal: Terminal) -> None:
    """Yesterday's date on the clock is not a day with nothing done yet: offline money is refused altogether."""
    terminal.take(30_000)
    terminal.take(30_000)
    terminal.clock.at = NOW - timedelta(days=400)
    assert terminal.desk.refusal("contribution", Fen(1)) is OfflineRefusal.CLOCK
    terminal.journal.record("anything")  # written under the wrong clock: the high water stays
    assert terminal.desk.refusal("contribution", Fen(1)) is OfflineRefusal.CLOCK
    terminal.clock.at = NOW
    assert terminal.desk.refusal("contribution", Fen(1)) is OfflineRefusal.CARD_DAY_FULL


def test_the_commit_judges_again(terminal: Terminal) -> None:
    """What was allowed when the resident was asked may not be at the commit; then nothing is written."""
    assert terminal.desk.refusal("contribution", Fen(30_000)) is None
    terminal.agency.rules = None
    before = len(terminal.journal.entries())
    with pytest.raises(NotAllowedOffline) as refused:
        terminal.take(30_000)
    assert refused.value.refusal is OfflineRefusal.NO_POLICY
    assert len(terminal.journal.entries()) == before
    assert terminal.journal.unsent() == (0, Fen(0))


@pytest.mark.parametrize(
    ("finding", "refusal"),
    [(CardFinding.LISTED, OfflineRefusal.ASK_STAFF), (CardFinding.NO_LIST, OfflineRefusal.NO_HOTLIST)],
)
def test_only_a_card_that_is_clear_does_anything(
    terminal: Terminal, finding: CardFinding, refusal: OfflineRefusal
) -> None:
    """A listed card is for staff; without a list that can be trusted no card is clear."""
    terminal.agency.finding = finding
    assert terminal.desk.refusal("contribution", Fen(100)) is refusal


def test_money_needs_the_pin_of_this_visit(terminal: Terminal) -> None:
    """A genuine card alone moves nothing offline (pins-and-keys 11)."""
    terminal.visit.pin_verified = False
    assert terminal.desk.refusal("contribution", Fen(100)) is OfflineRefusal.NO_PIN


def test_an_older_policy_never_comes_back(terminal: Terminal) -> None:
    """Once version 3 was in force here, version 2 is none, also after a restart."""
    assert terminal.desk.refusal("contribution", Fen(100)) is None
    terminal.agency.rules = replace(POLICY, version=2)
    assert terminal.desk.refusal("contribution", Fen(100)) is OfflineRefusal.NO_POLICY


def test_the_use_of_a_card_survives_a_restart(tmp_path: Path) -> None:
    """It stands in the journal and nowhere else."""
    first = Terminal(tmp_path)
    first.take(30_000)
    first.take(30_000)
    first.journal.close()
    second = Terminal(tmp_path)
    assert second.desk.refusal("contribution", Fen(1)) is OfflineRefusal.CARD_DAY_FULL
    assert second.journal.high_water() == NOW
    second.journal.close()
