"""The outbox against a simple model: order within a card, nothing lost, nothing twice, also over a reopened file."""

import tempfile
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path

import apsw
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import NewEntry, NewNotice
from kiosk.domain.notice_order import WAITS_BEHIND
from kiosk.money.settlement_orders import ORDERED
from kiosk.ports.outbox import Overtaken
from offline_queue.journal import SqliteJournal
from offline_queue.outbox import DUE, DUE_BESIDE, REFUSALS_MAX, UNSENT, UnknownNotice

HOSTS = ("hospital", "card_platform")
CARDS = ("", "T00000001", "T00000002", "T00000003")
ACTS = ("act", "loss_report", "loss_withdrawal", "payment", "payment_undone")


def opened(folder: Path) -> SqliteJournal:
    return SqliteJournal(folder, lambda: datetime(2026, 11, 22, tzinfo=UTC))


class Model(RuleBasedStateMachine):
    """What is owed as plain lists; the file must always say the same."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        self.journal = opened(Path(self.folder.name))
        self.keys = 0
        self.waiting: list[tuple[str, str, str, str, str]] = []  # host, card, key, act, state; in order
        self.refusals: dict[str, int] = {}
        self.ended: set[str] = set()
        self.about_money: set[str] = set()
        self.unsettled: set[str] = set()

    def teardown(self) -> None:
        if hasattr(self, "journal"):
            self.journal.close()
            self.folder.cleanup()

    @rule(host=st.sampled_from(HOSTS), card=st.sampled_from(CARDS), act=st.sampled_from(ACTS), money=st.booleans())
    def owe(self, host: str, card: str, act: str, money: bool) -> None:
        self.keys += 1
        key = f"key-{self.keys}"
        if money:
            self.about_money.add(key)
        notice = NewNotice(host, act, key, {"number": self.keys}, amount_fen=self.keys if money else 0)
        self.journal.commit(NewEntry("something", card_number=card, notices=(notice,)))
        self.waiting.append((host, card, key, act, "owed"))

    def turn(self, host: str, resting: set[str]) -> list[tuple[str, str]]:
        """Key and act of all that may be sent now, in order: nothing of a lane that rests, and nothing that follows
        from what was put aside before it."""
        found, aside = [], set[tuple[str, str]]()
        for its_host, card, key, act, state in self.waiting:
            if its_host == host and state == "quarantined":
                aside.add((card, act))
            follows = aside & {(card, before) for before in WAITS_BEHIND.get(act, ())}
            if its_host == host and state == "owed" and card not in resting and not follows:
                found.append((key, act))
        return found

    @rule(host=st.sampled_from(HOSTS), resting=st.sets(st.sampled_from(CARDS), max_size=2))
    def ask(self, host: str, resting: set[str]) -> None:
        lanes = {self.journal._root.card_index(card) if card else "" for card in resting}
        due = self.journal.outbox.due(host, lanes)
        assert ([(due.key, due.act)] if due else []) == self.turn(host, resting)[:1]

    @rule()
    def ask_for_hosts(self) -> None:
        owed = {host for host, *_, state in self.waiting if state == "owed"}
        assert set(self.journal.outbox.owed_hosts(HOSTS)) == owed

    @rule(host=st.sampled_from(HOSTS), outcome=st.sampled_from(["told", "refused", "unanswered"]))
    def send(self, host: str, outcome: str) -> None:
        due = self.journal.outbox.due(host)
        if due is None:
            return
        place = [one[2] for one in self.waiting].index(due.key)
        if outcome == "told":
            self.journal.outbox.told(due.key)
            self.ended.add(self.waiting.pop(place)[2])
        elif outcome == "unanswered":
            self.journal.outbox.unanswered(due.key)
        else:
            self.refusals[due.key] = self.refusals.get(due.key, 0) + 1
            aside = self.journal.outbox.refused(due.key, "no")
            assert aside == (self.refusals[due.key] == REFUSALS_MAX)
            if aside:
                self.waiting[place] = (*self.waiting[place][:4], "quarantined")

    @rule(
        host=st.sampled_from(HOSTS),
        most=st.integers(1, 5),
        resting=st.sets(st.sampled_from(CARDS), max_size=2),
        lazily=st.booleans(),
    )
    def send_together(self, host: str, most: int, resting: set[str], lazily: bool) -> None:
        turn = self.turn(host, resting)[:most]
        expected = [key for key, _ in takewhile(lambda one: one[1] == turn[0][1], turn)]  # of one act
        lanes = {self.journal._root.card_index(card) if card else "" for card in resting}
        found = [one.key for one in self.journal.outbox.due_together(host, most, lanes)]
        assert found == expected
        plain = [key for key in found if key not in self.about_money] if lazily else found
        (self.journal.outbox.answered if lazily else self.journal.outbox.told)(*plain)
        self.ended |= set(plain)
        self.waiting = [one for one in self.waiting if one[2] not in plain]
        self.unsettled |= set(plain) if lazily else set()

    @rule(host=st.sampled_from(HOSTS))
    def settle(self, host: str) -> None:
        settled = self.journal.outbox.settle_answered(host)
        if settled:
            facts = self.journal.entries()[-1].facts
            assert facts is not None
            keys = str(facts["keys"]).split()
            assert (len(keys), facts["count"]) == (settled, settled)
            assert set(keys) <= self.unsettled
            self.unsettled -= set(keys)

    @precondition(lambda self: any(state == "quarantined" for *_, state in self.waiting))
    @rule(again=st.booleans())
    def decide(self, again: bool) -> None:
        place = next(place for place, one in enumerate(self.waiting) if one[4] == "quarantined")
        key = self.waiting[place][2]
        if again:
            self.journal.outbox.release(key, "S001")
            self.waiting[place] = (*self.waiting[place][:4], "owed")
            self.refusals[key] = 0
        else:
            self.journal.outbox.give_up(key, "S001", "S002", "told by telephone")
            self.ended.add(self.waiting.pop(place)[2])

    @rule()
    def power_cut(self) -> None:
        self.journal.close()
        self.journal = opened(Path(self.folder.name))

    @invariant()
    def nothing_is_lost_and_nothing_ends_twice(self) -> None:
        if not hasattr(self, "journal"):
            return
        assert self.journal.outbox.unsent_count() == len(self.waiting)
        assert [one[0] for one in self.journal.outbox.put_aside()] == [
            key for _, _, key, _, state in self.waiting if state == "quarantined"
        ]
        for key in list(self.ended)[:2]:
            with pytest.raises(UnknownNotice):
                self.journal.outbox.told(key)


Model.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestOutboxModel = Model.TestCase


def test_a_key_is_used_once_for_ever(tmp_path: Path) -> None:
    """A second notice of a key that was told long ago is refused, and nothing of its act is written."""
    journal = opened(tmp_path)
    journal.owe_notice("hospital", "payment", "key-1")
    journal.outbox.told("key-1")
    with pytest.raises(apsw.ConstraintError):
        journal.owe_notice("hospital", "payment", "key-1")
    assert [entry.act for entry in journal.entries()] == ["notice_owed", "notice_told"]
    journal.close()


def test_what_moves_money_is_never_acknowledged_lazily(tmp_path: Path) -> None:
    """A notice with an amount, and one that was told already, are not taken by the way that is not flushed."""
    journal = opened(tmp_path)
    journal.commit(NewEntry("settled", notices=(NewNotice("hospital", "payment", "key-1", {}, 700),)))
    journal.owe_notice("card_platform", "pin_changed", "key-2")
    for keys in (("key-1",), ("key-2", "key-1"), ("key-3",)):
        with pytest.raises(UnknownNotice):
            journal.outbox.answered(*keys)
    assert journal.outbox.unsent_count() == 2
    journal.outbox.answered("key-2")
    with pytest.raises(UnknownNotice):
        journal.outbox.answered("key-2")
    assert journal.database.execute_sql("pragma synchronous").fetchone()[0] == 2
    journal.close()


def test_what_was_not_put_aside_cannot_be_released(tmp_path: Path) -> None:
    """Only a notice that waits for a person has a way out by a person."""
    journal = opened(tmp_path)
    journal.owe_notice("hospital", "payment", "key-1")
    for key in ("key-1", "key-2"):
        with pytest.raises(UnknownNotice):
            journal.outbox.release(key, "S001")
        with pytest.raises(UnknownNotice):
            journal.outbox.give_up(key, "S001", "S002", "why")
    assert journal.outbox.unsent_count() == 1
    journal.close()


def test_a_dark_hosts_backlog_is_not_walked_for_another_host(tmp_path: Path) -> None:
    """The search for one host's next notices, with and without lanes to spare, goes by an index of its own."""
    journal = opened(tmp_path)
    for question, more in ((DUE, ()), (DUE_BESIDE, ("[]",))):
        plan = plan_of(journal, question, "hospital", 50, *more)
        assert "notice_turn (host=?)" in plan, plan
        assert "TEMP B-TREE" not in plan.replace("TEMP B-TREE FOR LAST TERM", "sorts those of one commit"), plan
    journal.close()


