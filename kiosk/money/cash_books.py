"""The books of the cash slots whenever no service keeps them: recovery at each opening, and what happens in between."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import trio

from kiosk.money.recover import book_finding, recover_books, recover_cash
from kiosk.ports import CashModule, Clock, Journal

CASH_SLOTS = ("cash_acceptor", "cash_dispenser")


class CashBooks:
    """One for the life of the process. A service borrows the cash modules; nobody else reads their events then."""

    def __init__(self, journal: Journal, clock: Clock, slots: Collection[str]) -> None:
        """``slots``: those that are fitted."""
        self._journal, self._clock = journal, clock
        self._untold = set(slots) & set(CASH_SLOTS)  # not heard since this process began
        self._books_due = False
        self._free = trio.Event()
        self._free.set()
        self._readers: set[trio.CancelScope] = set()

    async def attend(
        self, slot: str, device: CashModule, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Recover, then read what the device tells while no service does; started once recovered.

        Raises:
            DeviceFault: the device is gone.
        """
        await recover_cash(self._journal, self._clock, device)
        self._untold.discard(slot)
        self._books_due = True
        self._settle_books()
        task_status.started()
        while True:
            await self._free.wait()
            await self._read(device)

    async def _read(self, device: CashModule) -> None:
        """Until a service borrows the module. An event that is taken is booked: nothing comes between."""
        with trio.CancelScope() as reading:
            self._readers.add(reading)
            try:
                while True:
                    event = await device.next_event()
                    book_finding(self._journal, self._clock, event)
                    device.acknowledge(event)
            finally:
                self._readers.discard(reading)

    @contextmanager
    def lent(self) -> Iterator[None]:
        """While a service accepts or pays: it reads the events, and what is inside is its resident's."""
        self._free = trio.Event()
        for reading in self._readers:
            reading.cancel()
        try:
            yield
        finally:
            self._free.set()
            self._settle_books()

    def _settle_books(self) -> None:
        """What no visit will claim gets an owner: once every module has told, and never under a running service."""
        if self._books_due and not self._untold and self._free.is_set():
            self._books_due = False
            recover_books(self._journal, self._clock)
