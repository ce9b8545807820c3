"""What the hospital is owed in words: payments and debts, as facts of a notice and as calls by their key."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Protocol

from kiosk.domain.card import CardIdentity
from kiosk.domain.entries import Facts, OwedNotice
from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.settlement import HOSPITAL, Claim, Debt, InvoiceCode, Settlement, Split, UndonePayment
from kiosk.money.means import ACCOUNT, CASH
from kiosk.ports import HostRefused


class PaymentDesk(Protocol):
    """The part of ``ports.Hospital`` that notices need."""

    async def notify_paid(self, claim: Claim, settlement: Settlement, means: str, key: str) -> InvoiceCode: ...

    async def release(self, claim: Claim) -> None: ...

    async def notify_undone(self, undone: UndonePayment, key: str) -> None: ...


class DebtDesk(Protocol):
    """The part of ``ports.DebtRegister`` that notices need."""

    async def register(self, card: CardIdentity, amount_fen: Fen, reason: str, key: str) -> Debt: ...
    async def confirm(self, debt: Debt, paid_fen: Fen, key: str) -> None: ...
    async def give_back(self, debt: Debt, key: str) -> None: ...


Delivery = Callable[[OwedNotice], Awaitable[object]]
NOT_OURS = ("reserved_elsewhere", "paid", "no_such_debt")


def means_of(split: Split) -> str:
    """How the resident's part was paid, in the hospital's words, where no bank had to do with it."""
    return CASH if split.cash_fen else ACCOUNT


def payment_facts(settlement: Settlement, bill_id: str, lease_key: str, means: str = "") -> dict[str, str | int]:
    """All that ``Hospital.notify_paid`` needs after a restart; ``paid_settlement`` is the inverse."""
    split = settlement.split
    return {
        "bill": bill_id,
        "lease": lease_key,
        "message_id": settlement.message_id,
        "settlement_id": settlement.settlement_id,
        "visit_number": settlement.visit_number,
        "total_fen": split.total_fen,
        "fund_fen": split.fund_fen,
        "account_fen": split.account_fen,
        "shared_account_fen": split.shared_account_fen,
        "cash_fen": split.cash_fen,
        "hospital_fen": split.hospital_fen,
        "means": means or means_of(split),
    }


def payment_undone_facts(refund: Facts) -> dict[str, str | int]:
    """Of a refund's facts, all that ``Hospital.notify_undone`` needs."""
    return {name: refund[name] for name in ("bill", "settlement_id", "message_id", "total_fen", "cash_fen")}


def hospital_notices(hospital: PaymentDesk, register: DebtDesk) -> dict[tuple[str, str], Delivery]:
    """For ``kiosk.forwarder.notices``: each repeats safely by its key, as the hospital's document promises."""

    async def payment(notice: OwedNotice) -> None:
        claim, settlement = paid_settlement(notice.facts)
        means = str(notice.facts.get("means") or means_of(settlement.split))
        await hospital.notify_paid(claim, settlement, means, notice.key)

    async def release(notice: OwedNotice) -> None:
        await hospital.release(leased(notice.facts))

    async def undone(notice: OwedNotice) -> None:
        await hospital.notify_undone(_undone(notice.facts), notice.key)

    return {
        ("hospital", "payment"): payment,
        ("hospital", "release"): release,
        ("hospital", "payment_undone"): undone,
        **debt_notices(HOSPITAL, register),
    }


def debt_notices(host: str, register: DebtDesk) -> dict[tuple[str, str], Delivery]:
    """Of the register that ``host`` keeps."""

    async def debt(notice: OwedNotice) -> None:
        facts = notice.facts
        owed = Fen(int(facts["amount_fen"]))
        await register.register(_card(str(facts["card_number"])), owed, str(facts["reason"]), notice.key)

    async def paid_out(notice: OwedNotice) -> None:
        await register.confirm(_voucher(notice.facts), Fen(int(notice.facts["paid_fen"])), notice.key)

    async def given_up(notice: OwedNotice) -> None:
        try:
            await register.give_back(_voucher(notice.facts), notice.key)
        except HostRefused as refusal:
            if refusal.code not in NOT_OURS:  # the reserve never reached the register: there is nothing to give back
                raise

    return {(host, "debt_register"): debt, (host, "debt_confirm"): paid_out, (host, "debt_give_back"): given_up}


def _undone(facts: Facts) -> UndonePayment:
    return UndonePayment(
        str(facts["bill"]),
        str(facts["settlement_id"]),
        str(facts["message_id"]),
        Fen(int(facts["total_fen"])),
        Fen(int(facts["cash_fen"])),
    )


def _voucher(facts: Facts) -> Debt:
    """A payout is told by its voucher and key; what else the register knows of the debt is its own."""
    return Debt(str(facts["voucher"]), NOTHING, "")


def leased(facts: Facts) -> Claim:
    """Named by bill and key; when the lease ends does not matter any more to whoever gives it back or has paid."""
    return Claim(str(facts["bill"]), str(facts["lease"]), datetime.fromtimestamp(0, UTC))


def paid_settlement(facts: Facts) -> tuple[Claim, Settlement]:
    """Raises KeyError: not the facts of ``payment_facts``."""

    def fen(name: str) -> Fen:
        return Fen(int(facts[name]))

    split = Split(
        fen("total_fen"),
        fen("fund_fen"),
        fen("account_fen"),
        fen("cash_fen"),
        fen("hospital_fen"),
        fen("shared_account_fen"),
    )
    settlement = Settlement(str(facts["settlement_id"]), str(facts["message_id"]), str(facts["visit_number"]), split)
    return leased(facts), settlement


def _card(card_number: str) -> CardIdentity:
    """A card that nobody holds before us now: its number is all that a debt is kept under."""
    return CardIdentity(b"", card_number, "", None, None, b"")
