"""Delivery of what hosts are owed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio

from kiosk.domain.card import CardIdentity
from kiosk.domain.entries import NewEntry, NewNotice
from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.settlement import Claim, Debt, InvoiceCode, Settlement, Split
from kiosk.forwarder.notices import BACK_OFF_S_MAX, card_platform_notices, deliver_notices, pause_s
from kiosk.money.hospital_notices import hospital_notices, payment_facts
from kiosk.ports import HostRefused, OutcomeUnknown
from offline_queue.journal import SqliteJournal
from tests.flows.money import Office
from tests.flows.people import FakeHosts


@dataclass
class FakeOffice(Office):
    """A hospital that keeps what it was told, by key."""

    refuses: HostRefused | None = None
    payments: dict[str, tuple[str, str, Settlement, str]] = field(default_factory=dict)
    registered: dict[str, tuple[str, int, str]] = field(default_factory=dict)

    async def notify_paid(self, claim: Claim, settlement: Settlement, means: str, key: str) -> InvoiceCode:
        await trio.lowlevel.checkpoint()
        if self.refuses:
            raise self.refuses
        self.payments[key] = (claim.bill_id, claim.lease_key, settlement, means)
        return InvoiceCode("1", "https://example.invalid")

    async def register(self, card: CardIdentity, amount_fen: Fen, reason: str, key: str) -> Debt:
        await trio.lowlevel.checkpoint()
        self.registered[key] = (card.card_number, amount_fen, reason)
        return Debt("1", amount_fen, reason)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path, lambda: datetime(2026, 11, 21, tzinfo=UTC))
    opened.owe_notice("card_platform", "pin_changed", "key-1", card_number="B00000131", at="2026-11-21")
    yield opened
    opened.close()


async def deliver_for(
    journal: SqliteJournal, hosts: FakeHosts, seconds: float, office: FakeOffice | None = None
) -> None:
    deliveries = {**card_platform_notices(hosts)}
    if office is not None:
        deliveries |= hospital_notices(office, office)
    with trio.move_on_after(seconds):
        await deliver_notices(journal.outbox, deliveries, lambda event, **fields: None)


async def test_silent_platform_is_told_when_it_is_back(
    journal: SqliteJournal, autojump_clock: trio.testing.MockClock
) -> None:
    """Tries go on over silence with growing pauses; when the platform answers, the notice is told once."""
    hosts = FakeHosts()
    hosts.silent = True
    await deliver_for(journal, hosts, 3600)
    owed = journal.outbox.due("card_platform")
    assert owed is not None
    assert 5 < owed.tries < 20
    hosts.silent = False
    await deliver_for(journal, hosts, 2 * BACK_OFF_S_MAX)
    assert journal.outbox.unsent_count() == 0


async def test_a_notice_refused_again_and_again_waits_for_a_person(
    journal: SqliteJournal, autojump_clock: trio.testing.MockClock
) -> None:
    """Three refusals, then it is put aside with the host's reason: still unsent, and asked no more by itself."""
    hosts = FakeHosts()
    hosts.refuses = HostRefused("card_platform", "unknown_card")
    await deliver_for(journal, hosts, 3600)
    assert [entry.act for entry in journal.entries()][1:] == ["notice_refused", "notice_refused", "notice_put_aside"]
    assert journal.outbox.put_aside() == [("key-1", "card_platform", "pin_changed", "unknown_card")]
    assert journal.outbox.unsent_count() == 1
    hosts.refuses = None
    await deliver_for(journal, hosts, 3600)
    assert journal.outbox.unsent_count() == 1
    journal.outbox.release("key-1", "S001")
    await deliver_for(journal, hosts, 60)
    assert journal.outbox.unsent_count() == 0
    assert journal.entries()[-1].act == "notice_told"


