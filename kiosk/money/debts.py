"""Money owed to card holders, registered at the host that it was for (money-rules 19): the hospital, or the agency."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from kiosk.domain.card import CardIdentity
from kiosk.domain.entries import Facts, NewNotice, StoredEntry
from kiosk.domain.money import Fen
from kiosk.domain.settlement import HOSPITAL, Debt, FoundDebts
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
    """Implements ``ports.money.AllDebtRegisters``, by host."""

    def __init__(self, registers: Mapping[str, DebtRegister]) -> None:
        self._registers = registers

    async def found_for(self, card: CardIdentity) -> FoundDebts:
        """A register that is silent or refuses hides nothing that another one knows; alone it is raised.

        Raises:
            HostRefused, OutcomeUnknown.
        """
        found: list[Debt] = []
        silent: list[str] = []
        trouble: HostRefused | OutcomeUnknown | None = None
        for host, register in self._registers.items():
            try:
                found += [replace(debt, register=host) for debt in await register.of_card(card)]
            except (HostRefused, OutcomeUnknown) as problem:
                trouble = problem
                silent.append(host)
        if trouble is not None and not found:
            raise trouble
        return FoundDebts(tuple(found), tuple(silent))

    async def reserve(self, debt: Debt, key: str) -> Debt:
        return replace(await self._registers[debt.register].reserve(debt, key), register=debt.register)
