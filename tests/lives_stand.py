"""Lives of a real kiosk: a resident pays a bill in notes, and at some moment the process is killed and comes back.

Everything is real but the world outside: the kiosk process with its glass, pcscd, ptys, hosts over TLS. What happened
is judged from outside, by the journal's file, the hosts' books and the notes that lie in the machine.
"""

import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

import trio

from kiosk.domain.books import Account, totals
from kiosk.domain.entries import StoredEntry
from offline_queue.reader import open_reader
from offline_queue.verify import verify
from simulators.cards.chip import build_number
from simulators.front_panel.front import NoteFront
from simulators.hosts.hospital import HospitalSandbox
from simulators.hosts.medical_insurance import MedicalInsuranceSandbox, visit_of
from simulators.hosts.medical_insurance_books import Row
from simulators.smoke.bill import content_yuan
from simulators.smoke.glass import Glass
from simulators.smoke.hands import Finger, type_pin
from simulators.stack import Stack
from simulators.waiting import came_true, until
from simulators.worlds.world import Resident

PIN = "246810"
BILL_FEN = 19_000  # two notes of 100, ten yuan of change
TENS_MORE = 20  # for the recycler: change for every life
LOOK_S = 0.001
NEVER_LEFT = (Account.RESIDENT, Account.ESCROW, Account.SURPLUS, Account.SHORTAGE)
OWED = (Account.HOSPITAL, Account.HOLDER_DEBT, Account.SUSPENSE)
COMES_BACK_S_MAX = 60.0
LIFE_S_MAX = 180.0
DRIVEN_S_MAX = 150.0

_RESIDENT = """
[[residents]]
handle = "r{number}"
name = "试用者"
number = "{person}"
born = "1951-03-08"
medical_scheme = "310"
insurances.medical = {{ state = "in_force", since = "2001-01-01", months = 310 }}

[[residents.bills]]
id = "2026112100{number:02d}"
department = "内科"
visited_on = "2026-11-21"
lines = [{{ name = "血压计", amount_fen = {amount}, kind = "own" }}]

[[cards]]
handle = "r{number}"
title = "r{number}"
resident = "r{number}"
pin = "{pin}"
"""
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643


def write_world(path: Path, residents: int) -> Path:
    """A world of so many residents, each with one bill that only the pocket can pay."""
    text = 'name = "lives"\ncity = "990001"\n'
    for number in range(1, residents + 1):
        text += _RESIDENT.format(number=number, person=_person(number), amount=BILL_FEN, pin=PIN)
    path.write_text(text)
    return path


def _person(number: int) -> str:
    digits = f"99000119510308{number:03d}"
    weighed = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=True))
    return digits + "10X98765432"[weighed % 11]


