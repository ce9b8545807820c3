"""A month whose time is over can be read by nobody here, its chain stays, and nothing that is needed goes with it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import apsw
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from kiosk.basics.chain import link_of
from kiosk.basics.clock import SystemClock
from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import NewEntry, NewNotice
from kiosk.domain.record_kinds import KINDS, keep_months_by_kind, kind_of_period, month_of, period_name
from kiosk.money.keep_retention import LASTING, Retention
from kiosk.money.offline_limits import HOTLIST_IN_FORCE, IN_FORCE, NewestUsed
from kiosk.ports.ledger import Needed, StillNeeded
from kiosk.staff.counted import TILLS
from offline_queue.journal import SqliteJournal
from offline_queue.retention import DESTROYED
from offline_queue.sealing import Root, Sealer
from offline_queue.staff_books import case_codes
from offline_queue.verify import open_read_only, verify

CARD = "B00000131"
OLD, SINCE, NOW = datetime(2024, 3, 9, tzinfo=UTC), datetime(2024, 4, 1, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC)
RECOVERY = rsa.generate_private_key(65537, 2048).public_key()


class SetClock(SystemClock):
    at = OLD

    def now(self) -> datetime:
        return self.at


@dataclass
class Terminal:
    """``lines``: of the log."""

    folder: Path
    clock: SetClock = field(default_factory=SetClock)
    lines: list[str] = field(default_factory=list)
    agrees: bool = True
    kept: int = 1_000
    keep: dict[str, int] = field(default_factory=partial(keep_months_by_kind, 24, {}))

    def __post_init__(self) -> None:
        self.journal = self.opened()
        self.journal.commit(NewEntry("settled", "451207", {"card_spec": "2.00"}, CARD))

    def opened(self) -> SqliteJournal:
        return SqliteJournal(self.folder, self.clock.now, RECOVERY)

    def later(self, at: datetime = NOW) -> None:
        self.clock.at = at
        self.journal.record("later")

    async def look(self) -> None:
        async def cases() -> set[str]:
            return case_codes(self.folder)

        def log(event: str, **fields: object) -> None:
            self.lines.append(f"{event} {fields.get('why', '')}".strip())

        journal, months = self.journal, self.journal.retention
        await Retention(
            journal, months, self.clock, self.keep, lambda: self.agrees, lambda: self.kept, cases, log
        ).look()

    def facts(self, act: str) -> list[dict[str, str | int] | None]:
        return [entry.facts for entry in self.journal.entries() if entry.act == act]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path)
    yield made
    made.journal.close()


async def test_a_month_that_is_over_is_unreadable(terminal: Terminal) -> None:
    """Its facts are gone for every process and for the agency's custodians here, and the chain verifies as before."""
    terminal.later()
    await terminal.look()
    assert terminal.facts("settled") == [None]
    assert terminal.lines == ["month_destroyed"]
    assert terminal.facts(DESTROYED) == [{"month": "2024-03", "kind": "money", "rows": 1, "up_to": 1}]
    assert terminal.journal.retention.periods() == ["2026-11"]
    reader = open_read_only(terminal.folder / "journal.db")
    assert verify(reader, None).whole
    (wraps,) = reader.execute("select for_terminal, for_agency from period where period = '2024-03'")
    assert wraps == (b"", b"")
    assert [entry.case_code for entry in terminal.journal.of_card(CARD)] == ["451207"]


async def test_the_key_is_nowhere_in_the_files(terminal: Terminal) -> None:
    """Neither in the file's free places nor in its log: what was wrapped stood there, and does not any more."""
    before = open_read_only(terminal.folder / "journal.db")
    ((for_terminal, for_agency),) = before.execute("select for_terminal, for_agency from period")
    before.close()
    assert for_terminal in b"".join(path.read_bytes() for path in terminal.folder.glob("journal.db*"))
    terminal.later()
    await terminal.look()
    left = b"".join(path.read_bytes() for path in terminal.folder.glob("journal.db*"))
    assert for_terminal not in left
    assert for_agency[:64] not in left