def test_totals_read_no_notice(tmp_path: Path) -> None:
    """How many wait, and their sum, comes from indexes alone: a backlog of a week is not opened to be counted."""
    journal = opened(tmp_path)
    plan = plan_of(journal, UNSENT)
    assert plan.count("SCAN notice USING COVERING INDEX") == 2, plan
    journal.close()


def plan_of(journal: SqliteJournal, question: str, *facts: str | int) -> str:
    rows = journal.database.connection().execute(f"explain query plan {question}", facts)
    return "; ".join(str(row[3]) for row in rows)


def test_an_update_waits_for_what_moves_and_what_is_unknown(tmp_path: Path) -> None:
    """A bill that was left waits for days and holds up no update; a note inside and an unknown outcome do (rule 28)."""
    journal = opened(tmp_path)
    outbox = journal.outbox
    journal.commit(NewEntry(ORDERED, "451207", opens="order:1"))
    assert (len(journal.open_effects()), outbox.under_way()) == (1, 0)
    journal.commit(NewEntry("note_intent", "451208", opens="note:1"))
    assert outbox.under_way() == 1
    inside = balanced((Account.CASH_BOX, 500), (Account.RESIDENT, -500))
    journal.commit(NewEntry("note_credited", "451208", postings=inside, closes="note:1"))
    assert outbox.under_way() == 1, "no note is in escrow, and the resident's money is inside"
    taken = balanced((Account.RESIDENT, 500), (Account.HOSPITAL, -500))
    journal.commit(NewEntry("settle_intent", "451208", postings=taken, opens="settle:1"))
    assert outbox.under_way() == 1
    journal.commit(NewEntry("settled", "451208", closes="settle:1"))
    assert (len(journal.open_effects()), outbox.under_way()) == (1, 0)
    journal.close()


