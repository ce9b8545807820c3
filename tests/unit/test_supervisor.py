"""Slots: filled, watched, refilled."""

import trio

from kiosk.domain.health import Condition, Health
from tests.flows.people import KioskInMemory


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