def _acts_of_three_kinds(terminal: Terminal) -> None:
    for act, number in (("visit_opened", 1), ("certificate_printed", 2), ("pin_change_ended", 3)):
        terminal.journal.commit(NewEntry(act, "451207", {"number": number}, CARD))


async def test_each_kind_has_its_own_time(terminal: Terminal) -> None:
    """Visits go after 6 months, certificates after 12, what changed a card when all goes, money at the end of its own;
    who, when and which case stay in the chain of every one."""
    terminal.keep = keep_months_by_kind(24, {"visit": 6, "certificate": 12, "money": 0})
    _acts_of_three_kinds(terminal)
    gone = []
    for at in (datetime(2024, 9, 30, tzinfo=UTC), datetime(2024, 10, 1, tzinfo=UTC), datetime(2025, 4, 1, tzinfo=UTC),
               datetime(2026, 4, 1, tzinfo=UTC), datetime(2060, 1, 1, tzinfo=UTC)):  # fmt: skip
        terminal.later(at)
        await terminal.look()
        gone.append([entry.act for entry in terminal.journal.story("451207") if entry.facts is None])
    assert gone == [
        [],
        ["visit_opened"],
        ["visit_opened", "certificate_printed"],
        *[["visit_opened", "certificate_printed", "pin_change_ended"]] * 2,
    ]
    told = [(facts or {})["kind"] for facts in terminal.facts(DESTROYED)]
    assert told == ["visit", "certificate", "card"]
    assert [entry.case_code for entry in terminal.journal.of_card(CARD)] == ["451207"] * 4
    assert verify(open_read_only(terminal.folder / "journal.db"), None).whole


async def test_a_kind_that_is_needed_keeps_no_other(terminal: Terminal) -> None:
    """An open case keeps all that it has rows in; what is owed to a host keeps what it was owed by."""
    _acts_of_three_kinds(terminal)
    terminal.journal.commit(NewEntry("loss_report_queued", "451209", {}, CARD, notices=(NewNotice("h", "a", "key-1"),)))
    lost = balanced((Account.CASH_BOX, 500), (Account.SUSPENSE, -500))
    terminal.journal.commit(NewEntry("dispense_uncertain", "451208", {}, CARD, lost))
    terminal.journal.commit(NewEntry("visit_closed", "451208", {"how": "timeout"}, CARD))
    terminal.journal.record("dispensed", "451210")
    terminal.later()
    await terminal.look()
    assert [entry.act for entry in terminal.journal.entries() if entry.facts is None] == ["certificate_printed"]
    assert terminal.lines == [
        "month_still_needed case 451208 is open",
        "month_still_needed case 451208 is open",
        "month_destroyed",
        "month_still_needed a notice that is owed",
    ]


