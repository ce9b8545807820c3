"""A staff card in a reader that passes commands to the card."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from drivers.apdu import staff_card
from drivers.apdu.status import CardRefused
from drivers.transport.card_job import Answer, CardJob
from kiosk.domain.card import CardIdentity
from kiosk.domain.health import Condition, Health
from kiosk.domain.staff import StaffCard
from kiosk.ports import DeviceContext, DeviceFault


class StaffCards(ABC):
    """Implements ``ports.staff.StaffCardReader`` and ``same_card`` of ``ports.CardReader`` by jobs of the reader."""

    _context: DeviceContext

    async def same_card(self, identity: CardIdentity) -> bool:
        """Read again, not remembered. Raises: CardGone."""
        found = await self._job(lambda atr: staff_card.resident_or_staff_code())
        return found == identity.identification_code

    async def read_staff_card(self) -> StaffCard:
        """The certificate as it lies there. Raises: CardGone, DeviceFault ("card_foreign")."""
        try:
            found = await self._job(lambda atr: staff_card.certificate())
        except CardRefused as error:
            raise DeviceFault(self._context.slot, Health(Condition.READY, "card_foreign")) from error
        return StaffCard(CardIdentity(staff_card.code_of(found), "", "staff", None, None, b""), found)

    async def staff_signature(self, challenge: bytes) -> bytes:
        """Raises: CardGone."""
        return await self._job(lambda atr: staff_card.signature(challenge))

    @abstractmethod
    async def _job(self, make: Callable[[bytes], CardJob[Answer]]) -> Answer:
        """Given the ATR. Raises: CardGone."""
