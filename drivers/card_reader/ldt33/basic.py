"""Slot ``card_reader``: a social security card through the reader maker's LD/T 33 library.

The library has no word for "a card came": the driver asks. It reads everything in one call, so each verb reads again
and nothing is remembered of a holder. Sex, nation and birthday are not in the basic read and stay empty.

Where the library also passes commands to a card, ``commanding.py`` builds on this: bank application and staff card.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import trio

from drivers.apdu import items
from drivers.card_reader.ldt33.codes import (
    CARD_AWAY,
    FOREIGN,
    NEEDS_HSM,
    NO_ANSWER,
    NO_CARD,
    NOT_CONNECTED,
    NOT_GENUINE,
    reason,
)
from drivers.card_reader.ldt33.library import CONTACT, LibraryUnusable, VendorAnswer, VendorLibrary
from kiosk.domain.card import CardIdentity, ChipRecord, Holder, Sex
from kiosk.domain.health import Condition, Health
from kiosk.ports import CardAuthority, CardGone, CardNotGenuine, DeviceContext, DeviceFault

BASIC_FIELDS = 11
STEP1_FIELDS = 5
THREADS_MAX = 3  # a library that hangs holds so many, and never those that other devices need
_NO_TERMINAL = "0" * 12  # what a reader without PSAM calls itself

Done = TypeVar("Done")


@dataclass(frozen=True)
class VendorSettings:
    library: str = ""
    kind: int = CONTACT  # iType: 1 contact, 2 contactless, 3 and 4 automatic
    poll_s: float = 0.5
    call_s_max: float = 20.0
    icc_device: str = ""  # the maker's name of the reader, for commands to the card; "" = the library passes none on
    icc_connector: int = 0x01  # of the user's card


@dataclass(frozen=True)
class _Basic:
    """The eleven fields of iReadCardBas."""

    identity: CardIdentity
    holder: Holder
    checked_by_psam: bool


class VendorCardReader:
    """Implements ``ports.CardReader`` and ``ports.Device``."""

    def __init__(self, settings: VendorSettings, context: DeviceContext) -> None:
        self._settings = settings
        self._context = context
        self._library: VendorLibrary | None = None
        self.vendor_turn = trio.Lock()  # PIN mode A takes it too: nobody polls while the reader's pad is lit
        self._threads = trio.CapacityLimiter(THREADS_MAX)
        self._present = False
        self._told = Health(Condition.STARTING)
        self._lost: DeviceFault | None = None
        self._lost_now = trio.Event()
        self._hsm_holder: tuple[bytes, Holder] | None = None  # read by the HSM steps of this insertion

    @property
    def vendor_library(self) -> str:
        return self._settings.library

    @property
    def version(self) -> str:
        """``SIM`` for the sandbox's stand-in, else "": LD/T 33 has no word for it."""
        return "SIM LD/T 33" if self._library is not None and self._library.simulated else ""

    @property
    def card_present(self) -> bool:
        """As of the last question to the library."""
        return self._present

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Load the library and serve until cancelled.

        Raises:
            DeviceFault: "library_missing", "vendor_function_missing", or the library does not reach its reader.
        """
        try:
            self._library = VendorLibrary(Path(self._settings.library))
        except LibraryUnusable as error:
            raise self._fault(Condition.FAULT, "library_missing") from error
        try:
            await self._begin(self._library)
        except LibraryUnusable as error:
            raise self._fault(Condition.FAULT, "vendor_function_missing") from error
        self._tell(Health(Condition.READY))
        task_status.started()
        await self._lost_now.wait()
        assert self._lost is not None
        raise self._lost

    async def _begin(self, library: VendorLibrary) -> None:
        """Reach the reader. Raises: LibraryUnusable, DeviceFault."""
        await self._ask()

    async def wait_card(self) -> None:
        """Raises: DeviceFault: the reader was unplugged."""
        while await self._poll() in (NO_CARD, None):  # noqa: ASYNC110 - the library has no event to wait for
            await trio.sleep(self._settings.poll_s)

    async def wait_no_card(self) -> None:
        """Raises: DeviceFault: the reader was unplugged."""
        while await self._poll() != NO_CARD:  # noqa: ASYNC110 - as above
            await trio.sleep(self._settings.poll_s)

    async def _poll(self) -> int | None:
        """A code, None while the library is silent: then nothing is known of the slot."""
        try:
            return await self._look()
        except DeviceFault as fault:
            if fault is self._lost:
                raise
            self._tell(fault.health)
            return None

    async def _look(self) -> int:
        """What is in the slot, by the code of a basic read."""
        return (await self._ask()).code

    async def read_identity(self) -> CardIdentity:
        answer = await self._ask()
        if answer.code in NEEDS_HSM:
            return self._step1_identity(await self._checked("iReadCardBas_HSM_Step1", self._settings.kind))
        if answer.code == NOT_GENUINE:
            raise CardNotGenuine("counterfeit")
        if answer.code in FOREIGN:
            raise self._fault(Condition.READY, "card_foreign")
        if answer.code == NO_ANSWER:
            raise self._fault(Condition.READY, "card_mute")
        return self._basic(self._good(answer)).identity

    async def prove_genuine(self, authority: CardAuthority) -> None:
        """With a PSAM the library does it all; without, spec 3.00 goes through the HSM steps and older cards cannot
        be checked."""
        answer = await self._ask()
        if answer.code == NOT_GENUINE:
            raise CardNotGenuine("counterfeit")
        if answer.code not in NEEDS_HSM:
            if not self._basic(self._good(answer)).checked_by_psam:
                raise CardNotGenuine("no_authority")
            return
        step1 = await self._checked("iReadCardBas_HSM_Step1", self._settings.kind)
        identity = self._step1_identity(step1)
        cryptogram = await authority.external_authentication(identity, bytes.fromhex(step1.fields()[4]))
        step2 = await self._checked("iReadCardBas_HSM_Step2", (cryptogram.hex().upper() + "|").encode("ascii"))
        self._hsm_holder = identity.identification_code, self._basic(step2).holder

    async def read_holder(self) -> Holder:
        answer = await self._ask()
        if answer.code in NEEDS_HSM:
            if self._hsm_holder is None:
                raise CardNotGenuine("no_authority")
            return self._hsm_holder[1]
        return self._basic(self._good(answer)).holder

    async def read_chip_record(self) -> ChipRecord:
        """The basic read holds none of it."""
        return ChipRecord(None, None, None)

    async def same_card(self, identity: CardIdentity) -> bool:
        return (await self.read_identity()).identification_code == identity.identification_code

    async def _ask(self) -> VendorAnswer:
        answer = await self._call("iReadCardBas", self._settings.kind)
        self._saw(answer.code)
        return answer

    def _saw(self, code: int) -> None:
        """Raises: DeviceFault: there is no reader any more; ``run`` ends with it."""
        if code in NOT_CONNECTED:
            self._present = False
            self._lost = self._lost or self._fault(Condition.FAULT, reason(code))
            self._lost_now.set()
            raise self._lost
        self._present = code != NO_CARD
        self._tell(Health(Condition.READY))
        if not self._present:
            self._hsm_holder = None

    def _tell(self, health: Health) -> None:
        if health != self._told:
            self._told = health
            self._context.report(health)

    async def _call(self, name: str, argument: int | bytes) -> VendorAnswer:
        library = self._library
        if library is None:
            raise self._fault(Condition.FAULT, "library_missing")
        return await self._in_thread(lambda: library.call(name, argument))

    async def _in_thread(self, work: Callable[[], Done]) -> Done:
        """Raises: DeviceFault ("silent"), and what ``work`` raises."""
        async with self.vendor_turn:
            with trio.move_on_after(self._settings.call_s_max):
                return await trio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._threads)
        raise self._fault(Condition.UNKNOWN, "silent")

    async def _checked(self, name: str, argument: int | bytes) -> VendorAnswer:
        return self._good(await self._call(name, argument))

    def _good(self, answer: VendorAnswer) -> VendorAnswer:
        if answer.code in CARD_AWAY:
            raise CardGone
        if answer.code != 0:
            raise self._fault(Condition.READY, reason(answer.code))
        return answer

    def _basic(self, answer: VendorAnswer) -> _Basic:
        fields = answer.fields()
        if len(fields) < BASIC_FIELDS:
            raise self._fault(Condition.READY, "card_foreign")
        _area, social, number, code, name, history, spec, issued, expires, terminal, _device = fields[:BASIC_FIELDS]
        identity = CardIdentity(
            identification_code=self._bytes(code),
            card_number=number.strip(),
            spec_version=spec.strip(),
            issued=items.day(_hex(issued)),
            expires=items.day(_hex(expires)),
            atr=_hex(history),
        )
        holder = Holder(name.strip(), social.strip(), Sex.UNKNOWN, "", None)
        return _Basic(identity, holder, terminal != _NO_TERMINAL)

    def _step1_identity(self, answer: VendorAnswer) -> CardIdentity:
        fields = answer.fields()
        if len(fields) < STEP1_FIELDS:
            raise self._fault(Condition.READY, "card_foreign")
        return CardIdentity(self._bytes(fields[3]), "", "3.00", None, None, _hex(fields[1]))

    def _bytes(self, code: str) -> bytes:
        found = _hex(code)
        if len(found) != 16:
            raise self._fault(Condition.READY, "card_foreign")
        return found

    def _fault(self, condition: Condition, why: str) -> DeviceFault:
        return DeviceFault(self._context.slot, Health(condition, why))


def _hex(text: str) -> bytes:
    """b"" for what is not hexadecimal: a malformed date shows nothing."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