@dataclass
class Lives:
    """``fed`` and ``taken``: yuan that hands put in and took out, over all lives."""

    stack: Stack
    fed: int = 0
    taken: int = 0
    killed: int = 0
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.glass = Glass(self.stack.kiosk_dir / "screen.json")
        self.finger = Finger(self.stack, self.glass)
        self.coming = list(self.stack.world.residents)
        self.come: list[Resident] = []
        self.stack.hardware.till.recycler.load(10, TENS_MORE)
        self.content_at_start = content_yuan(self.notes)

    @property
    def notes(self) -> NoteFront:
        notes = self.stack.state().notes
        assert notes is not None
        return notes

    @property
    def data_dir(self) -> Path:
        return self.stack.plan.run_dir / "data"

    # --- one life -----------------------------------------------------------------------------------------------------

    async def live(self, rows: int | None, delay_s: float, *, cut_devices: bool = False) -> None:
        """The next resident pays; ``rows`` commits and ``delay_s`` later the kiosk is killed. None: it is left alone.

        Raises:
            Unexpected, trio.TooSlowError: another page came than a resident would see, or none.
        """
        with trio.fail_after(LIFE_S_MAX):
            await self._live(rows, delay_s, cut_devices)

    async def _live(self, rows: int | None, delay_s: float, cut_devices: bool) -> None:
        await self.glass.until("insert_card", limit_s=COMES_BACK_S_MAX)
        before, kills, began = _rows(self.data_dir), self.killed + 1, trio.current_time()
        async with trio.open_nursery() as nursery:
            if rows is not None:
                nursery.start_soon(self._kill_at, before + rows, delay_s, cut_devices, nursery.cancel_scope)
            await self._visit(self._next_resident())
            nursery.cancel_scope.cancel()
        if rows is not None and self.killed < kills:
            await self._kill(cut_devices)  # the settlement had fewer rows
        await self._tidy_up()
        took_s = trio.current_time() - began
        self.told.append(
            f"rows {rows} delay {delay_s:.3f} devices {cut_devices} took {took_s:.0f} s: {self._last_acts(before)}"
        )

    def _next_resident(self) -> Resident:
        self.come.append(self.coming.pop(0))
        return self.come[-1]

    async def _visit(self, resident: Resident) -> None:
        await self.stack.insert(resident.handle)
        await self._answer("menu", "settle_medical_bill")
        await self.glass.until("pin_entry")
        await type_pin(self.stack, PIN, "pin_pad")
        await self._answer("choose_bill", resident.bills[0].id)
        await self._answer("confirm_quote", "pay")
        await self._feed()
        while self.glass.look().question != "menu":
            if self.notes.outlet:
                self._take()
            if self.glass.look().question == "bill_settled":
                await self.finger.answer("understood")
            await trio.sleep(0.05)

    async def _answer(self, question: str, value: str) -> None:
        await self.glass.until(question, limit_s=COMES_BACK_S_MAX)
        await self.finger.answer(value)

    async def _feed(self) -> None:
        await self.glass.until("feed_notes", limit_s=COMES_BACK_S_MAX)
        while self.glass.look().question == "feed_notes":
            if self.notes.lit:
                self.stack.feed(100)
                self.fed += 100
            await trio.sleep(0.05)

    def _take(self) -> None:
        self.taken += sum(self.notes.outlet)
        self.stack.take_notes()

    # --- its end ------------------------------------------------------------------------------------------------------

    async def _kill_at(self, seq: int, delay_s: float, cut_devices: bool, visit: trio.CancelScope) -> None:
        connection = open_reader(self.data_dir).connection
        while next(iter(connection.execute("select max(seq) from entry")))[0] < seq:
            await trio.sleep(LOOK_S)
        connection.close()
        await trio.sleep(delay_s)
        await self._kill(cut_devices)
        visit.cancel()

    async def _kill(self, cut_devices: bool) -> None:
        self.killed += 1
        before = self.stack.kiosk.pid
        os.kill(before, signal.SIGKILL)
        if cut_devices:
            self.stack.hardware.power_cut()
        again = self.stack.kiosk
        await until(lambda: again.pid not in (0, before) and again.ready, COMES_BACK_S_MAX, "the kiosk again")

    async def _tidy_up(self) -> None:
        """The resident takes the card and what lies in the outlet, and goes."""
        if self.stack.hardware.inserted is not None:
            await self.stack.pull()
        await until(self._has_gone, COMES_BACK_S_MAX, "the welcome page")
        await until(self._books_have_recovered, COMES_BACK_S_MAX, "every fen has an owner")
        if self.notes.outlet:
            self._take()

    def _books_have_recovered(self) -> bool:
        """Every module has told, and what lay inside belongs to somebody."""
        reader = open_reader(self.data_dir)
        inside = list(reader.connection.execute("select 1 from purse"))
        reader.connection.close()
        return not inside and self.notes.lit is False

    def _has_gone(self) -> bool:
        for paper in self.stack.hardware.papers():
            self.stack.take_paper(paper.id)
        return self.glass.look().question == "insert_card"

    # --- what must be true --------------------------------------------------------------------------------------------

    def _last_acts(self, before: int) -> str:
        return " ".join(entry.act for entry in self.entries() if entry.seq > before)

    def entries(self) -> list[StoredEntry]:
        reader = open_reader(self.data_dir)
        found = list(reader.entries())
        reader.connection.close()
        return found

    def judge(self) -> None:
        """Between lives: nobody's money is nobody's, and journal, machine and pocket tell one story."""
        entries = self.entries()
        books = totals(posting for entry in entries for posting in entry.postings)
        assert sum(books.values()) == 0, books
        assert not any(books.get(account) for account in NEVER_LEFT), books
        held = books.get(Account.CASH_BOX, 0) + books.get(Account.DRUMS, 0)
        uncertain = sum(int((entry.facts or {}).get("unaccounted_fen", 0)) for entry in entries)
        came_out = held - (self._content_yuan() - self.content_at_start) * 100
        assert 0 <= came_out <= uncertain, (books, came_out, uncertain)  # suspense and a case (money-rules 15)
        owed = -sum(books.get(account, 0) for account in OWED)
        assert (self.fed - self.taken) * 100 == owed - came_out, (self.fed, self.taken, books)
        reader = open_reader(self.data_dir)
        assert verify(reader.connection, reader.public_key, root=reader.root).whole
        reader.connection.close()

    def needs_staff(self) -> bool:
        """The cash module may not be used before somebody has opened it."""
        return any(entry.act == "cash_needs_staff" for entry in self.entries())

    def _content_yuan(self) -> int:
        recycler = self.stack.hardware.till.recycler
        return content_yuan(self.notes) + sum(recycler.types[kind] for kind in recycler.dispenser)

    async def judge_hosts(self) -> None:
        """At the end: what is still unknown was never booked; the hospital heard of all that was, and of every debt."""
        await until(self._is_driven, DRIVEN_S_MAX, "every settlement found or reversed")
        hospital = self.stack.sandboxes["hospital"]
        assert isinstance(hospital, HospitalSandbox)
        books = totals(posting for entry in self.entries() for posting in entry.postings)
        assert self._booked_fen() == -books.get(Account.HOSPITAL, 0), books
        paid = sorted(one.bills[0].id for one in self.come if self._settled(one))

        def told() -> bool:
            known = sorted(one.bill_id for one in hospital.claims.payments())
            debts = sum(row.left_fen for one in self.come for row in hospital.debts.of_card(self._card_number(one)))
            return known == paid and debts == -books.get(Account.HOLDER_DEBT, 0)

        assert await came_true(told, DRIVEN_S_MAX), (paid, hospital.claims.payments(), books)

    def _is_driven(self) -> bool:
        """Settlements that the platform never saw stay open until the next day's detail; all else has its outcome."""
        reversed_ones = {(one.facts or {})["original"] for one in self.entries() if one.act == "reversal_intent"}
        reader = open_reader(self.data_dir)
        rows = list(reader.connection.execute("select act, key from effect join entry using (seq)"))
        reader.connection.close()
        return all(act == "settle_intent" and key in reversed_ones for act, key in rows)

    def _settled(self, resident: Resident) -> list[Row]:
        """What the platform holds for this resident's bill."""
        platform = self.stack.sandboxes["medical_insurance"]
        assert isinstance(platform, MedicalInsuranceSandbox)
        rows = platform.platform.live(platform.person_number(resident), visit_of(resident.bills[0]))
        assert len(rows) <= 1, "a bill was settled twice"
        return rows

    def _booked_fen(self) -> int:
        return sum(row.cash for one in self.come for row in self._settled(one))

    def _card_number(self, resident: Resident) -> str:
        return build_number(self.stack.world.card(resident.handle))


def _rows(data_dir: Path) -> int:
    reader = open_reader(data_dir)
    (last,) = next(iter(reader.connection.execute("select coalesce(max(seq), 0) from entry")))
    reader.connection.close()
    return int(last)


async def offline_queue(stack: Stack, *words: str) -> tuple[int, str]:
    """The auditor's own command, while the kiosk goes on: exit status and what it said."""
    command = [sys.executable, "-m", "offline_queue", "--settings", str(stack.plan.run_dir / "settings.toml"), *words]
    done = await trio.run_process(command, check=False, capture_stdout=True)
    return done.returncode, done.stdout.decode()
