"""A reader whose maker's library also passes commands to the card: then the slot serves the card's bank application and
the staff card, too. Reading a holder and the chip PIN stay with the functions of LD/T 33.

Whether a card is there is asked of the connector: a basic read between two steps of a payment would end it.
"""

from collections.abc import Awaitable, Callable
from threading import Event

from drivers.apdu import debit_card, staff_card
from drivers.card_reader.debit import CardDebitRun
from drivers.card_reader.ldt33.basic import VendorCardReader
from drivers.card_reader.ldt33.codes import reason
from drivers.card_reader.ldt33.contact import CardContact, NotPassed
from drivers.card_reader.ldt33.library import VendorAnswer, VendorLibrary
from drivers.card_reader.staff import StaffCards
from drivers.transport.card_job import Answer, CardJob
from kiosk.domain.card import CardIdentity
from kiosk.domain.health import Condition
from kiosk.ports import CardGone, DeviceFault
from kiosk.ports.debit import DebitAct, DebitRules


class CommandingCardReader(StaffCards, VendorCardReader):
    """Implements ``ports.debit.DebitReader`` and ``ports.staff.StaffCardReader`` besides."""

    _contact: CardContact | None = None
    _uses = 0  # of the card, by any function, ever: shows whether something came between two steps of a payment

    async def read_identity(self) -> CardIdentity:
        """Raises: DeviceFault ("card_staff") for a staff card, besides what the basic read raises."""
        try:
            return await super().read_identity()
        except DeviceFault as fault:
            if fault.health.reason != "card_foreign" or not await self._job(
                lambda atr: staff_card.identification_code()
            ):
                raise
            raise self._fault(Condition.READY, "card_staff") from fault

    async def open_debit(self, rules: DebitRules, act: DebitAct) -> CardDebitRun:
        """The card's bank application. Raises: CardDeclined, CardGone."""
        state = await self._job(lambda atr: debit_card.open_application(rules, act))
        return CardDebitRun(state, self._debit_jobs(), debit_card.account_of(state))

    def _debit_jobs(self) -> Callable[[CardJob[Answer]], Awaitable[Answer]]:
        """How one payment runs its jobs: on this insertion, and only as long as nothing else used the card."""
        expected = self._uses

        async def run(job: CardJob[Answer]) -> Answer:
            nonlocal expected
            if self._uses != expected:
                raise CardGone
            expected += 1
            return await self._job(lambda atr: job, goes_on=True)

        return run

    # --- the library ---

    async def _begin(self, library: VendorLibrary) -> None:
        contact = CardContact(library, self._settings.icc_device, self._settings.icc_connector)
        try:
            await self._in_thread(contact.open)
        except NotPassed as error:
            raise self._fault(Condition.FAULT, reason(error.code)) from error
        self._contact = contact
        await super()._begin(library)

    async def _call(self, name: str, argument: int | bytes) -> VendorAnswer:
        self._uses += 1
        return await super()._call(name, argument)

    async def _look(self) -> int:
        assert self._contact is not None, "run opens it first"
        code = await self._in_thread(self._contact.status)
        self._saw(code)
        return code

    async def _job(self, make: Callable[[bytes], CardJob[Answer]], *, goes_on: bool = False) -> Answer:
        """A whole job in a thread. Cancelled, it stops before its next command.

        Raises:
            CardGone: no card, another insertion, or no answer.
        """
        contact, stopped = self._contact, Event()
        assert contact is not None, "run opens it first"
        self._uses += 1
        try:
            return await self._in_thread(lambda: contact.run(make, goes_on=goes_on, stopped=stopped))
        except NotPassed as error:
            raise CardGone from error
        except DeviceFault as silent:
            self._tell(silent.health)
            raise CardGone from silent
        finally:
            stopped.set()
