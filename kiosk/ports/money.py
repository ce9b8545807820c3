"""Hosts that money goes through. Every act ends done, ``HostRefused`` (surely not done) or ``OutcomeUnknown``.

Keys and message ids are made by the caller once for each intent and journaled before the call (money-rules 3, 4); no
method repeats anything by itself.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from typing import Protocol

from kiosk.domain.card import CardIdentity, Holder
from kiosk.domain.money import Fen
from kiosk.domain.settlement import (
    Admission,
    Claim,
    Debt,
    FoundDebts,
    HeldReceipt,
    InsuredPerson,
    InvoiceCode,
    MedicalBill,
    PaidBy,
    Settlement,
    Split,
    StatementRow,
    Treatment,
    UndoneDeposit,
    UndonePayment,
)
from kiosk.domain.statement import BankRow, DebtActRow, DepositRow
from kiosk.ports.errors import OutcomeUnknown


class Hospital(Protocol):
    """The hospital whose lobby this is."""

    async def unpaid_bills(self, card: CardIdentity, holder: Holder) -> tuple[MedicalBill, ...]: ...

    async def claim(self, bill: MedicalBill, lease_key: str) -> Claim:
        """The same key returns the same claim.

        Raises:
            HostRefused: ``paid_elsewhere`` or ``claimed_elsewhere``.
        """
        ...

    async def extend(self, claim: Claim, settling: bool = False) -> Claim:
        """A lease never lapses while anything of it is UNKNOWN (money-rules 6): ``settling`` asks, right before 2207,
        for one that outlasts the day on which every unknown must be resolved (T+1), also when the terminal is dark.

        Raises:
            HostRefused: ``paid_elsewhere`` or ``claimed_elsewhere``.
        """
        ...

    async def release(self, claim: Claim) -> None: ...

    async def notify_paid(self, claim: Claim, settlement: Settlement, means: str, key: str) -> InvoiceCode:
        """The payment notice. ``means``: cash | bank_card | account. Idempotent by ``key`` for as long as the document
        says; refused with ``paid_elsewhere`` when the window was faster."""
        ...

    async def notify_undone(self, undone: UndonePayment, key: str) -> None:
        """A bill that was paid here is unpaid again (a refund by two of staff). Idempotent by ``key``."""
        ...

    async def admission(self, card: CardIdentity, holder: Holder) -> Admission | None:
        """The holder's present stay, or None: deposits are for inpatients only (money-rules 13)."""
        ...

    async def deposit(
        self, card: CardIdentity, holder: Holder, admission: str, amount_fen: Fen, paid_by: PaidBy, key: str
    ) -> str:
        """Inpatient deposit (住院预交金); returns the hospital's receipt number."""
        ...

    async def hold_receipt(self, card: CardIdentity, receipt: HeldReceipt) -> None:
        """Keep what a receipt says for its holder, by its own key. Any refusal means: this hospital keeps none."""
        ...

    async def held_receipts(self, card: CardIdentity) -> tuple[HeldReceipt, ...]:
        """Those that no terminal has taken, oldest first."""
        ...

    async def take_receipt(self, receipt_key: str, key: str) -> None:
        """From now on this terminal owes it. Raises HostRefused: ``taken`` by another key."""
        ...

    async def undo_deposit(self, undone: UndoneDeposit, key: str) -> None:
        """A deposit of this terminal is taken off its stay, once by one key: its money may go back to its holder.

        Raises:
            HostRefused: ``no_such_deposit``, ``already_undone``, ``stay_settled`` (it is part of the final bill).
        """
        ...


class PlatformStatement(Protocol):
    """What the platform booked, as the hospital got it from reconciling (3202). Read here, never submitted."""

    async def statement(self, day: date, serial_first: int, serial_last: int) -> tuple[StatementRow, ...]:
        """Acts of one day under message ids of this terminal's serials. Final only from T+1 on.

        Raises:
            HostRefused: ``not_reconciled_yet``.
        """
        ...


class BankStatement(Protocol):
    """The acquirer's file of a day. The hospital is its merchant and gives each terminal its part (INVENTED)."""

    async def bank_statement(self, day: date, terminal_id: str) -> tuple[BankRow, ...]:
        """Everything the bank has of this terminal on ``day``; final.

        Raises:
            HostRefused: ``not_reconciled_yet``.
        """
        ...