async def test_a_program_that_knows_no_kinds_reads_and_writes_on(terminal: Terminal) -> None:
    """An update that is taken back: the program of before finds each row's key under the row's own period, thinks no
    kind older than it is, and what it writes into a month goes with money. The new one goes on with all of it."""
    _acts_of_three_kinds(terminal)
    terminal.journal.close()
    old = apsw.Connection(str(terminal.folder / "journal.db"))
    root = Root.at(terminal.folder / "journal.key")
    for seq, period, sealed in old.execute("select seq, period, sealed from entry"):
        ((wrapped,),) = old.execute("select for_terminal from period where period = ?", (period,))
        assert Sealer(root.unwrap(wrapped, period)).open(sealed, str(seq))
    # How that program reads an age, and which month it never destroys.
    names = [name for (name,) in old.execute("select period from period where for_terminal != x'' order by period")]
    assert names == ["2024-03", "2024-15", "2024-27", "2024-39"]
    ages = [12 * (2026 - int(name.split("-")[0])) + 11 - int(name.split("-")[1]) for name in names]
    assert ages == [32, 20, 8, -4]
    ((last, before),) = old.execute("select seq, link from entry order by seq desc limit 1")
    ((wrapped,),) = old.execute("select for_terminal from period where period = '2024-03'")
    clear = (last + 1, "2024-03-20T09:10:00.000+00:00", "visit_opened", "451211", root.card_index(CARD), "2024-03", "")
    sealed = Sealer(root.unwrap(wrapped, "2024-03")).seal(b'{"number":4}', str(last + 1))
    link = link_of(before, clear, sealed)
    old.execute("insert into entry values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*clear, sealed, link, root.proof(link)))
    old.close()
    terminal.journal = terminal.opened()
    assert [(facts or {})["number"] for facts in terminal.facts("visit_opened")] == [1, 4]
    terminal.keep = keep_months_by_kind(0, {"visit": 6})
    terminal.later()
    await terminal.look()
    assert [(facts or {}).get("number") for facts in terminal.facts("visit_opened")] == [None, 4]
    assert verify(open_read_only(terminal.folder / "journal.db"), None, root=root).whole


def test_names_of_periods_say_month_and_kind() -> None:
    """Every kind of every month, and one of a newer program, which counts as money: kept longest."""
    for kind in KINDS:
        for month in (f"2026-{number:02d}" for number in range(1, 13)):
            period = period_name(month, kind)
            assert (len(period), month_of(period), kind_of_period(period)) == (7, month, kind)
    assert kind_of_period("2026-96") == "money"


async def test_a_month_within_its_time_stays(terminal: Terminal) -> None:
    """24 whole months after its own, and not one less; without a setting none ends."""
    terminal.later(datetime(2026, 3, 31, tzinfo=UTC))
    await terminal.look()
    assert terminal.facts("settled") != [None]
    terminal.later(datetime(2026, 4, 1, tzinfo=UTC))
    await terminal.look()
    assert terminal.facts("settled") == [None]


async def test_the_clock_alone_destroys_nothing(terminal: Terminal) -> None:
    """A clock that jumped by years is believed only where a host agrees."""
    terminal.agrees = False
    terminal.later()
    await terminal.look()
    assert terminal.journal.retention.periods() == ["2024-03", "2026-11"]


async def test_what_a_wrong_clock_wrote_today_stays(terminal: Terminal) -> None:
    """A board without a battery began again decades ago, served, and then heard the time: its rows are of today by
    their place in the chain, whatever month they name. A clock that once ran ahead keeps no month alive for it."""
    terminal.later(datetime(2090, 1, 1, tzinfo=UTC))
    terminal.later()
    terminal.clock.at = datetime(2000, 1, 1, tzinfo=UTC)
    terminal.journal.commit(NewEntry("settled", "451299", {"card_spec": "3.00"}, CARD))
    terminal.later()
    await terminal.look()
    assert terminal.facts("settled") == [None, {"card_spec": "3.00", "card_number": CARD}]
    assert terminal.journal.retention.periods() == ["2000-01", "2026-11", "2090-01"]
    assert terminal.lines[0].startswith("month_still_needed rows of it were written after rows of 2026-11")


def _open_effect(terminal: Terminal) -> None:
    terminal.journal.commit(NewEntry("settlement_ordered", "451208", {}, CARD, opens="order:1"))


def _purse(terminal: Terminal) -> None:
    inside = balanced((Account.CASH_BOX, 500), (Account.RESIDENT, -500))
    terminal.journal.commit(NewEntry("note_credited", "451208", {"denomination_fen": 500}, CARD, inside))


def _notice(terminal: Terminal) -> None:
    terminal.journal.owe_notice("hospital", "release", "key-1")


def _put_aside(terminal: Terminal) -> None:
    _notice(terminal)
    for _ in range(3):
        terminal.journal.outbox.refused("key-1", "no")


def _answered(terminal: Terminal) -> None:
    _notice(terminal)
    terminal.journal.outbox.answered("key-1")


def _case(terminal: Terminal) -> None:
    lost = balanced((Account.CASH_BOX, 500), (Account.SUSPENSE, -500))
    terminal.journal.commit(NewEntry("dispense_uncertain", "451208", {}, CARD, lost))
    terminal.journal.commit(NewEntry("dispensed", "451207", {"paid_fen": 1, "unaccounted_fen": 0}))


def _not_kept(terminal: Terminal) -> None:
    terminal.kept = 0


@pytest.mark.parametrize(
    ("prepare", "why"),
    [
        (_open_effect, "an act without an outcome"),
        (_purse, "money inside"),
        (_notice, "a notice that is owed"),
        (_put_aside, "a notice that is quarantined"),
        (_answered, "a notice that is answered"),
        (_case, "case 451208 is open"),
        (_not_kept, "the agency has surely kept rows up to 0"),
        *[
            (lambda terminal, act=acts[0]: terminal.journal.record(act, "451208"), "nothing newer is known of")
            for acts in LASTING
        ],
    ],
)
async def test_what_is_needed_keeps_its_month(terminal: Terminal, prepare: object, why: str) -> None:
    """Open, unsent, in nobody's books yet, or the newest of its kind: nothing is destroyed, and the log says why."""
    prepare(terminal)  # type: ignore[operator]  # one of the above
    terminal.later()
    await terminal.look()
    assert all(facts is not None for facts in terminal.facts("settled"))
    (line,) = terminal.lines
    assert line.startswith(f"month_still_needed {why}")


def test_the_newest_month_is_never_destroyed(terminal: Terminal) -> None:
    """Rows need a key to be sealed under; nor is a month destroyed that is not there."""
    for month in ("2024-03", "1999-01"):
        with pytest.raises(StillNeeded, match="newest month"):
            terminal.journal.retention.destroy(month, Needed(1_000))


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_clock_set_back_into_a_destroyed_month_breaks_no_seal(terminal: Terminal, restarted: bool) -> None:
    """What is written then is readable and goes with the newest month; what was destroyed stays so."""
    terminal.later()
    await terminal.look()
    if restarted:
        terminal.journal.close()
        terminal.journal = terminal.opened()
    terminal.clock.at = OLD
    terminal.journal.commit(NewEntry("settled", "900001", {"card_spec": "3.00"}, CARD))
    terminal.journal.owe_notice("hospital", "release", "key-9")
    assert terminal.facts("settled") == [None, {"card_spec": "3.00", "card_number": CARD}]
    owed = terminal.journal.outbox.due("hospital")
    assert owed is not None
    assert terminal.journal.retention.periods() == ["2026-11"]
    assert verify(open_read_only(terminal.folder / "journal.db"), None).whole


def test_who_has_the_key_in_memory_seals_nothing_under_it(terminal: Terminal) -> None:
    """One process has read the month when the other one destroys it; its next row there is readable all the same."""
    terminal.later()
    assert terminal.facts("settled") != [None]
    other = apsw.Connection(str(terminal.folder / "journal.db"))
    other.execute("update period set for_terminal = x'', for_agency = x'' where period = '2024-03'")
    other.close()
    terminal.clock.at = OLD
    seq = terminal.journal.record("with its clock set back", what="this")
    terminal.journal.close()
    terminal.journal = terminal.opened()
    assert terminal.journal.entries()[seq - 1].facts == {"what": "this"}
    assert terminal.facts("settled") == [None]


async def test_versions_outlive_their_month(terminal: Terminal) -> None:
    """No older policy or hotlist comes back because the month in which the newest was noted is gone."""
    used = {act: NewestUsed(terminal.journal, act) for act in (IN_FORCE, HOTLIST_IN_FORCE)}
    for act, newest in used.items():
        newest.note(7 if act == IN_FORCE else 9)
    terminal.later()
    await terminal.look()
    assert terminal.facts(IN_FORCE)[0] is None
    assert [newest.version() for newest in used.values()] == [7, 9]


def test_what_later_counts_begin_with_is_named() -> None:
    """Every place that two people count, and every act that gives a number that must not come again."""
    assert {till.acts[3] for till in TILLS} <= {act for acts in LASTING for act in acts}
