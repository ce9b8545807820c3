"""Slot ``sam_reader``: a PSAM in a PC/SC slot, an authority for the symmetric keys of cards.

Keys stay in the PSAM; what comes out are cryptograms. Key numbers and the city factor's form are regional options.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, fields

import trio

from drivers.apdu import psam
from drivers.apdu.status import CardRefused
from drivers.options import read_options
from drivers.transport.flat import open_flat_nursery
from drivers.transport.pcsc import OpenCardLine, PcscLine, PcscSettings, ReaderMissing
from kiosk.domain.card import CardIdentity
from kiosk.domain.health import Condition, Health
from kiosk.ports import CardGone, CardNotGenuine, DeviceContext, DeviceFault

INSERTED_S_MAX = 5.0


@dataclass(frozen=True)
class PsamSettings(PcscSettings):
    reader: str = "00 01$"
    leave_powered: bool = True
    internal_key: int = 0x01
    external_key: int = 0x07
    city_suffix: str = "sx"  # city factor = six digits of the division code + these two characters, in ASCII


class PsamReader:
    """Implements ``ports.SamReader`` and ``ports.Device``."""

    def __init__(self, settings: PsamSettings, context: DeviceContext, open_line: OpenCardLine = PcscLine) -> None:
        self._settings = settings
        self._context = context
        own = {one.name: getattr(settings, one.name) for one in fields(PcscSettings)}
        self._line = open_line(PcscSettings(**own), self._link_changed)
        self._serial = ""
        self._terminal = ""

    @property
    def version(self) -> str:
        """``SIM`` and the name of a reader that exists in software alone (vsmartcard's vpcd)."""
        return f"SIM {self._line.reader}" if "Virtual PCD" in self._line.reader else self._line.reader

    @property
    def serial(self) -> str:
        """20 hex digits, "" before ``run`` has started."""
        return self._serial

    @property
    def terminal(self) -> str:
        """The terminal number in the PSAM, 12 hex digits."""
        return self._terminal

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Find the PSAM and read its numbers, then serve until cancelled.

        Raises:
            DeviceFault: no reader ("reader_absent"), no module in it or it went away ("psam_absent"), or what is in
                it is no PSAM ("psam_refused").
        """
        async with open_flat_nursery() as nursery:
            await nursery.start(self._run_line)
            with trio.move_on_after(INSERTED_S_MAX):
                while not self._serial:
                    await self._read_numbers()
            if not self._serial:
                raise self._fault("psam_absent")
            self._context.report(Health(Condition.READY))
            task_status.started()
            await self._line.wait_no_card()
            raise self._fault("psam_absent")  # what is put in next may be another one: a fresh driver asks its serial

    async def internal_authentication_ok(self, card: CardIdentity, challenge: bytes, response: bytes) -> bool:
        """Raises: DeviceFault: the PSAM is gone or refuses."""
        expected = await self._compute(self._settings.internal_key, card, challenge)
        return hmac.compare_digest(expected, response)

    async def external_authentication(self, card: CardIdentity, card_random: bytes) -> bytes:
        """Raises: DeviceFault: the PSAM is gone. CardNotGenuine: it lacks the key for this card (LD/T 33: -2203)."""
        return await self._compute(self._settings.external_key, card, card_random)

    async def _run_line(self, task_status: trio.TaskStatus[None]) -> None:
        try:
            await self._line.run(task_status)
        except ReaderMissing as error:
            raise self._fault("reader_absent") from error

    async def _read_numbers(self) -> None:
        """Reading is idempotent: a module that was changed a moment ago fails once and is asked again."""
        insertion = await self._line.wait_card()
        try:
            self._serial, self._terminal = await self._line.job(insertion, lambda atr: psam.serial_and_terminal())
        except CardGone:
            return
        except CardRefused as error:
            raise self._fault("psam_refused") from error

    async def _compute(self, key: int, card: CardIdentity, blocks: bytes) -> bytes:
        factor = (card.city + self._settings.city_suffix).encode("ascii")[:8].ljust(8, b"\x00")
        try:
            return await self._line.job(
                self._line.insertion, lambda atr: psam.compute(key, card.random_seed, factor, blocks)
            )
        except CardGone as error:
            raise self._fault("psam_absent") from error
        except CardRefused as error:
            if error.status == 0x9403:
                raise CardNotGenuine("no_authority") from error
            raise self._fault("psam_refused") from error

    def _link_changed(self, up: bool) -> None:
        self._context.report(Health(Condition.READY) if up else Health(Condition.ABSENT, "reader_absent"))

    def _fault(self, reason: str) -> DeviceFault:
        return DeviceFault(self._context.slot, Health(Condition.FAULT, reason))


def open_device(options: Mapping[str, object], context: DeviceContext) -> PsamReader:
    """Entry point ``psam``.

    Raises:
        OptionError: an unknown or mistyped option.
    """
    return PsamReader(read_options(PsamSettings, options), context)
