"""The hospital's own side in memory: a stay that takes deposits, and the register of debts, as its document says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from kiosk.domain.money import Fen
from kiosk.domain.settlement import Admission, Debt, HeldReceipt, PaidBy, UndoneDeposit
from kiosk.money.held_receipts import receipt_notices
from kiosk.money.hospital_notices import DebtDesk, PaymentDesk, hospital_notices
from kiosk.ports import HostRefused, OutcomeUnknown
from offline_queue.journal import SqliteJournal
from tests.flows.money import Office

STAY = Admission("ZY20261101", "心内科", date(2026, 11, 16), Fen(50_000))
TERMINAL = "T0000001"
RESERVED_UNTIL = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass
class HospitalOffice(Office):
    """``deposit_habit``: credits | refuses | credits_silently | ignores.

    ``register_habit``: answers | reserves_silently | silent | refuses. Both books dedupe by key.
    """

    stay: Admission | None = STAY
    deposit_habit: str = "credits"
    register_habit: str = "answers"
    before_deposit: Callable[[], object] = lambda: None  # what happens just before a deposit is asked for
    counter_pays: int = 0  # of a debt, just before a terminal reserves it
    deposits: dict[str, int] = field(default_factory=dict)
    registered: dict[str, Debt] = field(default_factory=dict)  # by voucher number
    reserved_by: dict[str, str] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)  # key of a payout -> what it paid
    told: list[str] = field(default_factory=list)
    held: dict[str, HeldReceipt] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)  # key of a receipt -> of its taking
    keeps_receipts: bool = True
    before_take: Callable[[], object] = lambda: None  # what happens just before a terminal takes one
    asked_with: list[tuple[str, str]] = field(default_factory=list)
    undo_habit: str = "undoes"  # undoes | refuses | undoes_silently | ignores
    undone: dict[str, str] = field(default_factory=dict)  # key of a deposit -> key that undid it
    deposits_by: list[PaidBy] = field(default_factory=list)  # by which means, each time a deposit was told

    def owes(self, amount: int, reason: str = "change", reserved: bool = False) -> Debt:
        """A debt that the register holds from the start."""
        number = f"QK{len(self.registered) + 1:08d}"
        debt = Debt(number, Fen(amount), reason)
        self.registered[number] = debt
        if reserved:
            self.reserved_by[number] = "another terminal"
        return self._shown(debt)

    # Deposits

    async def admission(self, card: Any, holder: Any) -> Admission | None:
        await self._request("admission")
        self._answer("admission")
        return self.stay

    async def deposit(self, card: Any, holder: Any, admission: str, amount_fen: Fen, paid_by: PaidBy, key: str) -> str:
        await self._request("deposit")
        self.before_deposit()
        self.deposits_by.append(paid_by)
        self.asked_with.append((key, holder.social_security_number))
        known = key in self.deposits
        if not known and self.deposit_habit == "refuses":
            raise HostRefused("hospital", "no_such_admission")
        if known and self.deposits[key] != amount_fen:
            raise HostRefused("hospital", "key_reused")
        if self.deposit_habit != "ignores":
            self.deposits[key] = amount_fen
        if self.deposit_habit in ("ignores", "credits_silently"):
            raise OutcomeUnknown("hospital", "silence")
        self._answer("deposit")
        return f"YJ{list(self.deposits).index(key) + 1:010d}"

    async def undo_deposit(self, undone: UndoneDeposit, key: str) -> None:
        await self._request("undo deposit")
        if self.undo_habit == "refuses":
            raise HostRefused("hospital", "stay_settled")
        if self.undo_habit == "ignores":
            raise OutcomeUnknown("hospital", "silence")
        if self.undone.setdefault(undone.deposit_key, key) != key:
            raise HostRefused("hospital", "already_undone")
        if self.undo_habit == "undoes_silently":
            raise OutcomeUnknown("hospital", "silence")
        self._answer("undo deposit")

    async def notify_undone(self, undone: Any, key: str) -> None:
        await self._request("undone")
        self.told.append(key)

    # Receipts

    async def _receipts_asked(self, name: str) -> None:
        await self._request(name)
        if not self.keeps_receipts:
            raise HostRefused("hospital", "no_such_path")

    async def hold_receipt(self, card: Any, receipt: HeldReceipt) -> None:
        await self._receipts_asked("hold receipt")
        self.held.setdefault(receipt.key, receipt)
        self._answer("hold receipt")

    async def held_receipts(self, card: Any) -> tuple[HeldReceipt, ...]:
        await self._receipts_asked("receipts")
        return tuple(one for key, one in self.held.items() if key not in self.taken)

    async def take_receipt(self, receipt_key: str, key: str) -> None:
        await self._receipts_asked("take receipt")
        self.before_take()
        if self.taken.setdefault(receipt_key, key) != key:
            raise HostRefused("hospital", "taken")
        self._answer("take receipt")

    # Register

    async def register(self, card: Any, amount_fen: Fen, reason: str, key: str) -> Debt:
        await self._request("register")
        assert amount_fen > 0, "the register's document knows no other debts"
        if key not in self.told:
            self.told.append(key)
            self.owes(amount_fen, reason)
        self._answer("register")
        return list(self.registered.values())[-1]

    async def of_card(self, card: Any) -> tuple[Debt, ...]:
        await self._request("debts")
        if self.register_habit == "silent":
            raise OutcomeUnknown("hospital", "silence")
        if self.register_habit == "refuses":
            raise HostRefused("hospital", "not_found")
        self._answer("debts")
        return tuple(self._shown(debt) for debt in self.registered.values() if debt.amount_fen)

    async def reserve(self, debt: Debt, key: str) -> Debt:
        await self._request("reserve")
        number = debt.voucher_number
        if key in self.ended:
            raise HostRefused("hospital", "paid")
        if self.reserved_by.get(number, key) != key:
            raise HostRefused("hospital", "reserved_elsewhere")
        self.reserved_by[number] = key
        known = self.registered[number]
        self.registered[number] = replace(known, amount_fen=Fen(known.amount_fen - self.counter_pays))
        self.counter_pays = 0
        if self.register_habit == "reserves_silently":
            raise OutcomeUnknown("hospital", "silence")
        self._answer("reserve")
        return self._shown(self.registered[number])

    async def confirm(self, debt: Debt, paid_fen: Fen, key: str) -> None:
        await self._request("confirm")
        number = debt.voucher_number
        if key not in self.ended:
            if self.reserved_by.get(number) != key:
                raise HostRefused("hospital", "reserved_elsewhere")
            self._end(number, key, paid_fen)
        assert self.ended[key] == paid_fen
        self._answer("confirm")

    async def give_back(self, debt: Debt, key: str) -> None:
        await self._request("give back")
        number = debt.voucher_number
        if key not in self.ended and self.reserved_by.get(number, key) == key:
            self._end(number, key, Fen(0))
        self._answer("give back")

    def _end(self, number: str, key: str, paid: Fen) -> None:
        debt = self.registered[number]
        self.registered[number] = replace(debt, amount_fen=Fen(debt.amount_fen - paid))
        self.reserved_by.pop(number, None)
        self.ended[key] = paid

    def _shown(self, debt: Debt) -> Debt:
        reserved = debt.voucher_number in self.reserved_by
        return replace(self.registered[debt.voucher_number], reserved_until=RESERVED_UNTIL if reserved else None)

    @property
    def owed_fen(self) -> int:
        return sum(debt.amount_fen for debt in self.registered.values())


async def deliver_all(journal: SqliteJournal, hospital: PaymentDesk, register: DebtDesk | None = None) -> None:
    """Tell the hospital everything that it is owed, as ``kiosk.forwarder.notices`` does it, until nothing is left."""
    deliveries = hospital_notices(hospital, register or hospital)  # type: ignore[arg-type] # the office is both
    deliveries |= receipt_notices(hospital, TERMINAL)  # type: ignore[arg-type] # and keeps receipts
    while (notice := journal.outbox.due("hospital")) is not None:
        await deliveries["hospital", notice.act](notice)
        journal.outbox.told(notice.key)
