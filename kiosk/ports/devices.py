"""What a class of device can do. Verbs end in success, in a named exception, and never in silence.

Words follow XFS4IoT. Unless a method says otherwise each may raise ``DeviceFault`` (surely not done).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import trio

from kiosk.domain.card import (
    CardIdentity,
    ChipRecord,
    Holder,
    PinProgress,
    PinTemplate,
    PinVerdict,
)
from kiosk.domain.health import Condition, Health
from kiosk.domain.receipt import PaperReceipt
from kiosk.domain.typed_keys import KeyPlace, PartAnswer
from kiosk.ports.hosts import CardPlatform
from kiosk.ports.house import Log
from kiosk.ports.keys import PadKey
from kiosk.ports.questions import Place

Progress = Callable[[PinProgress], None]


@dataclass
class DeviceContext:
    """What a driver gets from the house beside its own settings."""

    slot: str
    report: Callable[[Health], None]  # call at every change; the supervisor logs and greys out services
    log: Log
    run_dir: Path  # private, on tmpfs: spool files and sockets
    neighbours: Mapping[str, Any] = field(default_factory=dict)  # slot -> the driver that fills it now, if any
    card_platform: CardPlatform | None = None  # for the HSM steps where there is no PSAM
    pin_mode: str = "B"
    production: bool = False  # then drivers refuse what is INVENTED (pins-and-keys 10)


class Device(Protocol):
    """What the supervisor needs of any driver, whatever slot it fills.

    A driver module offers ``open_device(options: Mapping[str, object], context: DeviceContext) -> Device`` and is
    named by an entry point of the group ``yikatong.drivers``.

    A driver that can tell offers ``version``, the device's own words; those of a simulator begin with ``SIM``, and no
    production terminal takes such a device.
    """

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Open, identify, recover, call ``task_status.started()`` once usable, then serve until cancelled.

        Raises:
            DeviceFault: could not open, or the device is gone. The supervisor closes, backs off and calls again on a
                fresh object.
        """
        ...


class CardReader(Protocol):
    """Slot ``card_reader``. Any failed transmit ends the insertion: all later verbs raise ``CardGone``."""

    @property
    def card_present(self) -> bool: ...

    async def wait_card(self) -> None:
        """Return when a card is in the slot (at once if it is there already)."""
        ...

    async def wait_no_card(self) -> None:
        """Return when the slot is empty."""
        ...

    async def read_identity(self) -> CardIdentity:
        """Power the card, select the SSSE, read EF05 by tag.

        Raises:
            CardGone: pulled meanwhile.
            DeviceFault: mute card ("card_mute") or no social security card ("card_foreign").
        """
        ...

    async def prove_genuine(self, authority: "CardAuthority") -> None:
        """Internal authentication of the card, then (spec 3.00) external authentication, by PSAM or HSM.

        Raises:
            CardNotGenuine, CardGone.
        """
        ...

    async def read_holder(self) -> Holder:
        """EF06. Only after ``prove_genuine``."""
        ...

    async def read_chip_record(self) -> ChipRecord:
        """What the chip holds for a query without network; empty fields where it holds nothing."""
        ...

    async def same_card(self, identity: CardIdentity) -> bool:
        """Whether the card in the slot now is that card (read again, not remembered)."""
        ...


class CardAuthority(Protocol):
    """Holder of the symmetric card keys: the PSAM in the sam_reader slot, or the province's HSM."""

    async def internal_authentication_ok(self, card: CardIdentity, challenge: bytes, response: bytes) -> bool:
        """Whether ``response`` (16 bytes) is what a genuine card makes of ``challenge`` (16 bytes)."""
        ...

    async def external_authentication(self, card: CardIdentity, card_random: bytes) -> bytes:
        """The 8-byte cryptogram that opens the holder's file for this card's random (8 bytes)."""
        ...


class SamReader(CardAuthority, Protocol):
    """Slot ``sam_reader``: a PSAM. ``serial`` is checked against the blocklist."""

    @property
    def serial(self) -> str: ...


class PinEntry(Protocol):
    """Where the clear PIN meets the card (pins-and-keys 1-6): a reader with its own pad, or the short-lived process."""

    @property
    def mode(self) -> str:
        """ "A" or "B" (weaker; said in doctor and on the staff screen)."""
        ...

    async def verify_chip_pin(self, card: CardIdentity, template: PinTemplate, progress: Progress) -> PinVerdict:
        """One entry, at most one VERIFY. Raises CardGone, DeviceFault; cancelling it is safe before the APDU."""
        ...

    async def change_chip_pin(self, card: CardIdentity, template: PinTemplate, progress: Progress) -> PinVerdict:
        """Current, new and repeated PIN, at most one CHANGE PIN. No status word is UNKNOWN and is not retried."""
        ...


