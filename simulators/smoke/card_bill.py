"""One resident pays one medical bill by bank card; bank, platform, hospital and receipt must agree."""

from dataclasses import dataclass

from simulators.hardware import PIN_PAD
from simulators.hosts.bank_books import BookedAct
from simulators.smoke.bill import BOOKED_S_MAX, PAGE_S_MAX, BillVisit
from simulators.smoke.hands import type_pin
from simulators.smoke.visit import PAPER_S_MAX
from simulators.waiting import came_true
from simulators.worlds.world import BankAccount, BillEntry

NOTICE_S_MAX = 60.0
HOST_SLOW_S = 1.0


@dataclass
class CardBillVisit(BillVisit):
    """``flapping``: every host is slow, the bank too, and the answer to the settlement itself gets lost."""

    _paid_before: int = 0
    _notices_before: int = 0

    async def go(self) -> None:
        """Raises Unexpected, CheckFailed."""
        await self._see("insert_card")
        await self.stack.insert(self.card.handle)
        await self._see("menu")
        balance_before = self._balance_fen
        self._paid_before, self._notices_before = len(self._all_standing()), len(self.stack.bank.books.notices())
        if self.flapping:
            self.stack.weather.change(slow_s=HOST_SLOW_S)
        try:
            bill = await self._pay_by_card()
        finally:
            self.stack.weather.clear()
        await self._judge_payment(bill, balance_before - self._balance_fen)
        await self._leave()
        if self._account.script != "none" and not self.flapping:
            self.record.check("bank_was_told_of_its_script", await came_true(self._script_told, NOTICE_S_MAX))

    async def _pay_by_card(self) -> BillEntry:
        bill = await self._agree_to_a_bill()
        await self.glass.until("choose_means", limit_s=PAGE_S_MAX)
        await self._see("choose_means")
        if self.flapping:
            self.stack.weather.change(drop_answer=True, only=frozenset({"medical_insurance"}))
        await self.hands.answer("bank_card")
        if self.flapping:
            self.record.check("platform_booked", await came_true(lambda: bool(self._booked(bill)), BOOKED_S_MAX))
            self.stack.weather.change(drop_answer=False, only=frozenset())
        await self.glass.until("bank_pin", limit_s=PAGE_S_MAX)
        await self._see("bank_pin")
        self.record.check("bank_is_asked_after_the_platform", bool(self._booked(bill)) and not self._standing())
        async with self.record.step("bank_pin_to_settled"):
            await type_pin(self.stack, self._account.pin, PIN_PAD)  # in mode A too: never at the reader's own pad
            await self.glass.until("bill_settled", limit_s=PAGE_S_MAX)
        await self._see("bill_settled")
        await self._answer("understood", "menu")
        return bill

    # --- what must be true afterwards -----------------------------------------------------------------------------

    async def _judge_payment(self, bill: BillEntry, taken_fen: int) -> None:
        booked, standing = self._booked(bill), self._standing()
        self.record.check("platform_booked_once", len(booked) == 1)
        self.record.check("bank_booked_once", len(standing) == 1)
        due, act = booked[0].cash, standing[0]
        self.record.check("bank_took_what_is_due", (act.kind, act.amount_fen, taken_fen) == ("purchase", due, due))
        told = await came_true(lambda: self._hospital.claims.payment(bill.id) is not None, BOOKED_S_MAX)
        payment = self._hospital.claims.payment(bill.id)
        self.record.check("hospital_has_the_payment", told and payment is not None)
        assert payment is not None
        self.record.check("paid_by_card", (payment.means, payment.settlement_id) == ("bank_card", booked[0].setl_id))
        await self._judge_paper(act)
        self.record.check("journal_is_whole", await self._journal_is_whole())

    async def _judge_paper(self, act: BookedAct) -> None:
        printer = self.stack.hardware.printer
        self.record.check("receipt_came", await came_true(lambda: bool(self.stack.hardware.papers()), PAPER_S_MAX))
        paper = printer.papers[-1]
        self.record.keep("receipt.png", paper.png)
        self.record.keep("receipt.txt", paper.text.encode())
        bare = paper.text.replace(" ", "")
        told = (f"{act.amount_fen / 100:,.2f}", act.reference, act.pan[:6], act.pan[-4:])
        self.record.check("receipt_tells_the_payment", paper.whole and all(one in bare for one in told))
        self.record.check("receipt_hides_the_card", act.pan not in bare)
        self.stack.take_paper(paper.id)

    # --- where it looks -------------------------------------------------------------------------------------------

    @property
    def _account(self) -> BankAccount:
        account = self.stack.world.bank_account(self.card.handle)
        assert account is not None, "the payer was cast for it"
        return account

    @property
    def _balance_fen(self) -> int:
        return self.stack.bank.books.balance_fen(self._account.pan)

    def _standing(self) -> list[BookedAct]:
        """What this card paid since the pass began, and the bank still has."""
        return self._all_standing()[self._paid_before :]

    def _all_standing(self) -> list[BookedAct]:
        return [act for act in self.stack.bank.books.acts(self._account.pan) if act.state == "booked"]

    def _script_told(self) -> bool:
        return len(self.stack.bank.books.notices()) > self._notices_before
