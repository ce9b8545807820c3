"""Driver for ESC/POS receipt printers on a serial line or USB.

A receipt counts as printed only after the printer, asked behind the last byte, answered that everything before was
processed, and still answers afterwards. Silence is unknown. Sources: Epson ESC/POS reference and the field reports
named in docs/devices/printer_escpos.md.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import trio

from drivers.options import OptionError
from drivers.printer.escpos import codec
from drivers.printer.escpos.composer import Piece, batches, compose
from drivers.printer.escpos.conversation import Conversation, Silent
from drivers.printer.escpos.options import Options, read_options
from drivers.printer.escpos.outlet import LOOK_S, Outlet
from drivers.printer.escpos.status import Fence, reasons
from drivers.printer.printed import PRINTED, STARTED, PrintedKeys
from drivers.printer.raster import FontMissing, Pen
from drivers.transport.line import Line, LineLost
from kiosk.domain.health import Condition, Health
from kiosk.domain.receipt import PaperReceipt
from kiosk.ports import DeviceContext, DeviceFault, OutcomeUnknown

OpenLine = Callable[[Options], Awaitable[Line]]
_CLEAR_S = 1.0
_VAGUE = {"printer_error": 1, "offline": 2}
_WARM_AFTER_S = 3.0  # of the start: the first page stands by then, and nobody waits for a receipt
_WATCH_S = 0.5  # between two looks at the status while a confirmation is awaited


class _Stopped(Exception):
    """The receipt cannot go on; ``why`` is a reason word."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass
class _Outstanding:
    """Bytes and paper lines that the printer has and did not confirm."""

    length: int = 0
    lines: int = 0


async def _warm(pen: Pen) -> None:
    await trio.sleep(_WARM_AFTER_S)
    try:
        for _ in pen.warm():
            await trio.lowlevel.checkpoint()
    except FontMissing:
        return  # said when a line must be drawn


def open_device(options: Mapping[str, object], context: DeviceContext) -> "EscposPrinter":
    """Entry point ``escpos``. Raises DeviceFault ("bad_settings")."""
    try:
        read = read_options(options)
    except OptionError as error:
        context.log("bad_settings", slot=context.slot, driver="escpos", error=str(error))
        raise DeviceFault(context.slot, Health(Condition.FAULT, "bad_settings")) from error
    return EscposPrinter(read, context, open_line)


async def open_line(options: Options) -> Line:
    """Raises LineLost."""
    if options.transport == "usb":
        from drivers.transport.usb import open_usb

        return await open_usb(options.usb_vendor, options.usb_product, options.usb_serial)
    from drivers.transport.serial_port import open_serial_line

    return open_serial_line(options.port, options.baud, options.parity)


