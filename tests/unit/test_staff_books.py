"""Sums and open cases of the journal: what staff are shown agrees with the books, and is read on, not again."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import NewEntry, NewNotice
from offline_queue.journal import SqliteJournal
from offline_queue.staff_books import StaffBooks
from offline_queue.verify import open_read_only, statement

START = datetime(2026, 11, 21, 10, tzinfo=UTC)


class House:
    def __init__(self, folder: Path) -> None:
        self.now = START
        self.journal = SqliteJournal(folder, lambda: self.now)
        self.books = StaffBooks(folder)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.books.close()
    made.journal.close()


def test_an_empty_journal_explains_itself(house: House) -> None:
    """No time, no balance, no case, nothing to send."""
    assert house.books.high_water() is None
    assert house.books.balances() == {}
    assert house.books.open_cases() == ()
    assert (house.books.unsent().count, house.books.unsent().oldest_at) == (0, "")


def test_sums_follow_every_commit_and_agree_with_the_statement(house: House, tmp_path: Path) -> None:
    """What was read before is not read again, and the result is that of a reader who reads everything."""
    for amount in (5_000, 700, -5_000):
        house.journal.commit(
            NewEntry("act", "1", {}, postings=balanced((Account.CASH_BOX, amount), (Account.HOSPITAL, -amount)))
        )
        at_end, within = statement(open_read_only(tmp_path / "journal.db"), "2026-11-21")
        assert {account.value: fen for account, fen in house.books.balances().items()} == at_end
        day_end, day_within = house.books.day("2026-11-21")
        assert {account.value: fen for account, fen in day_end.items()} == at_end
        assert {account.value: fen for account, fen in day_within.items()} == within


def test_the_latest_time_stays_when_the_clock_goes_back(house: House) -> None:
    """High water is the latest, not the newest."""
    house.journal.record("a")
    house.now = START - timedelta(days=3)
    house.journal.record("b")
    assert house.books.high_water() == START


def test_a_case_opens_with_suspense_and_closes_when_it_is_explained(house: House) -> None:
    """Its age counts from what opened it; opened again, from then."""
    held = balanced((Account.CASH_BOX, 900), (Account.SUSPENSE, -900))
    given = balanced((Account.SUSPENSE, 900), (Account.HOSPITAL, -900))
    house.journal.commit(NewEntry("settle_handed_over", "451207", {}, postings=held))
    (case,) = house.books.open_cases()
    assert (case.code, case.suspense_fen, case.since) == ("451207", -900, START.isoformat(timespec="milliseconds"))
    house.journal.commit(NewEntry("settled_late", "451207", {}, postings=given))
    assert house.books.open_cases() == ()
    house.now += timedelta(hours=1)
    house.journal.commit(NewEntry("settle_handed_over", "451207", {}, postings=held))
    assert house.books.open_cases()[0].since.startswith("2026-11-21T11")


def test_an_intent_without_outcome_is_a_case(house: House) -> None:
    """It is named by its act, and gone with its outcome."""
    house.journal.commit(NewEntry("settle_intent", "451208", {}, opens="m1"))
    assert [(case.code, case.effects) for case in house.books.open_cases()] == [("451208", ("settle_intent",))]
    house.journal.commit(NewEntry("settle_refused", "451208", {}, closes="m1"))
    assert house.books.open_cases() == ()


def test_a_lost_note_stays_a_case_until_it_is_closed(house: House) -> None:
    """It has no amount that anybody knows, so only a person closes it."""
    house.journal.record("note_uncertain", "451209", denomination_fen=10_000)
    assert house.books.open_cases()[0].effects == ("note_uncertain",)
    house.journal.record("case_closed", "451209")
    assert house.books.open_cases() == ()


@pytest.mark.parametrize("taken_up", ["notice_released", "notice_given_up"])
def test_a_notice_put_aside_stays_a_case_until_people_take_it_up(taken_up: str, house: House) -> None:
    """Whatever else happens in its case; and taken up in one case it still waits in another."""
    house.journal.record("notice_put_aside", "451210")
    house.journal.record("notice_put_aside", "451211")
    house.journal.record("receipt_delivered", "451210")
    assert [case.code for case in house.books.open_cases()] == ["451210", "451211"]
    house.journal.record(taken_up, "451210")
    assert [case.code for case in house.books.open_cases()] == ["451211"]


def test_messages_not_sent_are_counted_with_their_sum(house: House) -> None:
    """Count, sum and the oldest, as they ride in the commits."""
    house.journal.commit(NewEntry("settled", "1", {}, notices=(NewNotice("hospital", "payment", "k", {}, 700),)))
    unsent = house.books.unsent()
    assert (unsent.count, unsent.sum_fen, unsent.oldest_at[:10]) == (1, 700, "2026-11-21")
    house.journal.outbox.told("k")
    assert house.books.unsent().count == 0
