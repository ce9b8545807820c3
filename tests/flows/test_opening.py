"""Out of service, closed hours, a pause: who is in front finishes, and the next one reads why nobody is served."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
import trio
from trio.testing import MockClock

from kiosk.agent.for_agent import ForAgent
from kiosk.domain.entries import StoredEntry
from kiosk.settings.config import HostSettings, Settings, SlotSettings
from kiosk.settings.hours import Hours, open_at
from kiosk.visit.catalogue import SERVICES
from kiosk.visit.opening import Opening
from provisioning.rules.keys import KeyBlock
from tests.flows.people import CountingClock, KioskInMemory, MemoryJournal

HOURS = Hours(opens="08:30", closes="17:00", weekdays=(1, 2, 3, 4, 5))


class LastingJournal(MemoryJournal):
    """Finds the newest entry again, as the real one does."""

    def last(self, *acts: str) -> StoredEntry | None:
        found = [(number, act, facts) for number, (act, _, facts) in enumerate(self.acts) if act in acts]
        return StoredEntry(found[-1][0], "", found[-1][1], "", found[-1][2], ()) if found else None

    def since(self, moment: datetime, *acts: str) -> list[StoredEntry]:
        return [StoredEntry(0, "", act, "", facts, ()) for act, _, facts in self.acts if act in acts]


def kiosk_of(script: dict[str, Any]) -> KioskInMemory:
    return KioskInMemory(script, journal=LastingJournal())


def agents_word(kiosk: KioskInMemory, under_way: int = 0) -> ForAgent:
    return ForAgent(kiosk.desk, lambda: under_way, lambda: None, "0.1.0")


async def test_a_terminal_out_of_service_serves_no_resident(autojump_clock: MockClock) -> None:
    """The page says so, and a card that is put in is given back without being read further."""
    kiosk = kiosk_of({"not_open_out_of_service": [None, "take_card"]})
    agents_word(kiosk).out_of_service("c-1")

    async def resident() -> None:
        await trio.sleep(3)
        kiosk.reader.insert()
        while "card_not_served" not in kiosk.journal.names():
            await trio.sleep(0.1)
        kiosk.reader.pull()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(resident)
        await kiosk.serve(lambda: kiosk.screen.names()[-1:] == ["not_open_out_of_service"] and not _card_in(kiosk))
    assert "visit_opened" not in kiosk.journal.names()
    assert "menu" not in kiosk.screen.names()


def _card_in(kiosk: KioskInMemory) -> bool:
    return kiosk.reader.card_present or "card_not_served" not in kiosk.journal.names()


async def _somebody_comes_after(kiosk: KioskInMemory, day: Callable[[], Awaitable[None]]) -> None:
    """A card goes in 0.2 s after ``day`` is over, and five seconds are served."""
    over = trio.Event()

    async def lived() -> None:
        await day()
        await trio.sleep(0.2)
        kiosk.reader.insert()
        await trio.sleep(5)
        over.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(lived)
        await kiosk.serve(over.is_set)
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(("shut", "served"), [("out_of_service", True), ("pause", False)])
async def test_who_comes_as_it_opens_is_served(autojump_clock: MockClock, shut: str, served: bool) -> None:
    """A slot that was watched all the while needs no stock taken: the card of that very moment is served. During a
    pause nobody watches: what lies in the slot then is asked out first."""
    kiosk = kiosk_of({"menu": ["take_card"]})
    word = agents_word(kiosk)

    async def shut_and_open() -> None:
        await trio.sleep(5)
        getattr(word, shut)("20")
        await trio.sleep(19.9 if shut == "pause" else 60)
        if shut == "out_of_service":
            word.back_in_service("c-2")

    await _somebody_comes_after(kiosk, shut_and_open)
    assert ("visit_opened" in kiosk.journal.names()) is served
    assert ("card_inside" in kiosk.screen.names()) is not served


async def test_a_reader_that_went_while_shut_is_asked_out_first(autojump_clock: MockClock) -> None:
    """Out of service, the reader goes and comes back holding a card; as it opens, that card opens nothing."""
    kiosk = kiosk_of({"menu": ["take_card"]})
    word = agents_word(kiosk)

    async def shut_and_open() -> None:
        await trio.sleep(5)
        word.out_of_service("c-1")
        await trio.sleep(60)
        word.reopen("card_reader")
        await until(lambda: not kiosk.supervisor.slots["card_reader"].usable)
        await until(lambda: kiosk.supervisor.slots["card_reader"].usable)
        word.back_in_service("c-2")

    await _somebody_comes_after(kiosk, shut_and_open)
    assert "visit_opened" not in kiosk.journal.names() and "card_inside" in kiosk.screen.names()


async def until(holds: Callable[[], bool]) -> None:
    while not holds():
        await trio.sleep(0.01)


async def test_it_holds_after_a_restart_and_ends_by_a_word(autojump_clock: MockClock) -> None:
    """Out of service stands in the journal; back in service, the next card is served."""
    journal = LastingJournal()
    Opening(journal, CountingClock(), Hours()).take_out("c-1")
    again = Opening(journal, CountingClock(), Hours())
    assert again.shut == "out_of_service"
    again.take_out("c-1")  # told twice
    again.bring_back("c-2")
    assert [(act, facts["command"]) for act, _, facts in journal.acts] == [
        ("out_of_service", "c-1"),
        ("back_in_service", "c-2"),
    ]
    assert Opening(journal, CountingClock(), Hours()).shut == ""


async def test_who_is_in_front_is_never_thrown_out(autojump_clock: MockClock) -> None:
    """Taken out of service in the middle of a visit, the terminal finishes it; a restart is refused meanwhile."""
    kiosk = kiosk_of({"menu": [None]})
    word = agents_word(kiosk)
    said: list[object] = []

    async def resident() -> None:
        await trio.sleep(3)
        kiosk.reader.insert()
        while "menu" not in kiosk.screen.names():
            await trio.sleep(0.1)
        said.extend([word.out_of_service("c-1"), word.pause("20"), await word.end_between_visits()])
        said.append(word.reopen("pin_pad"))
        await trio.sleep(20)
        said.append(kiosk.screen.names()[-1])
        kiosk.reader.pull()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(resident)
        await kiosk.serve(lambda: kiosk.screen.names()[-1:] == ["not_open_out_of_service"])
    assert said == ["done", "serving", "serving", {"refused": "serving"}, "menu"]
    assert "visit_closed" in kiosk.journal.names()


async def test_no_pause_while_an_outcome_is_open(autojump_clock: MockClock) -> None:
    """With an act under way neither a pause, a restart nor a swap is granted (money-rules 28)."""
    word = agents_word(kiosk_of({}), under_way=1)
    assert word.pause("20") == "under_way"
    assert await word.end_between_visits() == "under_way"
    assert word.reopen("pin_pad") == {"refused": "under_way"}


async def test_a_pause_lapses_by_itself(autojump_clock: MockClock) -> None:
    """An agent that dies between asking and ending leaves a terminal that serves again."""
    kiosk = kiosk_of({})
    word = agents_word(kiosk)
    seen: list[str] = []

    async def agent() -> None:
        await trio.sleep(5)
        seen.append(word.pause("20"))
        await trio.sleep(10)
        seen.append(kiosk.screen.names()[-1])

    async with trio.open_nursery() as nursery:
        nursery.start_soon(agent)
        await kiosk.serve(lambda: len(seen) == 2 and kiosk.screen.names()[-1] == "insert_card")
    assert seen == ["paused", "not_open_paused"]


async def test_ending_comes_after_the_answer(autojump_clock: MockClock) -> None:
    """Between visits the process ends when it is asked to, and says so first."""
    kiosk, ended = kiosk_of({}), trio.Event()
    word = ForAgent(kiosk.desk, lambda: 0, ended.set, "0.1.0")
    assert await word.end_between_visits() == "ending"
    assert not ended.is_set()
    with trio.fail_after(1):
        await ended.wait()


async def test_a_swapped_part_is_opened_anew(autojump_clock: MockClock) -> None:
    """Its slot closes and opens without waiting out a fault, and the journal says that it did."""
    kiosk = kiosk_of({})
    word = agents_word(kiosk)
    conditions: list[str] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(kiosk.supervisor.run)
        await kiosk.supervisor.wait_tried()
        answer = word.reopen("pin_pad")
        while kiosk.supervisor.slots["pin_pad"].device is not None:
            await trio.sleep(0.01)
        conditions.append(kiosk.supervisor.health("pin_pad").condition.value)
        while not kiosk.supervisor.slots["pin_pad"].usable:
            await trio.sleep(0.1)
        nursery.cancel_scope.cancel()
    assert answer == {"before": "", "cash_inside_fen": 0}
    assert conditions == ["starting"]
    assert kiosk.journal.acts[-1][0] == "slot_reopened"


async def test_health_says_what_devices_say(autojump_clock: MockClock) -> None:
    """A slot without a device that answers is never ready; today's visits are counted."""
    kiosk = kiosk_of({"menu": ["take_card"]})
    await kiosk.visit()
    health = await agents_word(kiosk).health()
    assert health["slots"]["card_reader"]["condition"] == "ready"
    assert (health["use"]["sessions"], health["serving"], health["shut"]) == (1, True, "")
    untried = await agents_word(kiosk_of({})).health()
    assert {slot["condition"] for slot in untried["slots"].values()} == {"starting"}
    assert not untried["serving"]


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-18 08:29", False),
        ("2026-11-18 08:30", True),
        ("2026-11-18 16:59", True),
        ("2026-11-18 17:00", False),
        ("2026-11-21 10:00", False),  # a Saturday
    ],
)
def test_hours_are_the_terminals(moment: str, is_open: bool) -> None:
    """Open from the first minute to before the last, on the days that are named."""
    assert open_at(HOURS, datetime.fromisoformat(moment).replace(tzinfo=UTC)) is is_open


