"""One payment with the bank application of the card in the slot."""

from collections.abc import Awaitable, Callable
from typing import Any

from drivers.apdu import debit_card
from drivers.transport.card_job import CardJob
from kiosk.ports import CardGone
from kiosk.ports.debit import DebitAccount, DebitEnd

RunJob = Callable[[CardJob[Any]], Awaitable[Any]]


class CardDebitRun:
    """Implements ``ports.debit.DebitRun``. ``run_job`` raises CardGone once anything else has used the card."""

    def __init__(self, state: debit_card.DebitState, run_job: RunJob, account: DebitAccount) -> None:
        self._state = state
        self._run_job = run_job
        self.account = account

    @property
    def reversal_chip(self) -> bytes:
        return debit_card.reversal_chip(self._state)

    async def request(self) -> bytes:
        """Raises: CardDeclined, CardGone."""
        return bytes(await self._run_job(debit_card.first_cryptogram(self._state)))

    async def finish(self, code: str, chip: bytes) -> DebitEnd:
        """Raises: CardGone."""
        end: DebitEnd = await self._run_job(debit_card.finish(self._state, code, chip))
        return end

    async def abandon(self) -> None:
        try:
            await self._run_job(debit_card.abandon(self._state))
        except CardGone:
            return  # then it has no cryptogram to be taken back