def test_notices_of_one_commit_go_in_the_order_of_their_keys(tmp_path: Path) -> None:
    """A payment before the debt that follows from it, whatever their amounts, and also where only one fits."""
    journal = opened(tmp_path)
    told = [("key-1", 900), ("key-2", 0), ("key-3", 500), ("key-4", 100)]
    notices = tuple(NewNotice("hospital", "payment", key, {}, fen) for key, fen in told)
    journal.commit(NewEntry("settled", "451207", card_number=CARDS[1], notices=notices))
    journal.commit(NewEntry("later", "451207", notices=(NewNotice("hospital", "payment", "key-0"),)))
    together = [one.key for one in journal.outbox.due_together("hospital", 50)]
    assert together == ["key-1", "key-2", "key-3", "key-4", "key-0"]
    for key, _ in told:
        owed = journal.outbox.due("hospital")
        assert owed is not None
        assert owed.key == key
        journal.outbox.told(key)
    journal.close()


def put_aside(journal: SqliteJournal, host: str) -> str:
    """The oldest is refused until a person must look; its key."""
    due = journal.outbox.due(host)
    assert due is not None
    assert [journal.outbox.refused(due.key, "no") for _ in range(REFUSALS_MAX)][-1]
    return due.key


def told_in_turn(journal: SqliteJournal, host: str) -> list[str]:
    keys = []
    while due := journal.outbox.due(host):
        journal.outbox.told(due.key)
        keys.append(due.key)
    return keys


def test_a_refused_message_holds_up_no_debt_of_its_holder(tmp_path: Path) -> None:
    """Money-rules 2 and 19: a payment that its hospital does not take waits for a person; the debt of the same commit,
    and other bills of the same card, are told, and the payment once somebody released it."""
    journal = opened(tmp_path)
    for acts in (("0-payment", "1-debt_register"), ("2-payment",), ("3-payment_undone", "4-receipt_record")):
        notices = tuple(NewNotice("hospital", key[2:], key) for key in acts)
        journal.commit(NewEntry("settled", "451207", card_number=CARDS[1], notices=notices))
    assert put_aside(journal, "hospital") == "0-payment"
    assert told_in_turn(journal, "hospital") == ["1-debt_register", "2-payment", "4-receipt_record"]
    journal.outbox.release("0-payment", "S001")
    assert told_in_turn(journal, "hospital") == ["0-payment", "3-payment_undone"]
    journal.close()


