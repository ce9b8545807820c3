"""Several notices told at once: a result for each, and what becomes of those that were not taken."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trio

from kiosk.domain.card import PinChange
from kiosk.domain.entries import NoticeResult, Word
from kiosk.forwarder.notices import (
    DARK_DAYS_MAX,
    RESTING_LANES_MAX,
    Batch,
    card_platform_batches,
    card_platform_notices,
    deliver_notices,
)
from kiosk.ports import HostRefused, OutcomeUnknown
from kiosk.settings.config import HostSettings
from offline_queue.journal import SqliteJournal
from tests.flows.people import FakeHosts

FIVE_YEARS = 1826
FOREVER_S = 86_400.0


@dataclass
class Platform(FakeHosts):
    """A card platform that takes notices together. ``says``: by card, what it answers instead of "done"."""

    says: dict[str, NoticeResult] = field(default_factory=dict)
    refuses_batches: HostRefused | None = None
    took: list[str] = field(default_factory=list)
    questions: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        FakeHosts.__init__(self)

    async def notice_pin_changed(self, card_number: str, at: str, key: str) -> None:
        self.questions.append([key])
        await self._answer()
        result = self.says.get(card_number)
        if result is not None and result.word is Word.REFUSED:
            raise HostRefused("card_platform", result.code)
        self.took.append(key)

    async def notice_pins_changed(self, changes: Sequence[PinChange]) -> list[NoticeResult]:
        self.questions.append([change.key for change in changes])
        await self._answer()
        if self.refuses_batches:
            raise self.refuses_batches
        results = []
        for change in changes:
            said = self.says.get(change.card_number, NoticeResult("", Word.DONE))
            results.append(NoticeResult(change.key, said.word, said.code, said.retry_after_s))
            if said.word is Word.DONE:
                self.took.append(change.key)
        return results[::-1]  # in any order: each names its key


class Years:
    """A wall clock that somebody turns."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 22, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment


@pytest.fixture
def years() -> Years:
    return Years()


@pytest.fixture
def journal(tmp_path: Path, years: Years) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path, years.now)
    yield opened
    opened.close()


def change(journal: SqliteJournal, number: int, card: str = "") -> str:
    key = f"key-{number:05d}"
    journal.owe_notice("card_platform", "pin_changed", key, card_number=card or f"C{number:08d}", at="2026-11-22")
    return key


async def deliver_for(journal: SqliteJournal, platform: Platform, seconds: float, days: int = 0) -> None:
    host = HostSettings(url="", batch_items_max=50, remembers_keys_days=days)
    batches = card_platform_batches(platform, host)
    with trio.move_on_after(seconds):
        await deliver_notices(
            journal.outbox, card_platform_notices(platform), lambda event, **fields: None, batches=batches
        )


def acts(journal: SqliteJournal) -> list[str]:
    return [entry.act for entry in journal.entries() if entry.act != "notice_owed"]


async def test_what_waits_is_told_fifty_at_a_time_in_order(
    journal: SqliteJournal, autojump_clock: trio.testing.MockClock
) -> None:
    """A hundred and twenty notices take three questions, each notice has its row in the chain, and the order holds."""
    platform = Platform()
    keys = [change(journal, number) for number in range(120)]
    await deliver_for(journal, platform, 1)
    assert [len(question) for question in platform.questions] == [50, 50, 20]
    assert platform.took == keys
    assert acts(journal) == ["notice_told"] * 120
    assert journal.outbox.unsent_count() == 0


async def test_each_of_several_has_its_own_fate(journal: SqliteJournal, autojump_clock: trio.testing.MockClock) -> None:
    """One refused, one to be told later, the rest done: the refused one is a person's after three times."""
    platform = Platform()
    keys = [change(journal, number) for number in range(5)]
    platform.says = {
        "C00000001": NoticeResult("", Word.REFUSED, "no_such_card"),
        "C00000003": NoticeResult("", Word.LATER, retry_after_s=600),
    }
    await deliver_for(journal, platform, 300)
    assert platform.took == [keys[0], keys[2], keys[4]]
    assert journal.outbox.put_aside() == [(keys[1], "card_platform", "pin_changed", "no_such_card")]
    assert sum(keys[3] in question for question in platform.questions) == 1, "it was to be told in ten minutes"
    platform.says = {}
    await deliver_for(journal, platform, 300)
    assert platform.took[3:] == [keys[3]]
    assert journal.outbox.unsent_count() == 1