class PinPad(Protocol):
    """Slot ``pin_pad``. No verb returns a digit of a PIN."""

    @property
    def serial(self) -> str: ...

    async def next_key(self) -> PadKey:
        """The next key pressed while a question stands. Keys pressed before the call, up to 8, are waiting."""
        ...

    def forget_keys(self) -> None:
        """Drop keys that are waiting: they were meant for a question that is gone."""
        ...

    async def load_work_key(self, master: int, slot: int, cryptogram: bytes) -> bytes:
        """Load a working key wrapped under a master key; returns the pad's 4-byte check value."""
        ...

    async def pin_block(
        self, master: int, slot: int, pan12: str, template: PinTemplate, progress: Progress
    ) -> bytes | None:
        """Enter a PIN under a working key: the encrypted 8-byte block, or None when cancelled or timed out."""
        ...

    async def mac(self, master: int, slot: int, message: bytes) -> bytes:
        """8-byte MAC of ``message`` (5 to 247 bytes) made inside the pad."""
        ...

    async def answers_forbidden_decrypt(self) -> bool:
        """Whether the pad wrongly decrypts under a PIN key (command 37): then it may not take bank PINs."""
        ...


@runtime_checkable
class ImportsKeys(Protocol):
    """What a pad's driver offers beside its port where the pad itself unwraps keys (pins-and-keys 8)."""

    @property
    def key_forms(self) -> frozenset[str]:
        """Wrappings that this pad opens: ``master`` (ECB under a master key that it holds), ``tr31`` ..."""
        ...

    async def import_wrapped_key(self, form: str, master: int, slot: int, block: bytes) -> bytes:
        """Give the block to the pad; the check value of the key that it holds now. The same block again is harmless.

        Raises:
            DeviceFault: the pad refused it, or is away; what it held before stays.
        """
        ...


@runtime_checkable
class TakesComponents(Protocol):
    """What a pad's driver offers beside its port where custodians type the parts of a key at the pad itself
    (pins-and-keys 8). Parts never leave the pad; two make a key, which replaces the one in its place at once."""

    @property
    def component_digits(self) -> int:
        """Hex digits of one part."""
        ...

    @property
    def component_letters(self) -> str:
        """The pad's keys for A to F, as a person finds them; "" where they are printed there."""
        ...

    async def type_component(self, place: KeyPlace, number: int, progress: Progress) -> PartAnswer:
        """Have the pad ask for part ``number`` (1 or 2); return when it has ended. ``progress`` hears how many digits
        stand. Cancelling it makes the pad forget both parts; number 1 forgets what was typed before it.

        Raises:
            DeviceFault: the pad is away. With number 2 it is then unknown which key is in ``place``.
        """
        ...

    async def forget_components(self) -> None:
        """No part waits in the pad any more; keys stay. Raises DeviceFault."""
        ...


class ReceiptPrinter(Protocol):
    """Slot ``receipt_printer``."""

    async def print_receipt(self, receipt: PaperReceipt) -> None:
        """Return only when the printer said that it printed.

        Raises:
            DeviceFault: surely nothing printed (``paper_out``, ``cover_open`` ... before the first byte).
            OutcomeUnknown: bytes went out and no confirmation came.
        """
        ...


@runtime_checkable
class OutletEye(Protocol):
    """What a printer offers beside its port where it sees what lies in its outlet."""

    @property
    def paper_waiting(self) -> bool | None:
        """Whether a receipt lies there; None: this model has no eye there, or it does not answer."""
        ...

    async def wait_taken(self) -> None:
        """Return when nothing lies there; never while ``paper_waiting`` is None."""
        ...

    async def withdraw(self) -> bool:
        """Take back what lies there, so that no stranger reads it; within half a minute. False: it cannot."""
        ...


class PagePrinter(Protocol):
    """Slot ``page_printer``."""

    async def print_pdf(self, pdf: bytes, job_key: str) -> None:
        """Return only at job-state completed.

        Raises:
            DeviceFault: refused, aborted, or out of paper before the job was taken.
            OutcomeUnknown: taken, and then silence.
        """
        ...


@dataclass(frozen=True)
class Shine:
    """Which lamps are on. A place in ``blinking`` need not be in ``steady``; nothing blinks faster than 2 Hz."""

    steady: frozenset[Place] = frozenset()
    blinking: frozenset[Place] = frozenset()


DARK = Shine()


class Lights(Protocol):
    """Slot ``lights``: a lamp at each place where hands go. No service needs it: without one everything is served.

    Its driver darkens every lamp when it opens and when it ends.
    """

    def shine(self, shine: Shine) -> None:
        """What shall be lit from now on. Returns at once and never raises: a slow or silent board holds up nobody.

        What was wanted before and is not done yet is dropped. Places without a lamp are passed over.
        """
        ...


class HeadsetJack(Protocol):
    """Slot ``headset``: whether one is plugged in. No service needs it: without one nothing personal is spoken."""

    @property
    def plugged(self) -> bool:
        """False also while nothing is known."""
        ...

    async def wait_change(self) -> None:
        """Return at the next change of ``plugged``."""
        ...


READY = Health(Condition.READY)
