"""Client of the hospital: bills, claims, payment notices, deposits, and its debt register."""

from datetime import date

from kiosk.domain.card import CardIdentity, Holder
from kiosk.domain.money import Fen
from kiosk.domain.settlement import (
    Admission,
    Claim,
    Debt,
    HeldReceipt,
    InvoiceCode,
    MedicalBill,
    PaidBy,
    Settlement,
    StatementRow,
    UndoneDeposit,
    UndonePayment,
)
from kiosk.domain.statement import BankRow, DebtActRow, DepositRow
from kiosk.hosts.answers import understood
from kiosk.hosts.hospital import codec
from kiosk.hosts.hospital.details import codec as details
from kiosk.hosts.hospital.receipts import codec as receipts
from kiosk.ports import HostLink

HOST = "hospital"


class HospitalClient:
    """Implements ``ports.money.Hospital`` and ``Statements``. Every verb raises ``HostRefused`` or ``OutcomeUnknown``.

    Every act has a key, and the hospital answers the same key the same for 400 days (its document says so): after
    silence the same act may be told again by the same key. ``terminal_id``: by which its details find our acts.
    """

    def __init__(self, link: HostLink, terminal_id: str = "") -> None:
        self._link = link
        self._terminal_id = terminal_id

    async def unpaid_bills(self, card: CardIdentity, holder: Holder) -> tuple[MedicalBill, ...]:
        answer = await self._link.call("POST", codec.BILLS_PATH, body=codec.bills_question(card, holder))
        return understood(HOST, lambda: codec.unpaid_bills(answer.body))

    async def claim(self, bill: MedicalBill, lease_key: str) -> Claim:
        body = codec.claim_question(bill.bill_id)
        answer = await self._link.call("POST", codec.CLAIMS_PATH, body=body, key=lease_key)
        return understood(HOST, lambda: codec.claim(answer.body, bill.bill_id, lease_key))

    async def extend(self, claim: Claim, settling: bool = False) -> Claim:
        body = codec.extension(claim, settling=settling)
        answer = await self._link.call("POST", codec.EXTEND_PATH, body=body)
        return understood(HOST, lambda: codec.claim(answer.body, claim.bill_id, claim.lease_key))

    async def release(self, claim: Claim) -> None:
        answer = await self._link.call("POST", codec.RELEASE_PATH, body=codec.held_question(claim))
        understood(HOST, lambda: codec.done(answer.body))

    async def notify_paid(self, claim: Claim, settlement: Settlement, means: str, key: str) -> InvoiceCode:
        body = codec.payment_notice(claim, settlement, means)
        answer = await self._link.call("POST", codec.PAYMENTS_PATH, body=body, key=key)
        return understood(HOST, lambda: codec.invoice(answer.body))

    async def notify_undone(self, undone: UndonePayment, key: str) -> None:
        answer = await self._link.call("POST", codec.UNDONE_PATH, body=codec.undone_notice(undone), key=key)
        understood(HOST, lambda: codec.done(answer.body))

    async def admission(self, card: CardIdentity, holder: Holder) -> Admission | None:
        answer = await self._link.call("POST", codec.ADMISSION_PATH, body=codec.admission_question(card, holder))
        return understood(HOST, lambda: codec.admission(answer.body))

    async def deposit(
        self, card: CardIdentity, holder: Holder, admission: str, amount_fen: Fen, paid_by: PaidBy, key: str
    ) -> str:
        about = codec.deposit_question(card, holder, admission, amount_fen, paid_by)
        body = codec.told_by(about, self._terminal_id)
        answer = await self._link.call("POST", codec.DEPOSITS_PATH, body=body, key=key)
        return understood(HOST, lambda: codec.receipt_number(answer.body))

    async def undo_deposit(self, undone: UndoneDeposit, key: str) -> None:
        body = codec.told_by(codec.undone_deposit(undone), self._terminal_id)
        answer = await self._link.call("POST", codec.DEPOSIT_UNDONE_PATH, body=body, key=key)
        understood(HOST, lambda: codec.done(answer.body))

    async def hold_receipt(self, card: CardIdentity, receipt: HeldReceipt) -> None:
        body = receipts.registration(card, receipt)
        answer = await self._link.call("POST", receipts.HOLD_PATH, body=body, key=receipt.key)
        understood(HOST, lambda: codec.done(answer.body))

    async def held_receipts(self, card: CardIdentity) -> tuple[HeldReceipt, ...]:
        answer = await self._link.call("POST", receipts.OF_CARD_PATH, body=receipts.of_card_question(card))
        return understood(HOST, lambda: receipts.held_receipts(answer.body))

    async def take_receipt(self, receipt_key: str, key: str) -> None:
        answer = await self._link.call("POST", receipts.TAKE_PATH, body=receipts.taking(receipt_key), key=key)
        understood(HOST, lambda: codec.done(answer.body))

    async def statement(self, day: date, serial_first: int, serial_last: int) -> tuple[StatementRow, ...]:
        """Implements ``ports.money.PlatformStatement``."""
        body = details.statement_question(day, serial_first, serial_last)
        answer = await self._link.call("POST", details.STATEMENT_PATH, body=body)
        return understood(HOST, lambda: details.statement(answer.body, day))

    async def bank_statement(self, day: date, terminal_id: str) -> tuple[BankRow, ...]:
        """Implements ``ports.money.BankStatement``."""
        body = details.bank_statement_question(day, terminal_id)
        answer = await self._link.call("POST", details.BANK_STATEMENT_PATH, body=body)
        return understood(HOST, lambda: details.bank_statement(answer.body, day))

    async def deposits_detail(self, days: tuple[date, date]) -> tuple[DepositRow, ...]:
        """Implements ``ports.money.OwnDetail``."""
        body = details.detail_question(days, self._terminal_id)
        answer = await self._link.call("POST", details.DEPOSITS_DETAIL_PATH, body=body)
        return understood(HOST, lambda: details.deposits_detail(answer.body, days))

    async def debts_detail(self, days: tuple[date, date]) -> tuple[DebtActRow, ...]:
        """Implements ``ports.money.OwnDetail``."""
        body = details.detail_question(days, self._terminal_id)
        answer = await self._link.call("POST", details.DEBTS_DETAIL_PATH, body=body)
        return understood(HOST, lambda: details.debts_detail(answer.body, days))


