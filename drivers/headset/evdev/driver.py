"""Slot ``headset``: the jack's switch as the kernel reports it. Facts and settings: docs/devices/headset_evdev.md.

What is not known counts as unplugged: then nothing personal is said aloud.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import trio

from drivers.headset.evdev.codec import SW_HEADPHONE_INSERT, SW_MAX, Decoder, Dropped, is_on
from drivers.options import OptionError
from drivers.options import read_options as read_fields
from drivers.transport.event_device import EventDevice, open_event_device
from drivers.transport.line import LineLost
from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceContext, DeviceFault


@dataclass(frozen=True)
class EvdevSettings:
    """Which switch of which input device."""

    path: str = "/dev/kiosk/headset"  # a udev link to the card's event device: event numbers change from boot to boot
    switch: int = SW_HEADPHONE_INSERT


def open_device(options: Mapping[str, object], context: DeviceContext) -> "EvdevJack":
    """Entry point ``evdev_jack``.

    Raises:
        OptionError.
    """
    settings: EvdevSettings = read_fields(EvdevSettings, options)
    if not 0 <= settings.switch <= SW_MAX:
        raise OptionError(f"switches have codes from 0 to {SW_MAX}")
    return EvdevJack(settings, context, lambda: open_event_device(settings.path))


class EvdevJack:
    """Implements ``ports.HeadsetJack`` and ``ports.Device``."""

    def __init__(self, settings: EvdevSettings, context: DeviceContext, open_events: Callable[[], EventDevice]) -> None:
        self._settings, self._context, self._open_events = settings, context, open_events
        self._plugged = False
        self._changed = trio.Event()

    @property
    def plugged(self) -> bool:
        return self._plugged

    async def wait_change(self) -> None:
        await self._changed.wait()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Follow the switch until cancelled.

        Raises:
            DeviceFault: no such device, or it is gone; in production also one that is no input device.
        """
        try:
            events = self._open_events()
        except LineLost as lost:
            condition = Condition.FAULT if lost.reason == "busy" else Condition.ABSENT
            raise DeviceFault(self._context.slot, Health(condition, lost.reason)) from lost
        try:
            self._ask(events)
            self._context.report(Health(Condition.READY))
            task_status.started()
            await self._follow(events)
        except LineLost as lost:
            raise DeviceFault(self._context.slot, Health(Condition.ABSENT, "lost")) from lost
        finally:
            self._set(False)
            events.close()

    async def _follow(self, events: EventDevice) -> None:
        decoder = Decoder()
        while True:
            for event in decoder.receive(await events.receive()):
                if isinstance(event, Dropped):
                    self._ask(events)
                elif event.code == self._settings.switch:
                    self._set(event.on)

    def _ask(self, events: EventDevice) -> None:
        """Raises DeviceFault, LineLost."""
        switches = events.switches()
        if switches is not None:
            self._set(is_on(switches, self._settings.switch))
        elif self._context.production:
            raise DeviceFault(self._context.slot, Health(Condition.FAULT, "no_input_device"))

    def _set(self, plugged: bool) -> None:
        if plugged != self._plugged:
            self._plugged = plugged
            self._changed.set()
            self._changed = trio.Event()
