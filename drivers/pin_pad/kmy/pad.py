"""A pad of the KMY family in the slot ``pin_pad``: implements ``ports.PinPad`` and ``ports.Device``.

Only ever in secure mode: digits of a PIN come as stars. Plain mode is used by nobody but the short-lived process of
pins-and-keys mode B, over the line that ``lend_line`` lends; the driver forces it off and reads it back at start and
when it gets the line again.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import trio

from drivers.pin_pad.kmy import codec
from drivers.pin_pad.kmy.codec import Key, Keypad, Parameter
from drivers.pin_pad.kmy.component_entry import ComponentEntry
from drivers.pin_pad.kmy.conversation import Conversation, PadRefused, PadSilent, PadStopped
from drivers.pin_pad.kmy.secure_entry import ClearDigits, EntryCut, SecureEntry
from drivers.pin_pad.kmy.settings import PadSettings
from drivers.transport.line import Line, LineLost
from kiosk.domain.card import PinTemplate
from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceContext, DeviceFault, PadKey
from kiosk.ports.devices import Progress

KEYS_WAITING_MAX = 8
MAC_SEQUENCES_MAX = 2
SWITCH_OFF_S_MAX = 1.0
TIDY_S_MAX = 8.0  # of every shielded section: two commands, three tries each

PAD_KEYS: dict[int, PadKey] = {
    **{0x30 + digit: PadKey(str(digit)) for digit in range(10)},
    **{0x40 + number: PadKey(f"f{number}") for number in range(1, 9)},
    Key.POINT: PadKey.POINT,
    Key.DOUBLE_ZERO: PadKey.DOUBLE_ZERO,
    Key.ENTER: PadKey.ENTER,
    Key.CLEAR: PadKey.CLEAR,
    Key.CANCEL: PadKey.CANCEL,
}

OpenLine = Callable[[], Line]


class KmyPad:
    """See the module. ``open_line`` raises LineLost; everything else starts in ``run``."""

    def __init__(self, settings: PadSettings, context: DeviceContext, open_line: OpenLine) -> None:
        self._settings = settings
        self._context = context
        self._open_line = open_line
        self._health = Health(Condition.STARTING)
        self._talk: Conversation | None = None
        self._turns = trio.Lock()
        self._fault: DeviceFault | None = None
        self._ended = trio.Event()
        self._started = False
        self._warning = ""
        self._silences = 0  # tries in vain, one after another
        self._mode: Keypad | None = None
        self._askers = 0  # tasks inside next_key
        self._keys_in, self._keys_out = trio.open_memory_channel[PadKey](KEYS_WAITING_MAX)
        self._entry: SecureEntry | ComponentEntry | None = None  # while a PIN or a part of a key is typed
        self._version = self._serial = ""

    # --- Device ---------------------------------------------------------------------------------------------------

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        line = self._opened()
        talk = Conversation(line, self._settings, self._take_key, self._take_status, self._take_silence)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._listen, talk)
                fault = await self._serve(talk, task_status)
                nursery.cancel_scope.cancel()
            raise fault
        finally:
            self._talk = None
            self._end_waits()
            await self._switch_off(line)
            line.close()

    async def _switch_off(self, line: Line) -> None:
        """No key is meant for anybody now. One try without waiting for the reply: the next start makes sure."""
        with trio.move_on_after(SWITCH_OFF_S_MAX, shield=True), suppress(LineLost):
            async with self._turns:  # a verb that is being cancelled, or a loan that is coming back
                await line.send(codec.encode(codec.keypad(Keypad.OFF), self._settings.framing))

    def _opened(self) -> Line:
        try:
            return self._open_line()
        except LineLost as lost:
            absent = Health(Condition.ABSENT, "unplugged")
            raise self._fail(absent if lost.reason == "absent" else Health(Condition.FAULT, "line_busy")) from lost

    async def _listen(self, talk: Conversation) -> None:
        await talk.listen()
        self._fail(Health(Condition.ABSENT, "unplugged"))

    async def _serve(self, talk: Conversation, task_status: trio.TaskStatus[None]) -> DeviceFault:
        """Everything between opening and the fault that ends it."""
        self._talk = talk
        try:
            async with self._turn():
                await self._start(talk)
            task_status.started()
            while not self._ended.is_set():
                with trio.move_on_after(self._settings.heartbeat_s):
                    await self._ended.wait()
                    break
                await self._heartbeat()
        except DeviceFault as fault:
            return fault
        assert self._fault is not None
        return self._fault

    async def _start(self, talk: Conversation) -> None:
        await talk.ask(codec.reset())
        answer = (await talk.ask(codec.identify())).data.decode("ascii", "replace")
        self._version, self._serial = answer[:16].strip(), answer[16:24].strip()
        if not self._serial:
            self._serial = (await talk.ask(codec.read_serial())).data.decode("ascii", "replace").strip()
        if self._settings.refuse_simulator and self._version.startswith("SIM"):
            raise self._fail(Health(Condition.FAULT, "simulator_refused"))
        await self._force_plain_mode_off(talk)
        self._context.log("pin_pad_open", slot=self._context.slot, driver="kmy", version=self._version)
        self._started = True
        self._settle()

    async def _heartbeat(self) -> None:
        """See that the pad is there and still in the mode it was put into; after a power cut it is not."""
        async with self._turn() as talk:
            self._warning = ""
            if not self._settings.mode_readback:
                await talk.ask(codec.identify())
            elif (mode := (await talk.ask(codec.keypad(Keypad.ASK))).data[0]) != self._mode:
                self._context.log("pin_pad_restarted", slot=self._context.slot, expected=self._mode, mode=mode)
                await self._force_plain_mode_off(talk)
                await self._restore_keys(talk)
            self._settle()

    # --- health ---------------------------------------------------------------------------------------------------

    def _report(self, health: Health) -> None:
        if health != self._health:
            self._health = health
            self._context.report(health)

    def _settle(self) -> None:
        degraded = Health(Condition.DEGRADED, self._warning)
        self._report(degraded if self._warning else Health(Condition.READY))

    def _fail(self, health: Health) -> DeviceFault:
        """End ``run`` with this fault, and every verb that waits; the supervisor starts again with a fresh object."""
        if self._fault is None:
            self._fault = DeviceFault(self._context.slot, health)
            self._report(health)
            self._ended.set()
            self._end_waits()
        return self._gone()

    def _end_waits(self) -> None:
        self._keys_in.close()
        if self._entry is not None:
            self._entry.cut()

    def _gone(self) -> DeviceFault:
        health = self._fault.health if self._fault else Health(Condition.ABSENT, "not_open")
        return DeviceFault(self._context.slot, health)

    def _take_status(self, status: int) -> None:
        self._silences = 0
        self._warning = codec.WARNINGS.get(status, self._warning)
        if self._started:
            self._settle()

    def _take_silence(self) -> None:
        """One lost frame is no news: it must not grey out services for a second."""
        self._silences += 1
        if self._silences > 1:
            self._report(Health(Condition.UNKNOWN, "silent"))

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[Conversation]:
        """One verb at a time; what the conversation raises becomes what the port promises."""
        async with self._turns:
            if self._fault is not None or self._talk is None:
                raise self._gone()
            try:
                yield self._talk
            except PadStopped as stopped:
                raise self._gone() from stopped
            except (LineLost, PadSilent, PadRefused) as failure:
                raise self._translated(failure) from failure

    def _translated(self, failure: LineLost | PadSilent | PadRefused) -> DeviceFault:
        if isinstance(failure, PadRefused):
            return self._refusal(failure.status)
        if isinstance(failure, PadSilent):
            return self._fail(Health(Condition.UNKNOWN, "silent"))
        return self._fail(Health(Condition.ABSENT, "unplugged"))

    def _refusal(self, status: int) -> DeviceFault:
        """A pad without its master key still takes keys and the chip's PIN, so that alone does not end ``run``."""
        word = codec.FAULTS.get(status)
        if word == "master_key_invalid":
            self._warning = word
            self._settle()
        elif word is not None:
            return self._fail(Health(Condition.FAULT, word))
        reason = word or codec.REFUSALS.get(status, "refused")
        return DeviceFault(self._context.slot, Health(Condition.FAULT, reason))

    # --- keys -----------------------------------------------------------------------------------------------------

    @property
    def serial(self) -> str:
        return self._serial

    @property
    def version(self) -> str:
        """The pad's own words; those of a simulator begin with ``SIM``."""
        return self._version

    async def next_key(self) -> PadKey:
        self._askers += 1
        try:
            if self._mode is not Keypad.ON:
                async with self._turn() as talk:
                    await self._restore_keys(talk)
            return await self._keys_out.receive()
        except trio.EndOfChannel as ended:
            raise self._gone() from ended
        finally:
            self._askers -= 1

    def forget_keys(self) -> None:
        while self._keys_out.statistics().current_buffer_used:
            self._keys_out.receive_nowait()

    def _take_key(self, value: int) -> None:
        try:
            if self._entry is not None:
                self._entry.take(value)
            elif self._mode is Keypad.ON and value in PAD_KEYS:
                self._keys_in.send_nowait(PAD_KEYS[value])
        except trio.WouldBlock:
            self._context.log("pin_pad_key_dropped", slot=self._context.slot, reason="too_many_waiting")
        except trio.ClosedResourceError:
            return  # the fault that closed it is told already

    async def _set_mode(self, talk: Conversation, mode: Keypad) -> None:
        self._mode = None
        await talk.ask(codec.keypad(mode))
        self._mode = mode

    async def _restore_keys(self, talk: Conversation) -> None:
        """The keypad is on exactly while a question waits for a key, and stays on between two questions."""
        if self._askers and self._mode is not Keypad.ON:
            await self._set_mode(talk, Keypad.ON)

    async def _force_plain_mode_off(self, talk: Conversation) -> None:
        """Off, and read back: a pad that merely says "ok" has not left plain mode."""
        await self._set_mode(talk, Keypad.OFF)
        if not self._settings.mode_readback:
            return
        if (await talk.ask(codec.keypad(Keypad.ASK))).data != bytes((Keypad.OFF,)):
            raise self._fail(Health(Condition.FAULT, "plain_mode_stuck"))

    # --- keys of the other kind: PIN block, MAC ---------------------------------------------------------------------

    async def load_work_key(self, master: int, slot: int, cryptogram: bytes) -> bytes:
        async with self._turn() as talk:
            await talk.ask(codec.parameter(Parameter.KEY_LOADING, codec.TRIPLE_DES))
            return (await talk.ask(codec.load_work_key(master, slot, cryptogram))).data

    key_forms = frozenset({"master"})  # ImportsKeys: command 33 unwraps ECB under a master key

    async def import_wrapped_key(self, form: str, master: int, slot: int, block: bytes) -> bytes:
        assert form in self.key_forms, "asked before"
        return await self.load_work_key(master, slot, block)

    async def mac(self, master: int, slot: int, message: bytes) -> bytes:
        async with self._turn() as talk:
            for _ in range(MAC_SEQUENCES_MAX - 1):  # begun again after silence: a MAC changes nothing in the pad
                try:
                    return await self._mac_once(talk, master, slot, message)
                except PadSilent:
                    continue
            return await self._mac_once(talk, master, slot, message)

    async def _mac_once(self, talk: Conversation, master: int, slot: int, message: bytes) -> bytes:
        algorithm = codec.MAC_ALGORITHMS[self._settings.mac_algorithm]
        await talk.ask(codec.parameter(Parameter.MAC_ALGORITHM, algorithm))
        await self._activate(talk, master, slot)
        return (await talk.ask(codec.mac(message))).data

    async def _activate(self, talk: Conversation, master: int, slot: int) -> None:
        await talk.ask(codec.parameter(Parameter.WORKING, codec.TRIPLE_DES))
        await talk.ask(codec.activate(master, slot))

    async def answers_forbidden_decrypt(self) -> bool:
        async with self._turn() as talk:
            await self._activate(talk, self._settings.pin_master, self._settings.pin_slot)
            try:
                await talk.ask(codec.decrypt(bytes(8)))
            except PadRefused as refused:
                if refused.status in codec.REFUSALS:
                    return False
                raise
            return True

    async def pin_block(
        self, master: int, slot: int, pan12: str, template: PinTemplate, progress: Progress
    ) -> bytes | None:
        async with self._turn() as talk:
            try:
                await self._prepare_entry(talk, master, slot, pan12, template)
                self._entry = entry = SecureEntry(talk, template, progress, self._settings.tries)
                finished = await entry.finished()
                return (await talk.ask(codec.read_pin_block())).data if finished else None
            except ClearDigits as clear:
                raise self._fail(Health(Condition.FAULT, "plain_mode_stuck")) from clear
            except EntryCut as cut:
                raise self._gone() from cut
            finally:
                await self._leave_entry(talk)

    async def _prepare_entry(
        self, talk: Conversation, master: int, slot: int, pan12: str, template: PinTemplate
    ) -> None:
        """The order matters: most commands close the encryption state with their reply."""
        self._mode = None
        await talk.ask(codec.reset())
        await talk.ask(codec.account(pan12))
        await talk.ask(codec.parameter(Parameter.AUTO_ENTER, False))
        await self._activate(talk, master, slot)

    async def _leave_entry(self, talk: Conversation) -> None:
        """Always, also when cancelled: no pad is left waiting for a PIN that nobody will read.

        A failure here ends ``run``, but does not take back a PIN block or hide what made the entry end.
        """
        self._entry = None
        with trio.CancelScope(shield=True, deadline=trio.current_time() + TIDY_S_MAX) as tidy:
            try:
                await self._set_mode(talk, Keypad.OFF)
                await self._restore_keys(talk)
            except PadStopped:
                return  # ``run`` is ending, and switches off
            except (LineLost, PadSilent, PadRefused) as failure:
                self._translated(failure)
        if tidy.cancelled_caught:
            self._fail(Health(Condition.UNKNOWN, "silent"))

    # --- pins-and-keys mode B -----------------------------------------------------------------------------------------

    @asynccontextmanager
    async def lend_line(self) -> AsyncIterator[tuple[int, dict[str, str | bool]]]:
        """The pad's line for another process: its descriptor, and the framing as ``Framing.from_options`` takes it.

        Nobody reads the line meanwhile. Afterwards plain mode is forced off and read back, whatever happened.

        Raises:
            DeviceFault: the pad is not idle or cannot be read back; or afterwards "plain_mode_stuck", "silent" or
                "unplugged": then the pad is out of service.
        """
        async with self._turn() as talk:
            if not self._settings.mode_readback:
                raise DeviceFault(self._context.slot, Health(Condition.FAULT, "mode_readback_missing"))
            await self._set_mode(talk, Keypad.OFF)
            descriptor = await talk.lend()
            try:
                yield descriptor, self._settings.framing.options()
            finally:
                talk.take_back()
                await self._confirm_return(talk)

    async def _confirm_return(self, talk: Conversation) -> None:
        with trio.CancelScope(shield=True, deadline=trio.current_time() + TIDY_S_MAX) as tidy:
            try:
                await self._force_plain_mode_off(talk)
                await self._restore_keys(talk)
            except PadStopped:
                return  # ``run`` is ending: it switches off, and the next start makes sure
        if tidy.cancelled_caught:
            raise PadSilent