class OwnDetail(Protocol):
    """What the hospital itself has of this terminal's acts, by the keys it was told under, oldest first.

    ``days``: first and last, both counted in. Raises HostRefused: ``not_reconciled_yet``, the last is not over.
    """

    async def deposits_detail(self, days: tuple[date, date]) -> tuple[DepositRow, ...]: ...

    async def debts_detail(self, days: tuple[date, date]) -> tuple[DebtActRow, ...]: ...


class Statements(PlatformStatement, BankStatement, OwnDetail, Protocol):
    """What the hospital knows of this terminal's acts, from others and by itself."""


class DebtRegister(Protocol):
    """Where money owed to a holder is kept: register -> reserve -> pay -> confirm (money-rules 19)."""

    async def register(self, card: CardIdentity, amount_fen: Fen, reason: str, key: str) -> Debt: ...

    async def of_card(self, card: CardIdentity) -> tuple[Debt, ...]: ...

    async def reserve(self, debt: Debt, key: str) -> Debt:
        """Raises HostRefused with ``reserved_elsewhere`` or ``paid``."""
        ...

    async def confirm(self, debt: Debt, paid_fen: Fen, key: str) -> None: ...

    async def give_back(self, debt: Debt, key: str) -> None:
        """End a reserve without having paid."""
        ...


class AllDebtRegisters(Protocol):
    """Every register that this terminal is connected to; a debt says of which it is."""

    async def found_for(self, card: CardIdentity) -> FoundDebts:
        """Raises HostRefused, OutcomeUnknown: nothing was found, and one of them did not say."""
        ...

    async def reserve(self, debt: Debt, key: str) -> Debt:
        """Raises HostRefused with ``reserved_elsewhere`` or ``paid``."""
        ...


class MedicalInsurance(Protocol):
    """National medical insurance interface (国家医保), opter_type 2."""

    async def person(self, card: CardIdentity, holder: Holder) -> InsuredPerson:
        """1101 with mdtrt_cert_type 03. Raises HostRefused when no insurance of a fitting kind exists."""
        ...

    def new_message_id(self) -> str:
        """msgid from this terminal's serial range: durable counter, time part never backwards (money-rules 4)."""
        ...

    async def quote(self, person: InsuredPerson, bill: MedicalBill, use_account: bool, message_id: str) -> Split:
        """2206."""
        ...

    async def settle(self, person: InsuredPerson, bill: MedicalBill, use_account: bool, message_id: str) -> Settlement:
        """2207: books. Silence after it is UNKNOWN and is found out by ``find`` and ended by ``reverse``."""
        ...

    async def find(self, treatment: Treatment, message_id: str) -> Settlement | None:
        """5203, matched by medins_setl_id. None proves nothing (money-rules 10)."""
        ...

    async def void(self, person: InsuredPerson, settlement: Settlement, message_id: str) -> None:
        """2208: a known settlement is undone."""
        ...

    async def reverse(
        self, treatment: Treatment, original_message_id: str, original_kind: str, message_id: str
    ) -> None:
        """2601: an act whose outcome is unknown is undone. ``original_kind``: 2207 or 2208."""
        ...


@dataclass(frozen=True)
class BankPayment:
    """An approved purchase: what a void, a refund or a reversal will need."""

    trace_number: str
    batch_number: str
    reference: str  # F37
    authorization: str  # F38
    amount_fen: Fen
    card_first6_last4: str
    paid_on: str = ""  # F13, MMDD; a refund names the day