class DebtRegisterClient:
    """Implements ``ports.money.DebtRegister``.

    ``key`` names one payout: reserve, and then confirm or give back, with the same one. A reserve ends by these two
    only, never by time: what was being paid when the power went may have been paid.
    """

    def __init__(self, link: HostLink, terminal_id: str = "") -> None:
        self._link = link
        self._terminal_id = terminal_id

    async def register(self, card: CardIdentity, amount_fen: Fen, reason: str, key: str) -> Debt:
        body = codec.told_by(codec.debt_registration(card, amount_fen, reason), self._terminal_id)
        answer = await self._link.call("POST", codec.DEBTS_PATH, body=body, key=key)
        return understood(HOST, lambda: codec.debt(answer.body))

    async def of_card(self, card: CardIdentity) -> tuple[Debt, ...]:
        answer = await self._link.call("POST", codec.DEBTS_OF_CARD_PATH, body=codec.debts_question(card))
        return understood(HOST, lambda: codec.debts(answer.body))

    async def reserve(self, debt: Debt, key: str) -> Debt:
        body = codec.told_by(codec.voucher_question(debt), self._terminal_id)
        answer = await self._link.call("POST", codec.RESERVE_PATH, body=body, key=key)
        return understood(HOST, lambda: codec.debt(answer.body))

    async def confirm(self, debt: Debt, paid_fen: Fen, key: str) -> None:
        body = codec.confirmation(debt, paid_fen)
        answer = await self._link.call("POST", codec.CONFIRM_PATH, body=body, key=key)
        understood(HOST, lambda: codec.done(answer.body))

    async def give_back(self, debt: Debt, key: str) -> None:
        answer = await self._link.call("POST", codec.GIVE_BACK_PATH, body=codec.voucher_question(debt), key=key)
        understood(HOST, lambda: codec.done(answer.body))