@pytest.mark.parametrize(
    "busy", [HostRefused("card_platform", "busy", retry_after_s=1200), OutcomeUnknown("card_platform", "503", 1200)]
)
async def test_a_host_that_names_its_time_is_left_in_peace(
    journal: SqliteJournal, autojump_clock: trio.testing.MockClock, busy: HostRefused | OutcomeUnknown
) -> None:
    """Retry-After wins over our own pauses, and is no refusal of the notice."""
    hosts = FakeHosts()
    hosts.refuses = busy
    await deliver_for(journal, hosts, 6 * 1200 + 1)
    owed = journal.outbox.due("card_platform")
    assert owed is not None
    assert owed.tries == 7
    assert journal.outbox.put_aside() == []


async def test_hospital_learns_payment_and_debt_as_they_were_booked(
    journal: SqliteJournal, autojump_clock: trio.testing.MockClock
) -> None:
    """Both notices arrive by their own keys, with every figure of the settlement, though the platform stays silent."""
    hosts, office = FakeHosts(), FakeOffice()
    hosts.silent = True
    split = Split(Fen(25_000), Fen(10_000), Fen(9_000), Fen(5_500), Fen(500), NOTHING)
    settlement = Settlement("s-1", "m-1", "mdtrt-1", split)
    debt: dict[str, str | int] = {"card_number": "B00000131", "amount_fen": 650, "reason": "change"}
    notices = (
        NewNotice("hospital", "payment", "pay-1", payment_facts(settlement, "B1", "lease-1"), 5_500),
        NewNotice("hospital", "debt_register", "debt-1", debt, 650),
    )
    journal.commit(NewEntry("settled", notices=notices))
    await deliver_for(journal, hosts, 60, office)
    assert office.payments == {"pay-1": ("B1", "lease-1", settlement, "cash")}
    assert office.registered == {"debt-1": ("B00000131", 650, "change")}
    assert journal.outbox.unsent_count() == 1


async def test_a_bill_paid_at_the_window_meanwhile_waits_for_a_person(
    journal: SqliteJournal, autojump_clock: trio.testing.MockClock
) -> None:
    """The hospital's "paid elsewhere" stands in the story of the case, and a person must look."""
    office = FakeOffice(refuses=HostRefused("hospital", "paid_elsewhere"))
    settlement = Settlement("s-1", "m-1", "mdtrt-1", Split(Fen(1), NOTHING, NOTHING, Fen(1), NOTHING))
    paid = payment_facts(settlement, "B1", "lease-1")
    journal.commit(NewEntry("settled", "451207", notices=(NewNotice("hospital", "payment", "pay-1", paid, 1),)))
    await deliver_for(journal, FakeHosts(), 600, office)
    last = journal.story("451207")[-1]
    assert last.act == "notice_put_aside"
    assert (last.facts or {})["code"] == "paid_elsewhere"


async def test_what_a_newer_program_owed_waits_for_it(
    journal: SqliteJournal, autojump_clock: trio.testing.MockClock
) -> None:
    """An update that was taken back leaves acts that this program cannot tell: they stay owed, and others are told."""
    journal.owe_notice("card_platform", "act_of_tomorrow", "key-2", card_number="B00000132")
    journal.owe_notice("card_platform", "pin_changed", "key-3", card_number="B00000133", at="2026-11-22")
    await deliver_for(journal, FakeHosts(), 7200)
    owed = journal.outbox.due("card_platform")
    assert owed is not None
    assert (owed.key, owed.tries, journal.outbox.unsent_count()) == ("key-2", 0, 1)


def test_pauses_grow_to_a_quarter_of_an_hour_and_are_spread() -> None:
    """One second at first, fifteen minutes at most, never less than half of it."""
    assert 0.5 <= pause_s(0, 0.0) <= pause_s(0, 1.0) == 1.0
    assert pause_s(50, 1.0) == BACK_OFF_S_MAX
    assert pause_s(50, 0.0) == BACK_OFF_S_MAX / 2