def test_what_its_holder_said_last_stands_at_the_platform(tmp_path: Path) -> None:
    """A loss report that was refused holds up its withdrawal, and the report after that: released, all come in order.
    Another card's, and a changed PIN, do not wait."""
    journal = opened(tmp_path)
    for act in ("loss_report", "loss_withdrawal", "loss_report"):
        journal.owe_notice("card_platform", act, f"{journal.outbox.unsent_count()}-{act}", card_number=CARDS[1])
    journal.owe_notice("card_platform", "pin_changed", "pin", card_number=CARDS[1])
    journal.owe_notice("card_platform", "loss_report", "other", card_number=CARDS[2])
    aside = put_aside(journal, "card_platform")
    assert told_in_turn(journal, "card_platform") == ["pin", "other"]
    journal.outbox.release(aside, "S001")
    assert told_in_turn(journal, "card_platform") == ["0-loss_report", "1-loss_withdrawal", "2-loss_report"]
    journal.close()


INTENT = NewEntry("loss_report_intent", "451208", card_number=CARDS[1])


@pytest.mark.parametrize(
    ("later", "overtaken"),
    [
        ([], False),
        ([INTENT], True),
        ([INTENT, "report owed"], False),
        ([INTENT, "report owed", INTENT], True),
        ([INTENT, "report given up"], True),
        ([NewEntry("loss_report_intent", "451208", card_number=CARDS[2])], False),
    ],
    ids=["nothing", "told at once", "waits behind it", "waits, and another at once", "given up", "another's"],
)
def test_no_withdrawal_is_released_over_a_later_report(
    tmp_path: Path, later: list[NewEntry | str], overtaken: bool
) -> None:
    """A withdrawal that was put aside would lift what its holder reported since; unless that report is told after it.
    Refused, it stays as it is, also for who opens the file anew, and two people end it."""
    journal = opened(tmp_path)
    journal.owe_notice("card_platform", "loss_withdrawal", "old", card_number=CARDS[1])
    assert put_aside(journal, "card_platform") == "old"
    for one in later:
        if isinstance(one, NewEntry):
            journal.commit(one)
            continue
        journal.owe_notice("card_platform", "loss_report", "new", card_number=CARDS[1])
        if one == "report given up":
            for _ in range(REFUSALS_MAX):
                journal.outbox.refused("new", "no")
            journal.outbox.give_up("new", "S001", "S002", "by telephone")
    journal.close()
    journal = opened(tmp_path)
    assert journal.outbox.overtaken("old") is overtaken
    if overtaken:
        rows = len(journal.entries())
        with pytest.raises(Overtaken):
            journal.outbox.release("old", "S001")
        assert len(journal.entries()) == rows
        assert [key for key, *_ in journal.outbox.put_aside()] == ["old"]
        journal.outbox.give_up("old", "S001", "S002", "reported again")
        assert "old" not in told_in_turn(journal, "card_platform")
    else:
        journal.outbox.release("old", "S001")
        assert told_in_turn(journal, "card_platform")[0] == "old"
    journal.close()


def test_a_report_is_released_whatever_was_said_since(tmp_path: Path) -> None:
    """Only a withdrawal lifts anything: a report that was put aside may always be told again."""
    journal = opened(tmp_path)
    journal.owe_notice("card_platform", "loss_report", "old", card_number=CARDS[1])
    put_aside(journal, "card_platform")
    journal.commit(INTENT)
    assert not journal.outbox.overtaken("old")
    journal.outbox.release("old", "S001")
    journal.close()


def test_what_another_process_owes_is_found_by_who_found_nothing_before(tmp_path: Path) -> None:
    """That nothing is due is remembered only until anybody writes, also by another connection to the file."""
    forwarder, kiosk = opened(tmp_path), opened(tmp_path)
    assert (forwarder.outbox.owed_hosts(HOSTS), forwarder.outbox.due("hospital")) == ([], None)
    kiosk.owe_notice("hospital", "act", "key-1")
    due = forwarder.outbox.due("hospital")
    assert forwarder.outbox.owed_hosts(HOSTS) == ["hospital"]
    assert due is not None and due.key == "key-1"
    kiosk.outbox.told("key-1")
    assert (forwarder.outbox.owed_hosts(HOSTS), forwarder.outbox.due("hospital")) == ([], None)
    kiosk.close()
    forwarder.close()


def test_a_card_is_read_again_after_another_process_wrote_about_it(tmp_path: Path) -> None:
    """What was read about a card is kept only until anybody commits."""
    kiosk, forwarder = opened(tmp_path), opened(tmp_path)
    assert kiosk.of_card("T00000001") == []
    forwarder.commit(NewEntry("contribution_credited_late", "C1", card_number="T00000001"))
    assert [entry.act for entry in kiosk.of_card("T00000001")] == ["contribution_credited_late"]
    kiosk.close()
    forwarder.close()
