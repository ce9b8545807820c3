"""Slots ``cash_acceptor`` and ``cash_dispenser``: one port; a recycler fills both.

Two rules carry all others. Whatever the device tells is committed before it is allowed to forget it: the caller commits
an event, then calls ``acknowledge``. And nothing is enabled or dispensed before ``recover`` ran and was acknowledged.
"""

from collections.abc import Collection
from typing import Protocol

from kiosk.domain.cash import (
    CashCapabilities,
    CashEvent,
    CashIdentity,
    CashUnit,
    Mix,
    Recovery,
)
from kiosk.domain.money import Fen


class CashModule(Protocol):
    """Verbs raise ``DeviceFault``: surely not done. After the line is lost every verb and ``next_event`` raise it, the
    state is unknown, and a note that was in escrow stays the customer's until the next driver's ``recover`` tells.
    """

    @property
    def identity(self) -> CashIdentity: ...

    @property
    def capabilities(self) -> CashCapabilities: ...

    @property
    def denominations(self) -> tuple[Fen, ...]:
        """What the device knows, ascending. Empty before ``recover``."""
        ...

    async def recover(self, epoch: str, in_doubt: Fen | None = None) -> Recovery:
        """Ask what happened before, leave everything disabled. Never pays out and never opens a shutter.

        ``epoch`` names this start and is never used again; ``credit_id`` begins with it. ``in_doubt`` is the note of
        the stack intent that is open, if one is: some devices tell that a note was stacked and not which. A credit that
        is found must be matched with an open stack intent: a device may tell it again if its power fails before it
        could forget.
        Commit the findings, then ``acknowledge`` the answer. May be called again while nothing is enabled.
        """
        ...

    def acknowledge(self, told: CashEvent | Recovery) -> None:
        """It is durable: the device may forget it. In the order in which events came. Returns at once."""
        ...

    async def next_event(self) -> CashEvent:
        """The next thing that happened. A note that nobody decides about goes back by itself."""
        ...

    async def enable(self, denominations: Collection[Fen]) -> None:
        """Take these and no others, each by way of escrow.

        Raises:
            DeviceFault: "not_recovered", "needs_staff", or the device's own fault.
        """
        ...

    async def disable(self) -> None:
        """Take nothing more. A note in escrow stays there."""
        ...

    async def hold(self) -> None:
        """Keep the note in escrow for another while (the driver's ``hold_s``), up to what the device permits."""
        ...

    async def stack(self) -> None:
        """Only after the intent is durable. Returns when the device was told; what became of the note is an event.

        Raises:
            DeviceFault: "no_note_in_escrow".
        """
        ...

    async def return_(self) -> None:
        """As ``stack``, the other way. A note that is on its way to the cash box cannot be called back."""
        ...

    async def dispense(self, dispense_id: str, mix: Mix) -> None:
        """Only after the intent is durable, and only while disabled. The outcome is one ``DispenseResult`` event.

        Raises:
            DeviceFault: surely nothing moved: "not_recovered", "still_enabled", "cannot_pay", "busy".
        """
        ...

    async def unit_status(self) -> tuple[CashUnit, ...]: ...

    async def empty_path(self) -> None:
        """With staff at the machine: bring out what an interrupted dispense left inside, so that service can go on.

        Raises:
            DeviceFault: "not_supported".
        """
        ...