async def test_residents_are_served_from_the_opening_on(autojump_clock: MockClock) -> None:
    """The page of the closed terminal goes when the hour comes, without anybody doing anything."""
    clock = CountingClock()
    clock._now = datetime(2026, 11, 18, 8, 29, 30, tzinfo=UTC)
    opening = Opening(LastingJournal(), clock, HOURS)
    assert opening.shut == "closed"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(opening.wait_change)
        await trio.sleep(5)
        clock._now = datetime(2026, 11, 18, 8, 30, 1, tzinfo=UTC)
    assert opening.shut == ""


async def test_a_picture_is_only_taken_of_nobodys_page(autojump_clock: MockClock) -> None:
    """The welcome and the closed glass are shown; in a visit, or on any other page, it is refused."""
    kiosk = kiosk_of({"menu": [None]})
    page = "insert_card"
    word = ForAgent(kiosk.desk, lambda: 0, lambda: None, "0.1.0", lambda: (page, b"png"))
    assert await word.picture() == {"page": "insert_card", "png": "cG5n"}
    with kiosk.desk.opening.one_served():
        assert await word.picture() == {"refused": "serving"}
    page = "menu"
    assert await word.picture() == {"refused": "page menu"}
    assert await agents_word(kiosk).picture() == {"refused": "page "}


