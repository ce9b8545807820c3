"""One resident pays one medical bill in notes and takes the change; every book that holds a fen of it is compared."""

import json
import sys
import urllib.request
from dataclasses import dataclass
from functools import partial
from typing import Any

import trio

from simulators.front_panel.front import NoteFront
from simulators.hosts.hospital import HospitalSandbox
from simulators.hosts.medical_insurance import MedicalInsuranceSandbox, visit_of
from simulators.hosts.medical_insurance_books import Row
from simulators.smoke.hands import REACTION_S
from simulators.smoke.visit import PAPER_S_MAX, Visit
from simulators.waiting import came_true
from simulators.worlds.world import BillEntry

PAGE_S_MAX = 60.0  # under a slow host every page takes several of its answers
NOTE_S_MAX = 20.0
CHANGE_S_MAX = 90.0
BOOKED_S_MAX = 60.0
HEARD_OF_S_MAX = 60.0
FED_YUAN = 100
NOTES_MAX = 20
HOST_SLOW_S = 2.0


@dataclass
class BillVisit(Visit):
    """``flapping``: hosts are slow, and the answer to the settlement itself gets lost."""

    flapping: bool = False

    async def go(self) -> None:
        """Raises Unexpected, CheckFailed."""
        await self._see("insert_card")
        await self.stack.insert(self.card.handle)
        await self._see("menu")
        before = content_yuan(self._notes)
        if self.flapping:
            self.stack.weather.change(slow_s=HOST_SLOW_S)
        try:
            bill, fed, change = await self._pay_a_bill()
        finally:
            self.stack.weather.clear()
        await self._judge(bill, fed, change, content_yuan(self._notes) - before)
        await self._leave()

    # --- what the resident does -----------------------------------------------------------------------------------

    async def _pay_a_bill(self) -> tuple[BillEntry, int, int]:
        """The bill, and yuan: fed, and change taken."""
        bill = await self._agree_to_a_bill()
        await self.glass.until("choose_means", "feed_notes", limit_s=PAGE_S_MAX)
        if self.glass.look().question == "choose_means":
            await self._answer("cash", "feed_notes", limit_s=PAGE_S_MAX)
        await self._see("feed_notes")
        async with self.record.step("notes_to_change"):
            fed = await self._feed()
            change = await self._take_change(bill)
        await self.glass.until("bill_settled", limit_s=PAGE_S_MAX)
        await self._see("bill_settled")
        await self._answer("understood", "menu")
        return bill, fed, change

    async def _agree_to_a_bill(self) -> BillEntry:
        """The first that is not paid yet, up to the agreement to its figures."""
        bill = next(bill for bill in self._resident.bills if self._hospital.claims.payment(bill.id) is None)
        await self._answer("settle_medical_bill", "pin_entry")
        await self._type("pin_to_bills", "choose_bill", self.pin, limit_s=PAGE_S_MAX)
        await self._answer(bill.id, "confirm_quote", step="quote", limit_s=PAGE_S_MAX)
        await self.hands.answer("pay")
        return bill

    async def _feed(self) -> int:
        """Notes of 100 by the front panel's page, one after another, until no more are asked for."""
        for fed in range(NOTES_MAX):
            await came_true(lambda: self._notes.lit or not self._is_asked_for_notes, NOTE_S_MAX)
            if not self._is_asked_for_notes:
                return fed * FED_YUAN
            if self.flapping:
                self.stack.weather.change(drop_answer=True, only=frozenset({"medical_insurance"}))
            inside = content_yuan(self._notes)
            await self._act("feed", {"note": FED_YUAN})
            self.record.check("note_is_inside", await came_true(partial(self._more_inside, inside), NOTE_S_MAX))
            await trio.sleep(REACTION_S)  # reads what is still to go
        return NOTES_MAX * FED_YUAN

    async def _take_change(self, bill: BillEntry) -> int:
        if self.flapping:
            await came_true(lambda: bool(self._booked(bill)), BOOKED_S_MAX)
            self.stack.weather.change(drop_answer=False)
        self.record.check("change_comes", await came_true(lambda: bool(self._notes.outlet), CHANGE_S_MAX))
        await self._see("notes_coming")
        change = sum(self._notes.outlet)
        await self._act("take_notes", {})
        return change

    # --- what must be true afterwards -----------------------------------------------------------------------------

    async def _judge(self, bill: BillEntry, fed: int, change: int, more_inside: int) -> None:
        booked = self._booked(bill)
        self.record.check("platform_booked_once", len(booked) == 1)
        cash = booked[0].cash
        told = await came_true(lambda: self._hospital.claims.payment(bill.id) is not None, BOOKED_S_MAX)
        payment = self._hospital.claims.payment(bill.id)
        self.record.check("hospital_has_the_payment", told and payment is not None)
        assert payment is not None
        self.record.check("paid_in_cash", (payment.means, payment.settlement_id) == ("cash", booked[0].setl_id))
        self.record.check("change_is_right", change == (fed * 100 - cash) // 100)
        self.record.check("notes_inside_are_right", more_inside == fed - change)
        await self._judge_receipt(cash, change)
        self.record.check("journal_is_whole", await self._journal_is_whole())

    async def _judge_receipt(self, cash: int, change: int) -> None:
        printer = self.stack.hardware.printer
        self.record.check("receipt_came", await came_true(lambda: bool(self.stack.hardware.papers()), PAPER_S_MAX))
        paper = printer.papers[-1]
        self.record.keep("receipt.png", paper.png)
        self.record.keep("receipt.txt", paper.text.encode())
        bare = paper.text.replace(" ", "")
        amounts = (f"{cash / 100:,.2f}", f"{change:,.2f}")
        self.record.check("receipt_tells_both", paper.whole and all(amount in bare for amount in amounts))
        self.record.check("agency_books_the_code", await self._agency_books(paper.codes))
        self.stack.take_paper(paper.id)

    async def _agency_books(self, codes: tuple[str, ...]) -> bool:
        """By the agency's own command, as soon as its ledger has heard of this terminal."""
        run_dir = str(self.stack.plan.run_dir)
        command = [sys.executable, "-m", "simulators", "import-receipt", "--run-dir", run_dir, *codes]
        with trio.move_on_after(HEARD_OF_S_MAX):
            while codes:
                done = await trio.run_process(command, check=False, capture_stdout=True, capture_stderr=True)
                if done.returncode == 0:
                    return True
                await trio.sleep(1)
        return False

    async def _journal_is_whole(self) -> bool:
        """By the auditor's own command, while the kiosk goes on."""
        settings = str(self.stack.plan.run_dir / "settings.toml")
        command = [sys.executable, "-m", "offline_queue", "--settings", settings, "verify"]
        done = await trio.run_process(command, check=False, capture_stdout=True, capture_stderr=True)
        self.record.keep("journal.txt", done.stdout + done.stderr)
        return done.returncode == 0

    # --- where it looks -------------------------------------------------------------------------------------------

    @property
    def _notes(self) -> NoteFront:
        notes = self.stack.state().notes
        assert notes is not None
        return notes

    def _more_inside(self, before_yuan: int) -> bool:
        return content_yuan(self._notes) > before_yuan

    @property
    def _is_asked_for_notes(self) -> bool:
        return self.glass.look().question == "feed_notes"

    @property
    def _hospital(self) -> HospitalSandbox:
        hospital = self.stack.sandboxes["hospital"]
        assert isinstance(hospital, HospitalSandbox)
        return hospital

    @property
    def _platform(self) -> MedicalInsuranceSandbox:
        platform = self.stack.sandboxes["medical_insurance"]
        assert isinstance(platform, MedicalInsuranceSandbox)
        return platform

    def _booked(self, bill: BillEntry) -> list[Row]:
        person = self._platform.person_number(self._resident)
        return self._platform.platform.live(person, visit_of(bill))

    async def _act(self, path: str, body: dict[str, Any]) -> None:
        """As the page does it."""
        request = urllib.request.Request(f"{self.stack.url}/api/{path}", json.dumps(body).encode(), method="POST")  # noqa: S310 - our own page
        await trio.to_thread.run_sync(lambda: urllib.request.urlopen(request, timeout=10).close())  # noqa: S310 - our own page


def content_yuan(notes: NoteFront) -> int:
    return notes.box_yuan + sum(yuan * count for yuan, count in notes.drums)