class EscposPrinter:
    """Implements ports.ReceiptPrinter, ports.OutletEye and ports.Device."""

    def __init__(self, options: Options, context: DeviceContext, open_line: OpenLine) -> None:
        self._options = options
        self._context = context
        self._open_line = open_line
        self._pen = Pen(options.dots, options.columns, options.font_chain)
        self._printed = PrintedKeys(context.run_dir / f"{context.slot}.printed.json")
        self._talk = trio.Lock()
        self._conversation: Conversation | None = None
        self._health: Health | None = None
        self._fences = 0
        self._outlet = Outlet(seen=options.outlet != "none")

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Open, drop what an earlier process left in the buffer, then watch the status until cancelled.

        Raises:
            DeviceFault: no line, silent or out of order at the start, line lost, or silent for too long.
        """
        try:
            line = await self._open_line(self._options)
        except LineLost as lost:
            condition = Condition.FAULT if lost.reason == "busy" else Condition.ABSENT
            raise DeviceFault(self._context.slot, Health(condition, lost.reason)) from lost
        conversation = self._conversation = Conversation(
            line, self._options.reply_s, full_status=self._options.outlet != "none"
        )
        ended = Health(Condition.ABSENT, "lost")
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_listen, conversation, nursery.cancel_scope)
                nursery.start_soon(_warm, self._pen)
                ended = await self._watch(conversation, task_status)
                nursery.cancel_scope.cancel()
        finally:
            self._conversation = None
            self._outlet.note(None)
            line.close()
        raise DeviceFault(self._context.slot, ended)

    async def _watch(self, conversation: Conversation, task_status: trio.TaskStatus[None]) -> Health:
        """Returns the health that ends this opening of the device."""
        try:
            await self._drop_leftovers(conversation)
            health = await self._look(conversation)
            if not health.condition.usable:
                return health
            await self._outlet.look(conversation)
            self._tell(health)
            task_status.started()
            await self._poll(conversation)
        except (LineLost, trio.EndOfChannel):
            return Health(Condition.ABSENT, "lost")
        return Health(Condition.FAULT, "silent")

    async def _poll(self, conversation: Conversation) -> None:
        """Returns once the printer was silent too often; opening the line anew may help it."""
        silent = 0
        while silent < self._options.silent_polls_max:
            poll_s = self._options.poll_s
            await trio.sleep(min(poll_s, LOOK_S) if self._outlet.waiting else poll_s)
            async with self._talk:
                health = await self._look(conversation)
                await self._outlet.look(conversation)
                self._tell(health)
            silent = silent + 1 if health.condition is Condition.UNKNOWN else 0

    async def _drop_leftovers(self, conversation: Conversation) -> None:
        """Half a receipt of an earlier process must not come out in the next resident's hands."""
        try:
            await conversation.send(codec.CLEAR_BUFFERS, _CLEAR_S)
        except Silent:
            self._context.log("buffers_not_cleared", slot=self._context.slot)

    async def _look(self, conversation: Conversation) -> Health:
        """Health by two questions when all is well, by four when the printer is offline."""
        try:
            words = await self._reasons(conversation, (1, 4))
            if "offline" in words:
                words = await self._reasons(conversation, (2, 3, 4)) or words
        except Silent:
            return Health(Condition.UNKNOWN, "silent")
        return _health(words)

    async def _reasons(self, conversation: Conversation, questions: tuple[int, ...]) -> list[str]:
        words: list[str] = []
        for question in questions:
            words += reasons(question, await conversation.ask(question))
        return words

    def _tell(self, health: Health) -> None:
        if health != self._health:
            self._health = health
            self._context.report(health)

    @property
    def paper_waiting(self) -> bool | None:
        """See ports.OutletEye."""
        return self._outlet.waiting

    async def wait_taken(self) -> None:
        """See ports.OutletEye."""
        await self._outlet.wait_taken()

    async def withdraw(self) -> bool:
        """See ports.OutletEye. Sent once: a second one could catch the paper of the next receipt."""
        command, conversation = bytes.fromhex(self._options.withdraw), self._conversation
        if not command or conversation is None:
            return False
        async with self._talk:
            try:
                await conversation.send(command, self._options.flow_s_max)
                return await self._outlet.emptied(conversation)
            except (Silent, LineLost, trio.EndOfChannel):
                return False

    async def print_receipt(self, receipt: PaperReceipt) -> None:
        """See ports.ReceiptPrinter. The same key again: returns if it was printed, OutcomeUnknown if it was tried.

        Once the first byte is out it cannot be cancelled; it ends within the deadlines of the options.
        """
        async with self._talk:
            if self._known(receipt.key):
                return
            conversation = self._conversation
            if conversation is None:
                raise DeviceFault(self._context.slot, Health(Condition.ABSENT, "lost"))
            pieces = self._compose(receipt)
            await self._gate(conversation)
            self._printed.note(receipt.key, STARTED)
            with trio.CancelScope(shield=True):
                await self._put_out(conversation, pieces)
                self._printed.note(receipt.key, PRINTED)

    def _known(self, key: str) -> bool:
        state = self._printed.state(key)
        if state == STARTED:
            raise OutcomeUnknown(self._context.slot, "already_tried")
        if state == PRINTED:
            self._context.log("receipt_already_printed", slot=self._context.slot, job=key)
        return state == PRINTED

    def _compose(self, receipt: PaperReceipt) -> list[Piece]:
        lines = [(line.words, line.style.value) for line in receipt.lines]
        try:
            return compose(lines, receipt.qr, self._options.paper, self._pen)
        except FontMissing as missing:
            raise DeviceFault(self._context.slot, Health(Condition.FAULT, "font_missing")) from missing

    async def _gate(self, conversation: Conversation) -> None:
        """The printer's word, asked now: an older one may be wrong. Nothing was sent yet."""
        try:
            health = _health(await self._reasons(conversation, codec.QUESTIONS))
        except Silent:
            health = Health(Condition.UNKNOWN, "silent")
        except (LineLost, trio.EndOfChannel):
            health = Health(Condition.ABSENT, "lost")
        self._tell(health)
        if not health.condition.usable:
            raise DeviceFault(self._context.slot, health)

    async def _put_out(self, conversation: Conversation, pieces: list[Piece]) -> None:
        """From the first byte on: printed, or OutcomeUnknown with the rest of the receipt dropped."""
        self._tell(Health(Condition.BUSY))
        conversation.start_anew()
        try:
            await self._send_all(conversation, pieces)
            words = await self._reasons(conversation, codec.QUESTIONS)  # a lone 00 is also what a power-off looks like
            if "paper_out" in words:
                raise _Stopped("paper_out")
            await self._outlet.look(conversation)
        except (_Stopped, Silent, LineLost, trio.EndOfChannel) as stop:
            why = stop.why if isinstance(stop, _Stopped) else "silent" if isinstance(stop, Silent) else "lost"
            await self._abandon(conversation, why)
            raise OutcomeUnknown(self._context.slot, why) from stop
        self._tell(_health(words))

    async def _send_all(self, conversation: Conversation, pieces: list[Piece]) -> None:
        """Never more than ``window_bytes`` unconfirmed: long receipts overflow the buffers of cheap printers."""
        options = self._options
        out = _Outstanding()
        for batch in batches(pieces, options.batch_bytes):
            if out.length and out.length + len(batch.bytes_) > options.window_bytes:
                await self._confirm(conversation, out)
                out = _Outstanding()
            await conversation.send(batch.bytes_, options.flow_s_max + options.wire_s(len(batch.bytes_)))
            out.length += len(batch.bytes_)
            out.lines += batch.paper_lines
            await self._still_fine(conversation)
        await self._confirm(conversation, out)

    async def _confirm(self, conversation: Conversation, out: _Outstanding) -> None:
        """Wait until the printer says that all of it was processed, watching its status meanwhile."""
        options = self._options
        self._fences += 1
        by_status = options.fence == "status"
        conversation.forget_done()
        await conversation.send(codec.FENCE if by_status else codec.process_fence(self._fences), options.flow_s_max)
        deadline = trio.current_time() + options.confirm_s_base
        deadline += 2 * options.wire_s(out.length) + options.line_s * out.lines
        while (left_s := deadline - trio.current_time()) > 0:
            done = await conversation.confirmation(min(_WATCH_S, left_s))
            if isinstance(done, Fence) and by_status:
                if done.paper_out:
                    raise _Stopped("paper_out")
                return
            if done is not None and not isinstance(done, Fence):
                if not by_status and done.digits == codec.process_digits(self._fences):
                    return
                continue
            await self._still_fine(conversation)
        raise _Stopped("no_confirmation")

    async def _still_fine(self, conversation: Conversation) -> None:
        """Raises _Stopped with the reason, after an offline without reason had its time to pass."""
        flapping_until = trio.current_time() + self._options.offline_s_max
        while True:
            health = await self._look(conversation)
            if health.condition is Condition.UNKNOWN:
                health = await self._look(conversation)  # asking is idempotent
            if health.condition.usable:
                return
            if health.reason != "offline" or trio.current_time() > flapping_until:
                raise _Stopped(health.reason)
            await trio.sleep(min(_WATCH_S, self._options.poll_s))

    async def _abandon(self, conversation: Conversation, why: str) -> None:
        """Empty the printer, so that the rest does not come out when the paper is replaced."""
        self._tell(Health(Condition.UNKNOWN if why in ("silent", "no_confirmation") else Condition.FAULT, why))
        self._context.log("receipt_abandoned", slot=self._context.slot, why=why)
        stop = codec.CLEAR_BUFFERS + (codec.RECOVER_AND_CLEAR if why in ("cutter", "head_hot") else b"")
        try:
            await conversation.send(stop, _CLEAR_S)
        except (Silent, LineLost):
            self._context.log("buffers_not_cleared", slot=self._context.slot)


async def _listen(conversation: Conversation, scope: trio.CancelScope) -> None:
    try:
        await conversation.listen()
    except LineLost:
        scope.cancel()


def _health(words: list[str]) -> Health:
    """The first precise reason decides; those that say little only where there is no other."""
    worst = sorted((word for word in words if word != "paper_low"), key=lambda word: _VAGUE.get(word, 0))
    if worst:
        return Health(Condition.FAULT, worst[0])
    return Health(Condition.DEGRADED, "paper_low") if "paper_low" in words else Health(Condition.READY)