async def test_a_key_is_refused_while_somebody_is_served_or_an_act_is_open(autojump_clock: MockClock) -> None:
    """The pad keeps the keys that the act began with; the block waits for its moment, and nothing is journaled."""
    kiosk = kiosk_of({"menu": [None]})
    wire = KeyBlock(
        block_id="b1", terminal_id="T1", domain="bank", form="tr31", slot=1, block="00", check_value="000000"
    )
    block = msgspec.json.encode(wire).decode()
    assert await agents_word(kiosk, under_way=1).load_key(block) == {"refused": "under_way"}
    with kiosk.desk.opening.one_served():
        assert await agents_word(kiosk).load_key(block) == {"refused": "serving"}
    assert "key_load_answered" not in kiosk.journal.names()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(kiosk.supervisor.run)
        await kiosk.supervisor.wait_tried()
        assert (await agents_word(kiosk).load_key(block))["result"] == "refused"
        nursery.cancel_scope.cancel()
    assert kiosk.journal.names().count("key_load_answered") == 1
    assert not kiosk.desk.opening.serving


def test_every_answer_that_a_command_may_have_is_noted() -> None:
    """Whatever characters its reason is made of: else it would be told to the journal for ever."""
    kiosk = kiosk_of({})
    told = {"command": "c" * 36, "act": "\U0001f600" * 24, "result": "refused", "why": "\U0001f600" * 100}
    assert agents_word(kiosk).note(json.dumps(told)) == "noted"
    assert kiosk.journal.names() == ["command_answered"]


def test_a_city_offers_what_it_names_and_what_is_owed() -> None:
    """Services that it does not name have no tile; money and receipts that wait for somebody are given back all the
    same."""
    slots = {name: SlotSettings(driver=name) for name in ("card_reader", "cash_acceptor", "receipt_printer")}
    hosts = {name: HostSettings(url="https://h") for name in ("social_insurance", "hospital", "medical_insurance")}
    settings = Settings(run_dir="", data_dir="", slots=slots, hosts=hosts, services=("query_account",))
    offered = {entry.name for entry in SERVICES if entry.offered(settings)}
    assert offered == {"query_account", "collect_money", "collect_receipt", "take_refund"}
