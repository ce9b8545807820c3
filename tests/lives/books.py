"""What must be true of all books: journal, platform, hospital, bank, and the notes that lie in the machine."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import apsw
import trio

from kiosk.domain.books import Account, totals
from kiosk.domain.entries import StoredEntry
from offline_queue.reader import open_reader
from offline_queue.verify import verify
from simulators.cards.chip import build_number
from simulators.hosts.hospital import HospitalSandbox
from simulators.hosts.medical_insurance import MedicalInsuranceSandbox, visit_of
from simulators.hosts.medical_insurance_books import Row
from simulators.smoke.bill import content_yuan
from simulators.stack import Stack
from simulators.waiting import came_true, until
from simulators.worlds.world import Resident
from tests.lives.visitor import Visitor
from tests.lives.world import Errand

NEVER_LEFT = (Account.RESIDENT, Account.ESCROW, Account.SURPLUS, Account.SHORTAGE)
OWED = (Account.HOSPITAL, Account.HOLDER_DEBT, Account.SUSPENSE)
DRIVEN_S_MAX = 150.0


@dataclass
class Books:
    """``come``: who was here, and for what."""

    stack: Stack
    visitor: Visitor
    come: list[tuple[Errand, Resident]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.content_at_start = content_yuan(self.visitor.notes)
        hospital, platform = self.stack.sandboxes["hospital"], self.stack.sandboxes["medical_insurance"]
        assert isinstance(hospital, HospitalSandbox) and isinstance(platform, MedicalInsuranceSandbox)
        self.hospital, self.platform = hospital, platform

    @property
    def data_dir(self) -> Path:
        return self.stack.plan.run_dir / "data"

    # --- the journal's file -------------------------------------------------------------------------------------------

    def entries(self) -> list[StoredEntry]:
        reader = open_reader(self.data_dir)
        found = list(reader.entries())
        reader.connection.close()
        return found

    def rows(self) -> int:
        with self.reading() as connection:
            return newest_row(connection)

    def acts_since(self, seq: int) -> str:
        return " ".join(entry.act for entry in self.entries() if entry.seq > seq)

    def have_recovered(self) -> bool:
        """Every module has told, what lay inside belongs to somebody, and no act at the bank is in doubt."""
        return not self._ask("select 1 from purse") and "bank_intent" not in dict(self._open())

    def needs_staff(self) -> bool:
        """The cash module may not be used before somebody has opened it."""
        return any(entry.act == "cash_needs_staff" for entry in self.entries())

    def _open(self) -> list[tuple[str, str]]:
        return [(str(act), str(key)) for act, key in self._ask("select act, key from effect join entry using (seq)")]

    def _ask(self, question: str) -> list[tuple[object, ...]]:
        with self.reading() as connection:
            return list(connection.execute(question))

    @contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        connection = open_reader(self.data_dir).connection
        try:
            yield connection
        finally:
            connection.close()

    def _totals(self) -> dict[Account, int]:
        return dict(totals(posting for entry in self.entries() for posting in entry.postings))

    # --- between lives ------------------------------------------------------------------------------------------------

    def judge(self) -> None:
        """Nobody's money is nobody's, and journal, machine, pocket and bank tell one story."""
        books = self._totals()
        assert sum(books.values()) == 0, books
        assert not any(books.get(account) for account in NEVER_LEFT), books
        held = books.get(Account.CASH_BOX, 0) + books.get(Account.DRUMS, 0)
        uncertain = sum(int((entry.facts or {}).get("unaccounted_fen", 0)) for entry in self.entries())
        came_out = held - (self._content_yuan() - self.content_at_start) * 100
        assert 0 <= came_out <= uncertain, (books, came_out, uncertain)  # suspense and a case (money-rules 15)
        at_bank = sum(self._bank_took(one) for _, one in self.come)
        assert books.get(Account.BANK_CLEARING, 0) == at_bank, (books, at_bank)
        given = (self.visitor.fed - self.visitor.taken) * 100 + at_bank
        owed = -sum(books.get(account, 0) for account in OWED)
        assert given == owed - came_out, (self.visitor.fed, self.visitor.taken, books)
        reader = open_reader(self.data_dir)
        assert verify(reader.connection, reader.public_key, root=reader.root).whole
        reader.connection.close()

    def _content_yuan(self) -> int:
        recycler = self.stack.hardware.till.recycler
        return content_yuan(self.visitor.notes) + sum(recycler.types[kind] for kind in recycler.dispenser)

    def _bank_took(self, resident: Resident) -> int:
        """What the bank still has of this card, in fen."""
        account = self.stack.world.bank_account(resident.handle)
        if account is None:
            return 0
        standing = [act for act in self.stack.bank.books.acts(account.pan) if act.state == "booked"]
        assert len(standing) <= 1, "a card paid twice"
        return sum(act.amount_fen for act in standing)

    # --- at the end ---------------------------------------------------------------------------------------------------

    async def judge_hosts(self) -> None:
        """What is still unknown was never booked; the hospital heard of all that was, and of every debt."""
        await until(self._is_driven, DRIVEN_S_MAX, "every settlement and deposit found, told or undone")
        books = self._totals()
        settled = [one for errand, one in self.come if not errand.is_deposit and self._settled(one)]
        booked = sum(row.cash for one in settled for row in self._settled(one))
        assert booked + self._deposited_fen() == -books.get(Account.HOSPITAL, 0), books
        self._judge_cards()
        paid = sorted(one.bills[0].id for one in settled)

        def told() -> bool:
            known = sorted(one.bill_id for one in self.hospital.claims.payments())
            numbers = [build_number(self.stack.world.card(one.handle)) for _, one in self.come]
            debts = sum(row.left_fen for number in numbers for row in self.hospital.debts.of_card(number))
            return known == paid and debts == -books.get(Account.HOLDER_DEBT, 0)

        assert await came_true(told, DRIVEN_S_MAX), (paid, self.hospital.claims.payments(), books)

    def _judge_cards(self) -> None:
        """A bank account paid exactly what its holder got for it, and nobody got anything for nothing."""
        for errand, resident in self.come:
            if errand.by_card:
                got = self._deposit_of(resident) if errand.is_deposit else sum(r.cash for r in self._settled(resident))
                assert self._bank_took(resident) == got, (errand, resident.handle, got)

    def _is_driven(self) -> bool:
        """Settlements that the platform never saw stay open until the next day's detail; all else has its outcome."""
        reversed_ones = {(one.facts or {})["original"] for one in self.entries() if one.act == "reversal_intent"}
        return all(act == "settle_intent" and key in reversed_ones for act, key in self._open())

    def _settled(self, resident: Resident) -> list[Row]:
        """What the platform holds for this resident's bill."""
        rows = self.platform.platform.live(self.platform.person_number(resident), visit_of(resident.bills[0]))
        assert len(rows) <= 1, "a bill was settled twice"
        return rows

    def _deposited_fen(self) -> int:
        return sum(self._deposit_of(one) for errand, one in self.come if errand.is_deposit)

    def _deposit_of(self, resident: Resident) -> int:
        made = [fen for admission, fen in self.hospital.claims.deposits() if admission == resident.admission]
        assert len(made) <= 1, "a deposit was credited twice"
        return sum(made)

    async def offline_queue(self, *words: str) -> tuple[int, str]:
        """The auditor's own command, while the kiosk goes on: exit status and what it said."""
        command = [sys.executable, "-m", "offline_queue", "--settings", str(self.stack.plan.run_dir / "settings.toml")]
        done = await trio.run_process([*command, *words], check=False, capture_stdout=True)
        return done.returncode, done.stdout.decode()


def newest_row(connection: apsw.Connection) -> int:
    return int(next(iter(connection.execute("select coalesce(max(seq), 0) from entry")))[0])


_OF_THE_VISIT = """
    select act from entry where seq > ?1 and case_code = (
        select case_code from entry where seq > ?1 and act = 'visit_opened' order by seq limit 1
    )
"""


def reached(connection: apsw.Connection, at: int | str, before: int) -> bool:
    """Whether the visit that began after row ``before`` has so many rows, or did this."""
    acts = [act for (act,) in connection.execute(_OF_THE_VISIT, (before,))]
    return len(acts) >= at if isinstance(at, int) else at in acts
