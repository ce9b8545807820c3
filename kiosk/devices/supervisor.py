"""Device slots: open, watch, back off, report. The only code that restarts a driver."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import trio

from kiosk.domain.health import Condition, Health
from kiosk.ports import CardPlatform, Device, DeviceContext, DeviceFault, Log, UnusableSettings
from kiosk.settings.config import SlotSettings

OpenDevice = Callable[[dict[str, Any], DeviceContext], Device]
FindDriver = Callable[[str], OpenDevice]
# ``attend(device, task_status=...)`` runs as long as the device does; before it has started no service gets the device.
Attend = Callable[..., Awaitable[None]]

BACK_OFF_S = (0.5, 1.0, 2.0, 5.0, 10.0)  # then the last one for ever: a device may be plugged in at any time
TALKERS = ("cash_acceptor", "cash_dispenser")  # their lines prescribe pauses, in which the other drivers are loaded
ASIDES = ("lights", "headset")  # the first page is true without them; a relay board that answers nothing takes 0.6 s
STEADY_S = 30.0  # a device that served this long starts again at the shortest pause


class Slot:
    """One place for a device and what is known about it now."""

    def __init__(self, name: str, settings: SlotSettings) -> None:
        self.name = name
        self.settings = settings
        self.device: Any = None
        self.health = Health(Condition.STARTING)
        self.tried = trio.Event()
        self.open = trio.CancelScope()  # of the device that fills it now

    @property
    def usable(self) -> bool:
        return self.device is not None and self.health.condition.usable


class Supervisor:
    """Keeps every configured slot filled for as long as it runs."""

    def __init__(
        self,
        slots: dict[str, SlotSettings],
        find_driver: FindDriver,
        log: Log,
        run_dir: Path,
        pin_mode: str,
        card_platform: CardPlatform | None,
        attendants: Mapping[str, Attend] | None = None,
        production: bool = False,
    ) -> None:
        self.slots = {name: Slot(name, settings) for name, settings in slots.items()}
        self._find_driver = find_driver
        self._log = log
        self._run_dir = run_dir
        self._pin_mode = pin_mode
        self._card_platform = card_platform
        self._production = production
        self._attendants = dict(attendants or {})
        self._changed = trio.Event()

    def device(self, name: str) -> Any:
        """The driver in a slot.

        Raises:
            DeviceFault: nothing usable is there.
        """
        slot = self.slots.get(name)
        if slot is None:
            raise DeviceFault(name, Health(Condition.ABSENT, "not_fitted"))
        if not slot.usable:
            raise DeviceFault(name, slot.health)
        return slot.device

    def health(self, name: str) -> Health:
        slot = self.slots.get(name)
        return slot.health if slot else Health(Condition.ABSENT, "not_fitted")

    def unusable(self, needs: tuple[str, ...]) -> str | None:
        """The first of these slots that cannot serve now, or None."""
        return next((name for name in needs if name not in self.slots or not self.slots[name].usable), None)

    def coming(self, name: str) -> bool:
        """Whether this slot is being filled and nobody knows yet by what: neither usable nor found out of order."""
        slot = self.slots.get(name)
        if slot is None or slot.device is not None:
            return False
        return slot.health.condition is Condition.STARTING or slot.health.condition.usable

    def away(self, name: str) -> bool:
        """Whether what fills this slot is unplugged or being swapped: it may come back, as what is not fitted never."""
        slot = self.slots.get(name)
        return slot is not None and slot.health.condition is Condition.ABSENT

    def reopen(self, name: str) -> None:
        """Close what fills this slot and open what is there now: a part was swapped. Raises LookupError: not fitted."""
        self.slots[name].open.cancel()

    async def wait_change(self) -> None:
        """Return at the next change of any slot's health."""
        await self._changed.wait()

    async def wait_tried(self) -> None:
        """Return when every slot that services need was either opened or found out of order once."""
        for slot in self.slots.values():
            if slot.name not in ASIDES:
                await slot.tried.wait()

    async def run(self) -> None:
        """Keep every slot filled until cancelled. One begins in each turn of the event loop, those that talk first."""
        async with trio.open_nursery() as nursery:
            for slot in sorted(self.slots.values(), key=lambda slot: slot.name not in TALKERS):
                nursery.start_soon(self._keep_filled, slot)
                await trio.lowlevel.checkpoint()

    async def _keep_filled(self, slot: Slot) -> None:
        failures = 0
        while True:
            opened_at = trio.current_time()
            slot.open = trio.CancelScope()
            try:
                with slot.open:
                    await self._serve(slot)
                # A driver that returns has ended without a word, and silence is never fine.
                ended = Health(Condition.UNKNOWN, "driver_ended")
                self._report(slot, Health(Condition.STARTING) if slot.open.cancelled_caught else ended)
            except* DeviceFault as group:
                fault = _first(group)
                assert isinstance(fault, DeviceFault)
                self._report(slot, fault.health)
            except* UnusableSettings as group:
                self._log("bad_settings", slot=slot.name, driver=slot.settings.driver, error=str(_first(group)))
                self._report(slot, Health(Condition.FAULT, "bad_settings"))
            slot.device = None
            slot.tried.set()
            if trio.current_time() - opened_at > STEADY_S:
                failures = 0
            await trio.sleep(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])
            failures += 1

    async def _serve(self, slot: Slot) -> None:
        context = DeviceContext(
            slot=slot.name,
            report=lambda health: self._report(slot, health),
            log=self._log,
            run_dir=self._run_dir,
            neighbours=_Neighbours(self.slots),
            card_platform=self._card_platform,
            pin_mode=self._pin_mode,
            production=self._production,
        )
        device = self._find_driver(slot.settings.driver)(dict(slot.settings.options), context)
        async with trio.open_nursery() as nursery:
            await nursery.start(device.run)
            if self._production and simulated(device):
                raise DeviceFault(slot.name, Health(Condition.FAULT, "simulator_refused"))
            if not slot.health.condition.usable:
                self._report(slot, Health(Condition.READY))
            if slot.name in self._attendants:
                await nursery.start(self._attendants[slot.name], device)
            slot.device = device
            slot.tried.set()
            self._announce()

    def _report(self, slot: Slot, health: Health) -> None:
        if health == slot.health:
            return
        slot.health = health
        self._log("slot", slot=slot.name, condition=health.condition.value, reason=health.reason)
        self._announce()

    def _announce(self) -> None:
        self._changed.set()
        self._changed = trio.Event()


def simulated(device: Any) -> bool:
    """Whether a device says of itself that it is a simulator; one that says nothing is taken at its maker's word."""
    version = getattr(device, "version", "") or getattr(getattr(device, "identity", None), "version", "")
    return str(version).startswith("SIM")


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first exception of a group, however deep: drivers have nurseries of their own."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


class _Neighbours(dict[str, Any]):
    """Looks a neighbour's driver up at the moment of asking: it may have been restarted since."""

    def __init__(self, slots: dict[str, Slot]) -> None:
        super().__init__()
        self._slots = slots

    def get(self, name: str, default: Any = None) -> Any:
        slot = self._slots.get(name)
        return slot.device if slot and slot.usable else default

    def __getitem__(self, name: str) -> Any:
        found = self.get(name)
        if found is None:
            raise KeyError(name)
        return found
