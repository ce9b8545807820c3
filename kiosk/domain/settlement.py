"""A medical bill and what becomes of it: quoted, settled, paid. Amounts are fen; a host says them, never we."""

from dataclasses import dataclass
from datetime import date, datetime

from kiosk.domain.money import NOTHING, Fen


@dataclass(frozen=True)
class BillLine:
    name: str
    quantity: str  # decimal text as the hospital wrote it
    amount_fen: Fen


@dataclass(frozen=True)
class MedicalBill:
    """One unpaid bill of this hospital. ``total_fen`` is the sum of its lines."""

    bill_id: str
    department: str
    visited_on: date
    total_fen: Fen
    lines: tuple[BillLine, ...]
    visit_number: str  # mdtrt_id of the national interface
    batch_number: str  # chrg_bchno
    medical_kind: str = "11"  # med_type
    # Parts that 2207 must repeat (fulamt_ownpay_amt, overlmt_selfpay, preselfpay_amt, inscp_scp_amt)
    own_expense_fen: Fen = NOTHING
    over_limit_fen: Fen = NOTHING
    first_self_pay_fen: Fen = NOTHING
    in_scope_fen: Fen = NOTHING


@dataclass(frozen=True)
class Claim:
    """This terminal holds the bill: nobody else can settle it until released or the lease ends."""

    bill_id: str
    lease_key: str
    leased_until: datetime


@dataclass(frozen=True)
class InsuredPerson:
    """Answer of 1101, reduced to what settling needs. Only an insurance in force may settle."""

    person_number: str  # psn_no
    insured_place: str  # insuplc_admdvs
    insurance_code: str  # insutype, 310 or 390
    in_force: bool
    balance_fen: Fen
    # What identified the person at 1101; 2206 and 2207 repeat it (mdtrt_cert_type, mdtrt_cert_no)
    credential_kind: str = "03"
    credential_number: str = ""


@dataclass(frozen=True)
class Treatment:
    """What finds a settlement again at the platform; kept in the journal with every intent."""

    person_number: str
    insured_place: str
    visit_number: str


@dataclass(frozen=True)
class Split:
    """Who pays what (setlinfo of 2206 and 2207). The platform's figures are the truth (money-rules 12)."""

    total_fen: Fen
    fund_fen: Fen  # fund_pay_sumamt
    account_fen: Fen  # acct_pay
    cash_fen: Fen  # psn_cash_pay
    hospital_fen: Fen  # hosp_part_amt
    shared_account_fen: Fen = NOTHING  # acct_mulaid_pay, where acct_pay does not contain it
    balance_after_fen: Fen | None = None
    # Names of the identities that these figures break: a case for a person (money-rules 12). Empty as a rule.
    disagreements: tuple[str, ...] = ()

    def same_money(self, other: "Split") -> bool:
        """Whether everybody pays the same; the balance afterwards may have moved by itself."""
        return (self.total_fen, self.fund_fen, self.account_fen, self.cash_fen, self.hospital_fen) == (
            other.total_fen,
            other.fund_fen,
            other.account_fen,
            other.cash_fen,
            other.hospital_fen,
        )


@dataclass(frozen=True)
class Settlement:
    """What the platform booked."""

    settlement_id: str  # setl_id
    message_id: str  # our msgid, echoed as medins_setl_id
    visit_number: str
    split: Split


@dataclass(frozen=True)
class Admission:
    """A stay in this hospital that deposits are paid for."""

    number: str
    department: str
    admitted_on: date
    deposited_fen: Fen  # so far


@dataclass(frozen=True)
class UndoneDeposit:
    """A deposit that was credited here under ``deposit_key``, and is given back to its holder, whole."""

    deposit_key: str
    admission: str
    amount_fen: Fen


@dataclass(frozen=True)
class PaidBy:
    """By which means money came. The numbers are the bank's own of the purchase; all "" where notes paid."""

    means: str  # cash | bank_card
    batch_number: str = ""
    trace_number: str = ""  # F11
    reference: str = ""  # F37
    authorization: str = ""  # F38
    paid_on: str = ""  # F13, MMDD


@dataclass(frozen=True)
class StatementRow:
    """One act as the platform's own detail has it (result of 3202, submitted by the hospital). Voids are negative."""

    message_id: str
    settlement_id: str
    visit_number: str
    agrees: bool  # stmt_rslt 0: the hospital's books say the same
    undoing: bool  # refd_setl_flag 1
    total_fen: Fen
    fund_fen: Fen
    account_fen: Fen


@dataclass(frozen=True)
class UndonePayment:
    """A bill that was paid here and is unpaid again: the platform confirmed 2208 under ``message_id``."""

    bill_id: str
    settlement_id: str
    message_id: str
    total_fen: Fen
    cash_fen: Fen


@dataclass(frozen=True)
class InvoiceCode:
    """Where the resident finds the electronic medical invoice (电子票据); the receipt is none."""

    code: str
    address: str


HOSPITAL = "hospital"


@dataclass(frozen=True)
class Debt:
    """Money that is owed to a holder and registered at the host it was for, which is ``register``."""

    voucher_number: str
    amount_fen: Fen
    reason: str
    reserved_until: datetime | None = None
    register: str = HOSPITAL

    @property
    def handle(self) -> str:
        """Two registers may have the same voucher number."""
        return self.voucher_number if self.register == HOSPITAL else f"{self.register} {self.voucher_number}"


@dataclass(frozen=True)
class FoundDebts:
    """What the registers hold for one card. ``silent``: registers that did not say."""

    debts: tuple[Debt, ...]
    silent: tuple[str, ...] = ()


@dataclass(frozen=True)
class HeldReceipt:
    """What the receipt of a bill says that was settled after its holder had gone, for any terminal to print.

    ``key``: under which it was registered. ``owed_fen``: of the cash that was left for it.
    """

    key: str
    terminal_id: str
    case_code: str
    settled_on: date
    department: str
    settlement_id: str
    total_fen: Fen
    fund_fen: Fen
    account_fen: Fen
    shared_account_fen: Fen
    cash_fen: Fen
    owed_fen: Fen
