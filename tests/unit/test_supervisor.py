"""Slots: filled, watched, refilled."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from drivers.registry import find_driver
from kiosk.devices.supervisor import Supervisor
from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceFault
from kiosk.settings.config import SlotSettings
from tests.flows.people import KioskInMemory
from tests.flows.slot_device import SlotDevice


async def test_broken_device_is_reported_and_refilled(autojump_clock: trio.testing.MockClock) -> None:
    """A device that breaks is a fault in the slot, greys its services out, and is opened again when it can be."""
    kiosk = KioskInMemory()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(kiosk.supervisor.run)
        await kiosk.supervisor.wait_tried()
        assert kiosk.supervisor.unusable(("page_printer",)) is None
        kiosk.break_device(kiosk.pages, "cover_open")
        await kiosk.supervisor.wait_change()
        assert kiosk.supervisor.health("page_printer") == Health(Condition.FAULT, "cover_open")
        assert kiosk.supervisor.unusable(("pin_pad", "page_printer")) == "page_printer"
        kiosk.pages.broken, kiosk.pages.breaks = None, trio.Event()
        while kiosk.supervisor.unusable(("page_printer",)):
            await kiosk.supervisor.wait_change()
        nursery.cancel_scope.cancel()


async def test_silent_device_keeps_no_resident_waiting(autojump_clock: trio.testing.MockClock) -> None:
    """Each failed try counts as tried, so that start-up goes on without the device."""
    kiosk = KioskInMemory()
    kiosk.receipts.broken = Health(Condition.UNKNOWN, "silent")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(kiosk.supervisor.run)
        with trio.fail_after(5):
            await kiosk.supervisor.wait_tried()
        assert kiosk.supervisor.health("receipt_printer").reason == "silent"
        nursery.cancel_scope.cancel()


def test_unfitted_slot_is_absent() -> None:
    """A slot that the settings do not name is absent, and never fine."""
    kiosk = KioskInMemory()
    assert kiosk.supervisor.health("cash_acceptor") == Health(Condition.ABSENT, "not_fitted")
    assert kiosk.supervisor.unusable(("cash_acceptor",)) == "cash_acceptor"


def _supervised(find: Callable[[str], Any], lines: list[str]) -> Supervisor:
    def log(event: str, **fields: object) -> None:
        lines.append(event)

    slots = {"pin_pad": SlotSettings(driver="kmy", options={"colour": "red"}), "page_printer": SlotSettings(driver="a")}
    return Supervisor(slots, find, log, Path("run"), "B", None)


async def test_mistaken_settings_cost_one_slot_and_not_the_kiosk(autojump_clock: trio.testing.MockClock) -> None:
    """An option that a driver does not know, and a driver that is not installed, are faults of their own slots."""
    lines: list[str] = []
    supervisor = _supervised(find_driver, lines)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(supervisor.run)
        await supervisor.wait_tried()
        assert supervisor.health("pin_pad") == Health(Condition.FAULT, "bad_settings")
        assert supervisor.health("page_printer") == Health(Condition.FAULT, "bad_settings")
        nursery.cancel_scope.cancel()
    assert "bad_settings" in lines


class _Deep(SlotDevice):
    """A driver whose fault comes out of nurseries of its own."""

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        async with trio.open_nursery() as outer:
            async with trio.open_nursery() as inner:
                inner.start_soon(self._break)
                inner.start_soon(self._break)
            outer.start_soon(trio.sleep_forever)

    async def _break(self) -> None:
        raise DeviceFault("pin_pad", Health(Condition.FAULT, "self_test_cpu"))


async def test_fault_out_of_a_drivers_own_nursery_is_understood(autojump_clock: trio.testing.MockClock) -> None:
    """A driver may have tasks of its own: its fault is the slot's, however deep it comes from."""
    supervisor = _supervised(lambda name: lambda options, context: _Deep(context), [])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(supervisor.run)
        await supervisor.wait_tried()
        assert supervisor.health("pin_pad") == Health(Condition.FAULT, "self_test_cpu")
        nursery.cancel_scope.cancel()


class _Brief(SlotDevice):
    """A driver that simply returns."""

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        task_status.started()
        await trio.sleep(0.1)


async def test_driver_that_ends_without_a_word_is_unknown(autojump_clock: trio.testing.MockClock) -> None:
    """A driver that returned fills its slot no longer, and nobody says that it does."""
    supervisor = _supervised(lambda name: lambda options, context: _Brief(context), [])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(supervisor.run)
        await supervisor.wait_tried()
        await trio.sleep(0.3)
        assert supervisor.health("pin_pad") == Health(Condition.UNKNOWN, "driver_ended")
        assert supervisor.unusable(("pin_pad",)) == "pin_pad"
        nursery.cancel_scope.cancel()


class _Simulated(SlotDevice):
    version = "SIM KMY TEST 1.0"


@pytest.mark.parametrize(("production", "reason"), [(True, "simulator_refused"), (False, "")])
async def test_production_takes_no_simulator(
    autojump_clock: trio.testing.MockClock, production: bool, reason: str
) -> None:
    """A device that calls itself a simulator fills a slot in development alone."""
    slots = {"pin_pad": SlotSettings(driver="kmy")}
    supervisor = Supervisor(
        slots, lambda name: lambda options, context: _Simulated(context), _silent, Path("run"), "A", None,
        production=production,
    )  # fmt: skip
    async with trio.open_nursery() as nursery:
        nursery.start_soon(supervisor.run)
        await supervisor.wait_tried()
        assert supervisor.health("pin_pad").reason == reason
        assert (supervisor.unusable(("pin_pad",)) == "pin_pad") is production
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(("readback", "reason"), [(True, "bad_settings"), (False, "unplugged")])
async def test_production_takes_no_invented_format(
    autojump_clock: trio.testing.MockClock, readback: bool, reason: str
) -> None:
    """The pad's mode readback is INVENTED: with it a production terminal has no pad; without it, only no line here."""
    options = {"path": "/nonexistent/pad", "mode_readback": readback}
    slots = {"pin_pad": SlotSettings(driver="kmy", options=options)}
    supervisor = Supervisor(slots, find_driver, _silent, Path("run"), "A", None, production=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(supervisor.run)
        await supervisor.wait_tried()
        assert supervisor.health("pin_pad").reason == reason
        nursery.cancel_scope.cancel()


def _silent(event: str, **fields: object) -> None:
    """A log that nobody reads."""