async def test_a_host_that_takes_none_together_is_told_one_by_one(
    journal: SqliteJournal, autojump_clock: trio.testing.MockClock
) -> None:
    """A question refused as a whole says nothing about a notice: each is told alone, and one that is not fit stays."""
    platform = Platform(refuses_batches=HostRefused("card_platform", "no_such_service"))
    platform.says = {"C00000002": NoticeResult("", Word.REFUSED, "bad_request")}
    keys = [change(journal, number) for number in range(7)]
    await deliver_for(journal, platform, 600)
    assert platform.took == [key for key in keys if key != keys[2]]
    assert [key for key, *_ in journal.outbox.put_aside()] == [keys[2]]


@pytest.mark.parametrize(
    "busy", [HostRefused("card_platform", "busy", retry_after_s=700), OutcomeUnknown("card_platform", "503", 700)]
)
async def test_a_busy_host_is_left_in_peace_by_all_of_them(
    journal: SqliteJournal, autojump_clock: trio.testing.MockClock, busy: HostRefused | OutcomeUnknown
) -> None:
    """Retry-After of the whole question wins over our own pauses, and refuses nothing."""
    platform = Platform()
    platform.refuses = busy
    for number in range(60):
        change(journal, number)
    await deliver_for(journal, platform, 4 * 700 + 1)
    assert [len(question) for question in platform.questions] == [50] * 5
    assert (journal.outbox.put_aside(), acts(journal)) == ([], [])


async def test_a_host_that_refuses_everybody_is_not_asked_without_end(
    journal: SqliteJournal, autojump_clock: trio.testing.MockClock
) -> None:
    """No notice is refused more than three times, and never do more than a bounded number of cards rest at once."""
    platform = Platform()
    keys = [change(journal, number) for number in range(RESTING_LANES_MAX + 150)]
    platform.says = {f"C{number:08d}": NoticeResult("", Word.REFUSED, "no") for number in range(len(keys))}
    await deliver_for(journal, platform, FOREVER_S)
    assert len(journal.outbox.put_aside()) == len(keys)
    assert max(sum(key in question for question in platform.questions) for key in keys[::50]) == 3


@pytest.mark.parametrize("step_years", [-40, -1, 1, 40])
async def test_a_clock_that_steps_by_years_harms_nothing(
    journal: SqliteJournal, years: Years, autojump_clock: trio.testing.MockClock, step_years: int
) -> None:
    """Owed before, owed after, told in order by the same pauses, while somebody sets the clock in between."""
    platform = Platform()
    keys = [change(journal, number) for number in range(3)]
    platform.silent = True
    await deliver_for(journal, platform, 1800)
    asked = len(platform.questions)
    years.moment += timedelta(days=365 * step_years)
    keys += [change(journal, number) for number in range(3, 6)]
    await deliver_for(journal, platform, 1800)
    assert 0.5 < (len(platform.questions) - asked) / asked < 2, "neither hurried nor delayed"
    platform.silent = False
    years.moment -= timedelta(days=180 * step_years)
    await deliver_for(journal, platform, 901)
    assert platform.took == keys
    assert journal.outbox.unsent_count() == 0


async def test_answers_that_need_no_flush_enter_the_chain_later(
    journal: SqliteJournal, autojump_clock: trio.testing.MockClock
) -> None:
    """Where the host remembers keys for longer than we are dark, one row a minute names all that was told."""
    platform = Platform()
    keys = [change(journal, number) for number in range(60)]
    await deliver_for(journal, platform, 30, FIVE_YEARS)
    assert (platform.took, acts(journal), journal.outbox.unsent_count()) == (keys, [], 0)
    await deliver_for(journal, platform, 1, FIVE_YEARS)  # the next life begins with what the last one left
    told = [entry.facts or {} for entry in journal.entries() if entry.act == "notices_told"]
    assert [facts["count"] for facts in told] == [50, 10]
    assert " ".join(str(facts["keys"]) for facts in told).split() == keys
    assert platform.took == keys


async def test_what_was_answered_is_settled_also_after_the_settings_changed(
    journal: SqliteJournal, autojump_clock: trio.testing.MockClock
) -> None:
    """A platform that takes nothing together any more leaves no notice that the chain never hears of."""
    journal.outbox.answered(change(journal, 1))
    platform = Platform()
    with trio.move_on_after(1):
        await deliver_notices(journal.outbox, card_platform_notices(platform), lambda event, **fields: None)
    assert acts(journal) == ["notices_told"]
    assert platform.questions == []


def test_only_a_long_memory_makes_lazy() -> None:
    """A host that remembers as long as we may be dark, or does not say, is answered by a flushed commit."""

    async def tell(notices: Sequence[object]) -> list[NoticeResult]:
        return []

    lazily = [Batch(tell, 50, days).lazily for days in (0, DARK_DAYS_MAX, DARK_DAYS_MAX + 1)]
    assert lazily == [False, False, True]
    assert card_platform_batches(FakeHosts(), HostSettings(url="", remembers_keys_days=FIVE_YEARS)) == {}
