"""A report that waits for the line is taken back by who has the card and its PIN; the platform hears both, in order."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from kiosk.domain.card import CardState, PinResult, PinVerdict
from kiosk.domain.entries import NewEntry, NewNotice, OwedNotice
from kiosk.forwarder.aside import OVERTAKEN
from kiosk.forwarder.asked import told
from kiosk.forwarder.notices import card_platform_notices, deliver_notices
from kiosk.hosts.card_platform.client import CardPlatformClient
from kiosk.ports import HostRefused
from kiosk.services.take_back_loss import TAKEN_BACK
from offline_queue.staff_books import StaffBooks
from simulators.hosts.card_platform import CardPlatformSandbox
from simulators.hosts.weather import Weather
from tests.flows.people import CountingClock, FakeHosts, KioskInMemory
from tests.flows.test_report_loss import NOW, NUMBER, SCRIPT, Documents, MakeKiosk, NamedJournal, acts, owed, words
from tests.hosts.medical import DEMO, card_of
from tests.hosts.memory import DocumentedLink

TAKES_BACK = {"loss_queued_before": "take_back", "loss_taken_back": "understood"}


class LaterJournal(NamedJournal):
    """Names what happened in this life alone."""

    def names(self) -> list[str]:
        return super().names()[self.before :]

    before: int = 0


@pytest.fixture
def a_kiosk(tmp_path: Path) -> Iterator[MakeKiosk]:
    """One life of the terminal after another, over one journal."""
    journals: list[LaterJournal] = []
    clock = CountingClock()  # no key comes twice

    def make(without_card: int = 0, **script: Any) -> KioskInMemory:
        for before in journals:
            before.close()
        journals[:] = [LaterJournal(tmp_path, lambda: NOW)]
        journals[0].before = len(journals[0].entries())
        people = {"insert_card": ["no_card"] * without_card, "no_card": ["card_lost"] * without_card}
        menu = {"menu": ["report_loss", "take_card"]}
        kiosk = KioskInMemory(SCRIPT | menu | people | script, journal=journals[0], documents=Documents())
        kiosk.desk.clock = clock
        kiosk.reader.holder = replace(kiosk.reader.holder, social_security_number=NUMBER)
        return kiosk

    yield make
    journals[0].close()


async def reports(make: MakeKiosk) -> KioskInMemory:
    """The line is down: the report of the card in the slot is kept here."""
    kiosk = make()
    kiosk.hosts.silent = True
    await kiosk.visit()
    assert owed(kiosk).act == "loss_report"
    return kiosk


async def comes_again(make: MakeKiosk, **script: str) -> KioskInMemory:
    kiosk = make(**{**TAKES_BACK, **script})
    kiosk.hosts.silent = True
    await kiosk.visit()
    return kiosk


def waiting(kiosk: KioskInMemory) -> list[tuple[str, str]]:
    """Act and lane of all that the platform is owed, told one after the other."""
    found = []
    while (notice := owed(kiosk)) is not None:
        found.append((notice.act, notice.lane))
        kiosk.journal.outbox.told(notice.key)
    return found


async def test_the_holder_takes_it_back(a_kiosk: MakeKiosk, autojump_clock: MockClock) -> None:
    """With card and PIN, journaled and on paper; the platform is told of both, the withdrawal behind the report."""
    before = await reports(a_kiosk)
    (first,) = before.receipts.papers
    assert "持卡在本机输入密码即可撤回" in words(first)
    kiosk = await comes_again(a_kiosk)
    assert "loss_taken_back" in kiosk.screen.names()
    assert kiosk.pin.entries == 1
    (told,) = [entry for entry in kiosk.journal.entries() if entry.act == TAKEN_BACK]
    assert (told.facts or {})["key"] == owed(kiosk).key
    (paper,) = kiosk.receipts.papers
    assert "挂失申请：已撤回" in words(paper)
    assert paper.qr
    found = waiting(kiosk)
    assert [act for act, _ in found] == ["loss_report", "loss_withdrawal"]
    assert len({lane for _, lane in found}) == 1


async def test_a_report_by_number_is_taken_back_by_the_card(a_kiosk: MakeKiosk, autojump_clock: MockClock) -> None:
    """Reported without the card, found again: the card says whose it is, and the withdrawal keeps its place behind."""
    kiosk = a_kiosk(1)
    kiosk.hosts.silent = True
    await kiosk.serve(lambda: "loss_queued" in kiosk.screen.names())
    again = await comes_again(a_kiosk)
    assert TAKEN_BACK in acts(again)
    found = waiting(again)
    assert [act for act, _ in found] == ["loss_report", "loss_withdrawal"]
    assert len({lane for _, lane in found}) == 1


async def test_without_the_pin_it_stays(a_kiosk: MakeKiosk, autojump_clock: MockClock) -> None:
    """Who found the card takes nothing back, and does not even learn that there is something."""
    await reports(a_kiosk)
    kiosk = a_kiosk(**TAKES_BACK)
    kiosk.hosts.silent = True
    kiosk.pin.verdicts = [PinVerdict(PinResult.LOCKED)]
    await kiosk.visit()
    assert TAKEN_BACK not in acts(kiosk)
    assert "loss_queued_before" not in kiosk.screen.names()


async def test_who_goes_back_leaves_it(a_kiosk: MakeKiosk, autojump_clock: MockClock) -> None:
    """Nothing is changed, and a second report is not made."""
    await reports(a_kiosk)
    kiosk = await comes_again(a_kiosk, loss_queued_before="back")
    assert TAKEN_BACK not in acts(kiosk)
    assert [act for act, _ in waiting(kiosk)] == ["loss_report"]


@pytest.mark.parametrize("why", ["told", "given up", "taken back"])
async def test_what_waits_no_more_is_not_offered(a_kiosk: MakeKiosk, autojump_clock: MockClock, why: str) -> None:
    """Told meanwhile, ended by two people, or taken back before: the card is reported anew instead."""
    kiosk = await reports(a_kiosk)
    key = owed(kiosk).key
    if why == "told":
        kiosk.journal.outbox.told(key)
    if why == "given up":
        for _ in range(3):
            kiosk.journal.outbox.refused(key, "no")
        kiosk.journal.outbox.give_up(key, "1001", "1002", "by telephone")
    if why == "taken back":
        await comes_again(a_kiosk)
    again = await comes_again(a_kiosk)
    assert "loss_confirm" in again.screen.names()
    assert "loss_queued_before" not in again.screen.names()


async def test_the_platform_ends_with_a_card_in_force(tmp_path: Path) -> None:
    """Report and withdrawal by their keys, each twice as after a lost answer; alone, the withdrawal changes nothing."""
    sandbox = CardPlatformSandbox(DEMO, tmp_path, Weather(), lambda: NOW)
    client = CardPlatformClient(DocumentedLink(sandbox))
    card, _ = card_of(DEMO, "wang_xiulan")
    told = card_platform_notices(client)
    chip = card.identification_code.hex()
    report = {"card_number": card.card_number, "personal_number": "", "at": NOW.isoformat()}
    for act, facts in (("loss_report", report), ("loss_withdrawal", {"card_number": card.card_number, "chip": chip})):
        for _ in range(2):
            await told["card_platform", act](OwedNotice("card_platform", act, f"key-{act}".replace("_", "-"), 0, facts))
    assert await client.card_state(card) is CardState.NORMAL
    sandbox.close()


async def test_what_only_the_counter_lifts_is_seen_by_people(
    a_kiosk: MakeKiosk, tmp_path: Path, autojump_clock: MockClock
) -> None:
    """A formal report came meanwhile: the platform says no three times, which is an open case of the visit that took it
    back, in the list of what was put aside, with the platform's reason; nothing of it counts as told."""
    await reports(a_kiosk)
    kiosk = await comes_again(a_kiosk)
    kiosk.journal.outbox.told(owed(kiosk).key)  # the report
    refuses = FakeHosts()
    refuses.refuses = HostRefused("card_platform", "formal_loss")
    with trio.move_on_after(600):
        await deliver_notices(kiosk.journal.outbox, card_platform_notices(refuses), lambda event, **fields: None)
    ((_, host, act, why),) = kiosk.journal.outbox.put_aside()
    assert (host, act, why) == ("card_platform", "loss_withdrawal", "formal_loss")
    (taken_back,) = [entry for entry in kiosk.journal.entries() if entry.act == TAKEN_BACK]
    with closing(StaffBooks(tmp_path)) as books:
        (case,) = books.open_cases()
    assert (case.code, case.effects) == (taken_back.case_code, ("notice_put_aside",))
    assert kiosk.journal.unsent()[0] == 1


