"""Money owed to card holders, registered at the host that it was for (money-rules 19): the hospital, or the agency."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from kiosk.domain.card import CardIdentity
from kiosk.domain.entries import Facts, NewNotice, StoredEntry
from kiosk.domain.money import Fen
from kiosk.domain.settlement import HOSPITAL, Debt
from kiosk.ports import HostRefused, OutcomeUnknown
from kiosk.ports.money import DebtRegister

AGENCY = "social_insurance"
OF_CONTRIBUTIONS = "contribution_"  # how the acts of a contribution begin
BEGUN, SERVICE_ENDED = "contribution_begun", "service_ended"


def register_of(story: Iterable[StoredEntry]) -> str:
    """Whose money a case is about."""
    return AGENCY if any(entry.act.startswith(OF_CONTRIBUTIONS) for entry in story) else HOSPITAL


def register_now(story: Iterable[StoredEntry]) -> str:
    """Whose money the service is about that was cut off: one visit may have paid both."""
    register = HOSPITAL
    for entry in story:
        if entry.act in (SERVICE_ENDED, BEGUN):
            register = AGENCY if entry.act == BEGUN else HOSPITAL
    return register


def debt_notice(register: str, key: str, card_number: str, amount_fen: Fen, reason: str) -> NewNotice:
    facts: Facts = {"amount_fen": amount_fen, "reason": reason, "card_number": card_number}
    return NewNotice(register, "debt_register", key, facts, amount_fen)


class DebtRegisters:
    """Implements ``ports.DebtRegister`` over all that this terminal is connected to, by host."""

    def __init__(self, registers: Mapping[str, DebtRegister]) -> None:
        self._registers = registers

    async def register(self, card: CardIdentity, amount_fen: Fen, reason: str, key: str) -> Debt:
        """At the hospital: what belongs elsewhere goes by its notice."""
        return await self._registers[HOSPITAL].register(card, amount_fen, reason, key)

    async def of_card(self, card: CardIdentity) -> tuple[Debt, ...]:
        """A register that is silent or refuses hides nothing that another one knows; alone it is raised.

        Raises:
            HostRefused, OutcomeUnknown.
        """
        found: list[Debt] = []
        trouble: HostRefused | OutcomeUnknown | None = None
        for host, register in self._registers.items():
            try:
                found += [replace(debt, register=host) for debt in await register.of_card(card)]
            except (HostRefused, OutcomeUnknown) as problem:
                trouble = problem
        if trouble is not None and not found:
            raise trouble
        return tuple(found)

    async def reserve(self, debt: Debt, key: str) -> Debt:
        return replace(await self._registers[debt.register].reserve(debt, key), register=debt.register)

    async def confirm(self, debt: Debt, paid_fen: Fen, key: str) -> None:
        await self._registers[debt.register].confirm(debt, paid_fen, key)

    async def give_back(self, debt: Debt, key: str) -> None:
        await self._registers[debt.register].give_back(debt, key)
