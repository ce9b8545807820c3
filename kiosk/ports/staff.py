"""What staff duties need beside what services have: their card, and the books of this terminal."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol, runtime_checkable

from kiosk.basics.control import FleetWord, SoftwareWord
from kiosk.domain.books import Account
from kiosk.domain.cases import OpenCase, Unsent
from kiosk.domain.health import Health
from kiosk.domain.ledger import SecondCopy, StickCopy
from kiosk.domain.money import Fen
from kiosk.domain.staff import StaffCard
from kiosk.ports.cash import CashModule
from kiosk.ports.devices import TakesComponents
from kiosk.ports.kiosk import Kiosk
from kiosk.ports.money import Statements


@runtime_checkable
class StaffCardReader(Protocol):
    """A card reader that also speaks to staff cards. Its ``read_identity`` raises DeviceFault ("card_staff") for one;
    a card that holds both applications is a resident's."""

    async def read_staff_card(self) -> StaffCard:
        """The certificate as it lies on the card.

        Raises:
            CardGone. DeviceFault: "card_foreign".
        """
        ...

    async def staff_signature(self, challenge: bytes) -> bytes:
        """64 bytes (r and s) over the application's prefix and ``challenge`` (32 bytes); b"" if the card gives none.

        Raises:
            CardGone.
        """
        ...


class TerminalBooks(Protocol):
    """The journal as staff see it: sums and cases, no cards. Plain calls that only read."""

    def high_water(self) -> datetime | None:
        """The latest time that any entry bears: a clock set back reopens nothing (money-rules 5)."""
        ...

    def balances(self) -> Mapping[Account, Fen]:
        """Every account that is not at zero, now."""
        ...

    def day(self, day: str) -> tuple[Mapping[Account, Fen], Mapping[Account, Fen]]:
        """Balances at the end of ``day`` (YYYY-MM-DD), and movements within it."""
        ...

    def unsent(self) -> Unsent: ...

    def open_cases(self) -> tuple[OpenCase, ...]:
        """Oldest first."""
        ...


class NoticesAside(Protocol):
    """Notices that a host refused too often, which only people bring on. Plain calls, durable on return."""

    def unsent_keys(self, host: str) -> frozenset[str]:
        """Of notices that this host has not surely heard, or has refused."""
        ...

    def release(self, key: str, by: str) -> None:
        """Tell it once more. Raises Overtaken."""
        ...

    def overtaken(self, key: str) -> bool:
        """Whether its holder said the opposite since, so that it is told to nobody any more."""
        ...

    def give_up(self, key: str, by: str, approver: str, why: str) -> None:
        """This host will not be told."""
        ...


class StickTrouble(Exception):
    """Not everything is on the stick, and nothing is lost. ``why``: missing | foreign | full | read_only | slow |
    silent | broken."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class OtherCopies(Protocol):
    """Where the journal's rows are beside this board."""

    async def second_copy(self) -> SecondCopy | None:
        """How the second medium is; None: none is fitted."""
        ...

    async def to_stick(self) -> StickCopy:
        """Every row that the agency has not acknowledged; an acknowledgement that lies there is taken in first.

        Raises StickTrouble.
        """
        ...


class ServiceState(Protocol):
    """Whether residents are served."""

    @property
    def out_of_service(self) -> bool:
        """Taken out by whoever runs it; not merely closed for the day."""
        ...


class StaffKiosk(Kiosk, Protocol):
    """The kiosk as a staff duty sees it. ``visit`` is one of nobody: it has a card and no holder."""

    @property
    def opening(self) -> ServiceState: ...

    @property
    def component_pad(self) -> TakesComponents | None:
        """The PIN pad where custodians type the parts of keys; None: this one takes none, or is out of order."""
        ...

    @property
    def books(self) -> TerminalBooks: ...

    @property
    def aside(self) -> NoticesAside | None: ...

    @property
    def other_copies(self) -> OtherCopies | None: ...

    async def fleet(self) -> FleetWord | None:
        """What the terminal's agent says of whoever runs it from afar; None: there is no agent."""
        ...

    async def software(self) -> SoftwareWord | None:
        """What runs, what a stick brought and what is on trial; None: the agent does not say."""
        ...

    @property
    def cash_in_need(self) -> tuple[CashModule, ...]:
        """Open cash modules that are out of service until a person has been there."""
        ...

    @property
    def statements(self) -> Statements | None:
        """Details of this terminal's acts; None where no hospital gives any."""
        ...

    @property
    def unusable_hosts(self) -> Mapping[str, str]:
        """Hosts that the settings name and that this terminal must not speak to, and staff's word for why."""
        ...

    @property
    def slot_health(self) -> Mapping[str, Health]:
        """Every fitted slot."""
        ...