async def test_a_new_report_does_not_overtake_a_withdrawal_that_waits(
    a_kiosk: MakeKiosk, autojump_clock: MockClock
) -> None:
    """Lost, found and lost again: told at once, the last report would be lifted by the withdrawal behind it. So it is
    kept in its order, and its holder is told that it is not in force."""
    await reports(a_kiosk)
    await comes_again(a_kiosk)
    kiosk = a_kiosk()
    await kiosk.visit()  # the line is back, and nothing was told yet
    assert kiosk.hosts.lost == []
    assert "loss_queued" in kiosk.screen.names()
    assert "loss_in_force" not in kiosk.screen.names()
    found = waiting(kiosk)
    assert [act for act, _ in found] == ["loss_report", "loss_withdrawal", "loss_report"]
    assert len({lane for _, lane in found}) == 1


async def test_behind_the_withdrawal_of_a_report_by_number_as_well(
    a_kiosk: MakeKiosk, autojump_clock: MockClock
) -> None:
    """The card is reported in the order in which the report by its holder's number was taken back."""
    by_number = a_kiosk(1)
    by_number.hosts.silent = True
    await by_number.serve(lambda: "loss_queued" in by_number.screen.names())
    await comes_again(a_kiosk)
    kiosk = a_kiosk()
    await kiosk.visit()
    found = waiting(kiosk)
    assert [act for act, _ in found] == ["loss_report", "loss_withdrawal", "loss_report"]
    assert len({lane for _, lane in found}) == 1