@dataclass(frozen=True)
class BankIntent:
    """Everything a 0400 needs, journaled before the first byte of an act leaves (money-rules 1, 21).

    ``pan`` and ``chip`` belong in the sealed payload only. Never track 2, never a PIN block.
    """

    kind: str  # purchase | void | refund | script_notice
    trace_number: str
    batch_number: str
    amount_fen: Fen
    processing: str  # F3
    entry_mode: str  # F22
    pan: str = field(repr=False)
    expires: str = field(repr=False)  # YYMM
    sequence: str
    chip: str = field(default="", repr=False)  # hex: F55 of a reversal, or of the notice
    reason: str = "98"  # F39 of a reversal: 98 no answer, 96 system, 06 terminal or card, A0 MAC wrong
    authorization: str = ""  # F38, once known
    reference: str = ""  # F37 of what this act refers to
    original_trace: str = ""
    original_batch: str = ""

    def facts(self) -> dict[str, str | int]:
        """For a journal entry; ``from_facts`` is its inverse."""
        return asdict(self)

    @classmethod
    def from_facts(cls, facts: Mapping[str, str | int]) -> "BankIntent":
        """Raises TypeError or KeyError where a field is missing."""
        known = {one.name: facts[one.name] for one in fields(cls)}
        return cls(**known)  # type: ignore[arg-type] # facts are what ``facts`` gave


class BankRecord(Protocol):
    """The caller's journal as the bank client needs it. Plain calls, durable on return."""

    def keep(self, intent: BankIntent) -> None:
        """Journal an intent, or what is now known of it: the newest of a trace number counts."""
        ...

    def find(self, trace_number: str) -> BankIntent | None:
        """Also after a restart."""
        ...

    def open_traces(self) -> tuple[str, ...]:
        """Acts on money without a known outcome, oldest first: each blocks every other bank act."""
        ...

    def owed_notices(self) -> tuple[BankIntent, ...]:
        """Script results that the bank has not yet taken."""
        ...

    def noticed(self, trace_number: str) -> None:
        """The bank took this script result."""
        ...


class ReversalDisputed(OutcomeUnknown):
    """The bank's answer to 0400 was 12 or 25: asking again says nothing new, only reconciliation closes it (rule 1)."""


class OpenedPurchase(Protocol):
    """A purchase whose card is open and whose PIN is given; the bank was asked nothing yet. For ``Bank.pay`` alone."""

    @property
    def amount_fen(self) -> Fen: ...

    @property
    def trace_number(self) -> str: ...


class Bank(Protocol):
    """The acquirer, with the bank application of the same card. PIN block and MAC are made in the pad."""

    async def look(self) -> None:
        """Whether a purchase with the card in the slot could begin now: keys, line, application. Moves nothing.

        Raises:
            HostRefused: why not: ``not_connected``, ``reversal_open``, ``line_down``, ``no_application`` ...
            DeviceFault, CardGone.
        """
        ...

    async def sign_on(self) -> None:
        """Fetch working keys and load them into the pad; check values compared."""
        ...

    @property
    def keys_age_s(self) -> float | None:
        """Of the working keys in the pad; None: since this process started there are none, or they are void."""
        ...

    def new_trace_number(self) -> str:
        """For one act: unique within its batch, durable before it is told. Raises HostRefused: ``batch_full``."""
        ...

    async def send_notices(self) -> None:
        """0620 for every script result that ``BankRecord.owed_notices`` names; what fails stays owed."""
        ...

    async def open_purchase(self, amount_fen: Fen, trace_number: str) -> OpenedPurchase:
        """Open the card for exactly this amount and have the bank PIN typed at the pad. Cancelling it is safe.

        Raises:
            HostRefused: ``pin_cancelled``, or as ``look``. DeviceFault, CardGone.
        """
        ...

    async def pay(self, opened: OpenedPurchase) -> BankPayment:
        """The rest of the chip payment. Once its intent is in the journal nothing cancels it any more.

        Raises:
            HostRefused: declined, and the card was told. DeviceFault, CardGone: before anything was sent.
            OutcomeUnknown: reverse it, until answered.
        """
        ...

    async def purchase(self, amount_fen: Fen, trace_number: str) -> BankPayment:
        """``open_purchase`` and ``pay`` in one."""
        ...

    async def reverse(self, trace_number: str) -> None:
        """0400 for the unknown or unwanted purchase.

        Raises:
            OutcomeUnknown: still open; it blocks every bank act. ReversalDisputed: and will be until reconciliation.
        """
        ...

    async def void(self, payment: BankPayment, trace_number: str) -> None:
        """消费撤销, same batch."""
        ...

    async def refund(self, payment: BankPayment, trace_number: str) -> None:
        """退货."""
        ...

    async def balance(self, trace_number: str) -> Fen: ...
