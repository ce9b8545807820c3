"""Loss reports at the card platform: client and sandbox by their document, and the forwarder that tells late."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from kiosk.basics.log import JsonLog
from kiosk.domain.card import CardState
from kiosk.domain.entries import NewEntry, NewNotice
from kiosk.domain.loss import LostCard
from kiosk.forwarder.notices import card_platform_notices, deliver_notices
from kiosk.hosts.card_platform.client import CardPlatformClient
from kiosk.ports import HostAnswer, HostRefused, OutcomeUnknown
from offline_queue.journal import SqliteJournal
from simulators.hosts.card_platform import CardPlatformSandbox
from simulators.hosts.sandbox import Ask
from simulators.hosts.weather import Weather
from tests.hosts.medical import DEMO, card_of
from tests.hosts.memory import DocumentedLink

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
AT = NOON.isoformat()
CARD, HOLDER = card_of(DEMO, "wang_xiulan")
MINE = LostCard(card_number=CARD.card_number)


class Platform:
    def __init__(self, folder: Path) -> None:
        self.now = NOON
        self.weather = Weather()
        self.sandbox = CardPlatformSandbox(DEMO, folder, self.weather, lambda: self.now)
        self.client = CardPlatformClient(DocumentedLink(self.sandbox))


class LosesAnswers(DocumentedLink):
    """The platform books every time; its first ``left`` answers are lost on the way."""

    def __init__(self, sandbox: CardPlatformSandbox, left: int) -> None:
        super().__init__(sandbox)
        self.left = left

    async def call(self, *told: Any, **named: Any) -> HostAnswer:
        answer = await super().call(*told, **named)
        if self.left:
            self.left -= 1
            raise OutcomeUnknown("card_platform", "lost on the way")
        return answer


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    made = Platform(tmp_path)
    yield made
    made.sandbox.close()


async def test_a_report_is_in_force_at_once_and_ends_by_itself(platform: Platform) -> None:
    """The answer names the last day; on the day after the card is in force again."""
    report = await platform.client.report_loss(MINE, AT, "key-0001")
    assert (report.since, report.ends_on, report.covers_bank) == (NOON, date(2026, 11, 28), False)
    assert await platform.client.card_state(CARD) is CardState.TEMPORARILY_LOST
    platform.now = NOON + timedelta(days=8)
    assert await platform.client.card_state(CARD) is CardState.NORMAL


async def test_told_again_it_is_one_report(platform: Platform) -> None:
    """By the same key or by another: a success both times, with what stands."""
    first = await platform.client.report_loss(MINE, AT, "key-0001")
    assert await platform.client.report_loss(MINE, AT, "key-0001") == first
    assert await platform.client.report_loss(MINE, AT, "key-0002") == first
    assert platform.sandbox.losses.reports() == [("key-0001", CARD.card_number)]


async def test_what_was_taken_for_a_card_with_other_troubles_is_given_back(platform: Platform) -> None:
    """Its state hides the report; by the same key again it is a success, and of a card never reported a refusal."""
    odd, _ = card_of(DEMO, "unknown_state")
    with pytest.raises(HostRefused):
        await platform.client.withdraw_loss(odd, "key-0001")
    await platform.client.report_loss(LostCard(card_number=odd.card_number), AT, "key-0002")
    for _ in range(2):
        await platform.client.withdraw_loss(odd, "key-0003")
    assert platform.sandbox.losses.lifts() == [("key-0003", odd.card_number)]
    assert not platform.sandbox.losses.stands(odd.card_number)


async def test_by_the_number_every_card_of_the_person_is_reported(platform: Platform) -> None:
    """Who has no card in the hand does not know its number."""
    await platform.client.report_loss(LostCard(personal_number=HOLDER.social_security_number), AT, "key-0001")
    assert await platform.client.card_state(CARD) is CardState.TEMPORARILY_LOST
    with pytest.raises(HostRefused, match="no_such_card"):
        await platform.client.report_loss(LostCard(personal_number="990001194912310065"), AT, "key-0002")


async def test_the_holder_lifts_it_and_a_late_echo_does_not_bring_it_back(platform: Platform) -> None:
    """The report's own key, told once more after the withdrawal, changes nothing."""
    await platform.client.report_loss(MINE, AT, "key-0001")
    platform.now += timedelta(minutes=5)
    await platform.client.withdraw_loss(CARD, "key-0002")
    await platform.client.report_loss(MINE, AT, "key-0001")
    assert await platform.client.card_state(CARD) is CardState.NORMAL


async def test_one_second_is_enough_for_all_of_it(platform: Platform) -> None:
    """Reported, lifted, reported and lifted again at one and the same moment: each does what it says, in its order."""
    for turn in range(2):
        await platform.client.report_loss(MINE, AT, f"report-{turn}")
        assert await platform.client.card_state(CARD) is CardState.TEMPORARILY_LOST
        await platform.client.withdraw_loss(CARD, f"lift-{turn}")
        assert await platform.client.card_state(CARD) is CardState.NORMAL
        await platform.client.report_loss(MINE, AT, "report-0")
        assert await platform.client.card_state(CARD) is CardState.NORMAL
    assert [key for key, _ in platform.sandbox.losses.reports()] == ["report-0", "report-1"]


async def test_a_formal_report_is_the_counters(platform: Platform) -> None:
    """A kiosk lifts none."""
    lost = next(one for one in DEMO.cards if one.platform_state == "lost")
    with pytest.raises(HostRefused, match="formal_loss"):
        await platform.client.withdraw_loss(card_of(DEMO, lost.handle)[0], "key-0001")


@pytest.mark.parametrize("named", [{}, {"card_number": CARD.card_number, "personal_number": "990001194912310065"}])
def test_a_report_names_one_thing(platform: Platform, named: dict[str, Any]) -> None:
    """Neither nothing nor two things that may contradict each other."""
    body = json.dumps({"reported_at": AT, **named}).encode()
    assert platform.sandbox.answer(Ask("POST", "/v1/loss-reports", body, "key-0001")).status == 400
    assert platform.sandbox.losses.reports() == []


async def test_what_was_kept_is_told_when_the_line_is_back(
    platform: Platform, tmp_path: Path, autojump_clock: MockClock
) -> None:
    """Once in effect, under the key that the resident's paper goes by."""
    journal = SqliteJournal(tmp_path / "journal", lambda: NOON)
    facts = {"at": AT, "card_number": "", "personal_number": HOLDER.social_security_number}
    notice = NewNotice("card_platform", "loss_report", "key-0001", facts)
    journal.commit(NewEntry("loss_report_queued", "482913", {"key": "key-0001"}, notices=(notice,)))
    link = LosesAnswers(platform.sandbox, 3)
    async with trio.open_nursery() as nursery:
        deliveries = card_platform_notices(CardPlatformClient(link))
        nursery.start_soon(deliver_notices, journal.outbox, deliveries, JsonLog())
        await trio.sleep(1000)
        nursery.cancel_scope.cancel()
    assert (journal.unsent()[0], link.left) == (0, 0)
    assert ("key-0001", CARD.card_number) in platform.sandbox.losses.reports()
    assert {key for key, _ in platform.sandbox.losses.reports()} == {"key-0001"}
    journal.close()
