"""Slot ``lights``: lamps behind the relays of an LCUS board. Facts and settings: docs/devices/lights_lcus.md.

The wish is kept here and carried out beside everything else, so that nobody waits for a lamp. A command may be
repeated: it says how a relay shall be. What the board tells of its relays is compared with the wish, and mended.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import trio

from drivers.lights.lcus import codec
from drivers.lights.lcus.codec import CHANNELS_MAX, Relay
from drivers.options import OptionError
from drivers.options import read_options as read_fields
from drivers.transport.line import Line, LineLost
from kiosk.domain.health import Condition, Health
from kiosk.ports import DARK, DeviceContext, DeviceFault, Place, Shine

OFF_S_MAX = 2.0  # to darken a board at the end
STUBBORN_LOOKS_MAX = 3  # a relay that is found wrong so often does not obey


@dataclass(frozen=True)
class LcusSettings:
    """Which relay lights which place; 0: no lamp there."""

    path: str = "/dev/kiosk/lights"
    baud: int = 9600
    card_slot: int = 1
    pin_pad: int = 2
    receipt_outlet: int = 3
    page_outlet: int = 4
    note_slot: int = 5
    note_outlet: int = 6
    status: str = "lines"  # lines: FF is answered | none: the board never answers, so nothing is known of it
    gap_s: float = 0.1  # between two commands: boards take one at a time
    blink_s: float = 0.5  # on, and as long off: 1 Hz
    poll_s: float = 5.0
    reply_s: float = 0.5
    silent_polls_max: int = 3

    @property
    def channels(self) -> dict[Place, int]:
        return {place: channel for place in Place if (channel := getattr(self, place.value))}


def read_options(options: Mapping[str, object]) -> LcusSettings:
    """Raises OptionError: unknown name, wrong type, or value out of its range."""
    read: LcusSettings = read_fields(LcusSettings, options)
    used = list(read.channels.values())
    rules = {
        f"relays lie between 0 and {CHANNELS_MAX}": all(0 <= one <= CHANNELS_MAX for one in used),
        "each lamp has a relay of its own": len(set(used)) == len(used),
        "status is lines or none": read.status in ("lines", "none"),
        "nothing blinks faster than 2 Hz": read.blink_s >= 0.25,
        "waits are positive": min(read.gap_s, read.poll_s, read.reply_s, read.silent_polls_max) > 0,
    }
    for rule, holds in rules.items():
        if not holds:
            raise OptionError(rule)
    return read


def open_device(options: Mapping[str, object], context: DeviceContext) -> "LcusLights":
    """Entry point ``lcus``.

    Raises:
        OptionError.
    """
    from drivers.transport.serial_port import open_serial_line

    settings = read_options(options)
    return LcusLights(settings, context, lambda: open_serial_line(settings.path, settings.baud))


class LcusLights:
    """Implements ``ports.Lights`` and ``ports.Device``."""

    def __init__(self, settings: LcusSettings, context: DeviceContext, open_line: Callable[[], Line]) -> None:
        self._settings, self._context, self._open_line = settings, context, open_line
        self._channels = settings.channels
        self._wish = DARK
        self._wished = trio.Event()
        self._as_told: dict[int, bool] = {}  # relay -> as last commanded, or as the board said since
        self._answers: dict[int, bool] = {}  # of the status question that is open
        self._answered = trio.Event()
        self._stubborn = 0
        self._health: Health | None = None

    def shine(self, shine: Shine) -> None:
        if shine != self._wish:
            self._wish = shine
            self._wished.set()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled; dark at the start and at the end.

        Raises:
            DeviceFault: no line, silent (UNKNOWN) at the start or for ``silent_polls_max`` questions, or the line lost.
        """
        try:
            line = self._open_line()
        except LineLost as lost:
            condition = Condition.FAULT if lost.reason == "busy" else Condition.ABSENT
            raise DeviceFault(self._context.slot, Health(condition, lost.reason)) from lost
        ended = Health(Condition.ABSENT, "lost")
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._listen, line, nursery.cancel_scope)
                ended = await self._serve(line, task_status)
                nursery.cancel_scope.cancel()
        finally:
            with trio.move_on_after(OFF_S_MAX, shield=True), suppress(LineLost):
                await self._darken(line)
            line.close()
        raise DeviceFault(self._context.slot, ended)

    async def _listen(self, line: Line, scope: trio.CancelScope) -> None:
        decoder = codec.Decoder()
        try:
            while True:
                for relay in decoder.receive(await line.receive()):
                    self._hear(relay)
        except LineLost:
            scope.cancel()

    def _hear(self, relay: Relay) -> None:
        if relay.channel in self._channels.values():
            self._answers[relay.channel] = relay.on
        if len(self._answers) == len(self._channels):
            self._answered.set()

    async def _serve(self, line: Line, task_status: trio.TaskStatus[None]) -> Health:
        """Returns the health that ends this opening of the board."""
        try:
            # Asked first: a board that is dark already, as nearly always, costs one answer instead of a gap a lamp.
            if not await self._look(line):
                return Health(Condition.UNKNOWN, "silent")
            await self._darken(line)
            task_status.started()
            return await self._keep(line)
        except LineLost:
            return Health(Condition.ABSENT, "lost")

    async def _keep(self, line: Line) -> Health:
        """Carry out the wish, blink, and look now and then whether the board did. Returns once it is silent."""
        silent, look_at = 0, trio.current_time() + self._settings.poll_s
        while silent < self._settings.silent_polls_max:
            self._wished = trio.Event()
            change_at = await self._carry_out(line)
            if trio.current_time() >= look_at:
                silent = 0 if await self._look(line) else silent + 1
                look_at = trio.current_time() + self._settings.poll_s
                continue
            with trio.move_on_at(min(change_at, look_at)):
                await self._wished.wait()
        return Health(Condition.FAULT, "silent")

    async def _carry_out(self, line: Line) -> float:
        """Switch what must be switched for this moment; when the lamps change next by themselves."""
        blink_s = self._settings.blink_s
        phase = int(trio.current_time() // blink_s)
        wish = self._wish
        lit = wish.steady | wish.blinking if phase % 2 == 0 else wish.steady - wish.blinking
        on = {channel for place, channel in self._channels.items() if place in lit}
        await self._switch(line, ((channel, channel in on) for channel in self._channels.values()))
        return (phase + 1) * blink_s if wish.blinking else float("inf")

    async def _switch(self, line: Line, states: Iterable[tuple[int, bool]]) -> None:
        for channel, on in states:
            if self._as_told.get(channel) != on:
                await line.send(codec.switch(channel, on))  # absolute, so that repeating it harms nothing
                self._as_told[channel] = on
                await trio.sleep(self._settings.gap_s)

    async def _darken(self, line: Line) -> None:
        """Every relay of ours that is on, or of which nothing is known yet."""
        await self._switch(line, ((channel, False) for channel in self._channels.values()))

    async def _look(self, line: Line) -> bool:
        """Ask for all relays and take the board's word for them. False: it is silent. Asking is harmless."""
        if self._settings.status == "none":
            self._tell(Health(Condition.DEGRADED, "unconfirmed"))
            return True
        self._answers, self._answered = {}, trio.Event()
        with trio.move_on_after(self._settings.reply_s) as patience:
            await line.send(codec.STATUS)
            await self._answered.wait()
        if patience.cancelled_caught:
            self._tell(Health(Condition.UNKNOWN, "silent"))
            return False
        await trio.sleep(self._settings.gap_s)  # a question is a command, too
        wrong = any(self._as_told.get(channel, on) != on for channel, on in self._answers.items())
        self._stubborn = self._stubborn + 1 if wrong else 0
        self._as_told.update(self._answers)
        stuck = self._stubborn >= STUBBORN_LOOKS_MAX
        self._tell(Health(Condition.DEGRADED, "relay_stuck") if stuck else Health(Condition.READY))
        return True

    def _tell(self, health: Health) -> None:
        if health != self._health:
            self._health = health
            self._context.report(health)