@pytest.mark.parametrize("why", ["told", "put aside"])
async def test_a_withdrawal_that_waits_no_more_keeps_no_report(
    a_kiosk: MakeKiosk, autojump_clock: MockClock, why: str
) -> None:
    """The platform has it, or has refused it until a person looks: the card is reported at once, and is in force."""
    await reports(a_kiosk)
    kiosk = await comes_again(a_kiosk)
    outbox = kiosk.journal.outbox
    outbox.told(owed(kiosk).key)
    key = owed(kiosk).key
    if why == "told":
        outbox.told(key)
    else:
        assert [outbox.refused(key, "formal_loss") for _ in range(3)][-1]
    again = a_kiosk()
    await again.visit()
    assert "loss_in_force" in again.screen.names()
    assert len(again.hosts.lost) == 1


async def test_who_lifts_a_report_takes_back_the_one_that_waits(a_kiosk: MakeKiosk, autojump_clock: MockClock) -> None:
    """Reported here without the line, and by telephone; found again: what waits here would bring the report back after
    it was lifted, so its own withdrawal stands behind it."""
    await reports(a_kiosk)
    kiosk = a_kiosk()
    kiosk.hosts.state = CardState.TEMPORARILY_LOST
    await kiosk.visit()
    assert "loss_withdrawn" in kiosk.screen.names()
    happened = kiosk.journal.names()
    assert happened.index(TAKEN_BACK) < happened.index("loss_withdrawal_intent") < happened.index("loss_withdrawn")
    assert [act for act, _ in waiting(kiosk)] == ["loss_report", "loss_withdrawal"]


