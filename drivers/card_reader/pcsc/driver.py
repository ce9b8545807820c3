"""Slot ``card_reader``: a social security card in a PC/SC reader. See docs/devices/card_reader_pcsc.md."""

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, fields
from typing import TypeVar

import trio

from drivers.apdu import debit_card, staff_card
from drivers.apdu import social_security_card as ssc
from drivers.apdu.status import CardRefused
from drivers.card_reader.debit import CardDebitRun
from drivers.card_reader.staff import StaffCards
from drivers.options import read_options
from drivers.transport.card_job import CardJob
from drivers.transport.pcsc import CardMute, OpenCardLine, PcscLine, PcscSettings, ReaderMissing
from kiosk.domain.card import CardIdentity, ChipRecord, Holder
from kiosk.domain.health import Condition, Health
from kiosk.ports import CardAuthority, CardGone, CardNotGenuine, DeviceContext, DeviceFault
from kiosk.ports.debit import DebitAct, DebitRules

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class CardReaderSettings(PcscSettings):
    """Key numbers are regional: ``internal_key`` for INTERNAL AUTHENTICATE, ``external_key`` for the holder's file."""

    reader: str = "00 00$"
    internal_key: int = 0x01
    external_key: int = 0x07
    vendor_library: str = ""


class PcscCardReader(StaffCards):
    """Implements ``ports.CardReader``, ``ports.debit.DebitReader`` and ``ports.Device``."""

    def __init__(
        self,
        settings: CardReaderSettings,
        context: DeviceContext,
        random: Callable[[int], bytes] = os.urandom,
        open_line: OpenCardLine = PcscLine,
    ) -> None:
        self.settings = settings
        self._context = context
        self._random = random
        own = {one.name: getattr(settings, one.name) for one in fields(PcscSettings)}
        self.line = open_line(PcscSettings(**own), self._link_changed)
        self._jobs = 0  # of all kinds, ever: shows whether another job came between two of a payment
        self._opened = 0  # the insertion whose holder's file stands open, with nothing selected since

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled.

        Raises:
            DeviceFault: no such reader ("reader_absent"), or it hangs for good ("reader_stuck").
        """
        try:
            await self.line.run(task_status)
        except ReaderMissing as error:
            reason = "reader_stuck" if self.line.reader else "reader_absent"
            raise self._fault(Condition.FAULT, reason) from error

    @property
    def reader_name(self) -> str:
        """As pcscd lists it, "" while it does not; for the PIN process."""
        return self.line.reader

    @property
    def version(self) -> str:
        """``SIM`` and the name of a reader that exists in software alone (vsmartcard's vpcd)."""
        return f"SIM {self.line.reader}" if "Virtual PCD" in self.line.reader else self.line.reader

    @property
    def vendor_library(self) -> str:
        """Path of the maker's LD/T 33 library for PIN mode A, "" if the reader has no pad of its own."""
        return self.settings.vendor_library

    @property
    def card_present(self) -> bool:
        return self.line.card_present

    async def wait_card(self) -> None:
        await self.line.wait_card()

    async def wait_no_card(self) -> None:
        await self.line.wait_no_card()

    async def read_identity(self) -> CardIdentity:
        """EF05. Raises: CardGone, DeviceFault ("card_mute", "card_staff", "card_foreign")."""
        try:
            found = await self._job(ssc.identity)
        except CardMute as error:
            raise self._fault(Condition.READY, "card_mute") from error
        except ssc.CardForeign as error:
            # A card with both applications is a resident's; only one without ours may be a staff card.
            staff = await self._job(lambda atr: staff_card.identification_code())
            raise self._fault(Condition.READY, "card_staff" if staff else "card_foreign") from error
        self._context.log("card read", slot=self._context.slot, card_spec=found.spec_version)
        return found

    async def prove_genuine(self, authority: CardAuthority) -> None:
        """Internal authentication, and for spec 3.00 the external one that opens the holder's file."""
        card = await self._job(ssc.identity)
        challenge = self._random(ssc.CHALLENGE_BYTES)
        response = await self._job(lambda atr: ssc.internal_authentication(self.settings.internal_key, challenge))
        if not response or not await authority.internal_authentication_ok(card, challenge, response):
            raise CardNotGenuine("counterfeit")
        if card.holder_needs_key:
            await self._open_holder(card, authority)

    async def read_holder(self) -> Holder:
        """EF06. Raises: CardGone, CardNotGenuine where the file is closed to us."""
        opened = self._opened == self.line.insertion
        try:
            return await self._job(lambda atr: ssc.holder(selected=opened), keep_open=True)
        except CardRefused as error:
            raise CardNotGenuine("no_authority") from error

    async def read_chip_record(self) -> ChipRecord:
        """Where it lies is INVENTED, so production finds nothing. Raises: CardGone, DeviceFault ("card_refused")."""
        if self._context.production:
            return ChipRecord(None, None, None)
        try:
            return await self._job(lambda atr: ssc.chip_record())
        except CardRefused as error:
            raise self._fault(Condition.READY, "card_refused") from error

    async def open_debit(self, rules: DebitRules, act: DebitAct) -> CardDebitRun:
        """The card's bank application. Raises: CardDeclined, CardGone, DeviceFault ("card_mute")."""
        try:
            state = await self._job(lambda atr: debit_card.open_application(rules, act))
        except CardMute as error:
            raise self._fault(Condition.READY, "card_mute") from error
        return CardDebitRun(state, self._debit_jobs(), debit_card.account_of(state))

    def _debit_jobs(self) -> Callable[[CardJob[Answer]], Awaitable[Answer]]:
        """How one payment runs its jobs: on this insertion, and only as long as nobody else used the card."""
        insertion, expected = self.line.insertion, self._jobs

        async def run(job: CardJob[Answer]) -> Answer:
            nonlocal expected
            if self._jobs != expected or self.line.insertion != insertion:
                raise CardGone
            expected += 1
            try:
                return await self._job(lambda atr: job)
            except CardMute as error:
                raise CardGone from error

        return run

    async def let_go(self) -> None:
        """End our card work with LEAVE_CARD, for the PIN process; the next verb connects anew."""
        self._opened = 0
        await self.line.let_go()

    def end_insertion(self) -> None:
        """The PIN process saw the card fail or change."""
        self.line.end_insertion()

    async def _open_holder(self, card: CardIdentity, authority: CardAuthority) -> None:
        key = self.settings.external_key
        try:
            random = await self._job(lambda atr: ssc.card_random())
            cryptogram = await authority.external_authentication(card, random)
            await self._job(lambda atr: ssc.external_authentication(key, cryptogram, random))
        except CardRefused as error:
            raise CardNotGenuine("counterfeit") from error
        self._opened = self.line.insertion

    async def _job(self, make: Callable[[bytes], CardJob[Answer]], keep_open: bool = False) -> Answer:
        insertion = self.line.insertion
        if not insertion:
            raise CardGone
        if not keep_open:
            self._opened = 0
        self._jobs += 1
        return await self.line.job(insertion, make)

    def _link_changed(self, up: bool) -> None:
        self._opened = 0
        self._context.report(Health(Condition.READY) if up else Health(Condition.ABSENT, "reader_absent"))

    def _fault(self, condition: Condition, reason: str) -> DeviceFault:
        return DeviceFault(self._context.slot, Health(condition, reason))


def open_device(options: Mapping[str, object], context: DeviceContext) -> PcscCardReader:
    """Entry point ``pcsc``.

    Raises:
        OptionError: an unknown or mistyped option.
    """
    return PcscCardReader(read_options(CardReaderSettings, options), context)