async def test_who_only_finds_the_card_takes_nothing_back(a_kiosk: MakeKiosk, autojump_clock: MockClock) -> None:
    """Without the PIN the waiting report stays as it is."""
    await reports(a_kiosk)
    kiosk = a_kiosk(pin_locked="understood")
    kiosk.hosts.state = CardState.TEMPORARILY_LOST
    kiosk.pin.verdicts = [PinVerdict(PinResult.LOCKED)]
    await kiosk.visit()
    assert [act for act, _ in waiting(kiosk)] == ["loss_report"]


async def by_number(make: MakeKiosk, line: bool) -> KioskInMemory:
    """Somebody without a card reports it by their personal number."""
    kiosk = make(1)
    kiosk.hosts.silent = not line
    await kiosk.serve(lambda: bool({"loss_queued", "loss_in_force"} & {*kiosk.screen.names()}))
    return kiosk


@pytest.mark.parametrize("line", [True, False])
async def test_a_report_by_number_comes_behind_what_was_done_with_the_card(
    a_kiosk: MakeKiosk, autojump_clock: MockClock, line: bool
) -> None:
    """Lost, found, and lost again without the card: told at once, or in another order, the last report would be lifted
    by the withdrawal; and found once more, that withdrawal is the last of all."""
    await reports(a_kiosk)
    await comes_again(a_kiosk)
    kiosk = await by_number(a_kiosk, line)
    assert kiosk.hosts.lost == []
    assert "loss_queued" in kiosk.screen.names()
    again = await comes_again(a_kiosk)
    assert "loss_taken_back" in again.screen.names()
    found = waiting(again)
    assert [act for act, _ in found] == ["loss_report", "loss_withdrawal"] * 2
    assert len({lane for _, lane in found}) == 1


async def test_two_reports_of_one_person_are_in_one_order(a_kiosk: MakeKiosk, autojump_clock: MockClock) -> None:
    """With the card, then by number: whoever takes the newer one back is told of both in their order."""
    await reports(a_kiosk)
    kiosk = await by_number(a_kiosk, False)
    found = waiting(kiosk)
    assert [act for act, _ in found] == ["loss_report", "loss_report"]
    assert len({lane for _, lane in found}) == 1


async def test_a_withdrawal_of_before_keeps_its_lane(a_kiosk: MakeKiosk, autojump_clock: MockClock) -> None:
    """An older program queued it under the card's number: what follows is told in that order."""
    kiosk = a_kiosk()
    card = kiosk.reader.identity.card_number
    about = NewNotice("card_platform", "loss_withdrawal", "w", {"card_number": card, "chip": ""}, card_number=card)
    facts: dict[str, str | int] = {"key": "r", "withdrawal": "w"}
    kiosk.journal.commit(NewEntry(TAKEN_BACK, "451207", facts, card, notices=(about,)))
    await kiosk.visit()
    assert "loss_queued" in kiosk.screen.names()
    found = waiting(kiosk)
    assert [act for act, _ in found] == ["loss_withdrawal", "loss_report"]
    assert len({lane for _, lane in found}) == 1


@pytest.mark.parametrize("without_card", [False, True])
async def test_a_withdrawal_put_aside_lifts_no_later_report(
    a_kiosk: MakeKiosk, autojump_clock: MockClock, without_card: bool
) -> None:
    """Refused and put aside; then the card is reported again, with it or by number: nobody may release the withdrawal
    any more, and who asks the forwarder to reads why."""
    await reports(a_kiosk)
    kiosk = await comes_again(a_kiosk)
    outbox = kiosk.journal.outbox
    outbox.told(owed(kiosk).key)
    key = owed(kiosk).key
    assert [outbox.refused(key, "formal_loss") for _ in range(3)][-1]
    assert not outbox.overtaken(key)
    again = await by_number(a_kiosk, True) if without_card else a_kiosk()
    if not without_card:
        await again.visit()
    assert "loss_in_force" in again.screen.names()
    assert told(again.journal)["release"](f"{key} 1001") == OVERTAKEN
    assert [one[0] for one in again.journal.outbox.put_aside()] == [key]
    assert told(again.journal)["give_up"](f"{key} 1001 1002 reported again") == "given up"
