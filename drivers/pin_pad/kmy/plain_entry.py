"""PIN entry in plain mode over a descriptor that the driver lent: for the short-lived process of pins-and-keys mode B.

Synchronous on purpose: no event loop, no log, no thread. Bytes are read into memory that is wiped afterwards; what the
kernel's tty layer copied cannot be wiped and dies with the line's buffers.
"""

import os
import select
import time
from collections import deque
from collections.abc import Callable

from drivers.pin_pad.kmy import codec
from drivers.pin_pad.kmy.codec import Command, Event, Framing, Key, Keypad, Reply

REPLY_S_MAX = 1.0
TRIES = 3
QUIET_S = 0.25  # a frame never pauses this long (9600 baud: 1 ms a byte; USB adapters hold back up to 16 ms)
PAD_TIMEOUT_GRACE_S = 2.0  # the pad's own time-out comes first


class PlainEntryFailed(Exception):
    """``reason``: "silent", "refused", "line_lost", or "plain_mode_stuck" (the pad may still report clear digits)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read_pin(
    fd: int,
    framing: Framing,
    digits_min: int,
    digits_max: int,
    entry_s_max: float,
    on_count: Callable[[int], None],
) -> bytearray | None:
    """One PIN as ASCII digits, or None when the resident cancelled or the time was over. The caller wipes it.

    ``on_count`` hears how many digits stand now, at every change. Plain mode is off and read back on every way out.

    Raises:
        PlainEntryFailed: see there. After "plain_mode_stuck" the pad must not take a bank PIN.
    """
    pad = _Pad(fd, framing)
    pin = bytearray()
    finished = False
    try:
        finished = _enter_in_plain_mode(pad, pin, (digits_min, digits_max), entry_s_max, on_count)
        return pin if finished else None
    finally:
        pad.forget()
        if not finished:
            wipe(pin)


def wipe(secret: bytearray) -> None:
    """Overwrite in place, then empty."""
    secret[:] = bytes(len(secret))
    secret.clear()


def _enter_in_plain_mode(
    pad: "_Pad", pin: bytearray, digits: tuple[int, int], entry_s_max: float, on_count: Callable[[int], None]
) -> bool:
    try:
        pad.ask(codec.keypad(Keypad.PLAIN))
        # Never by itself: the green key, pressed after the last digit as the screen asks, would answer the next page.
        pad.ask(codec.parameter(codec.Parameter.AUTO_ENTER, False))
        return _enter(pad, pin, digits, entry_s_max, on_count)
    finally:
        _leave_plain_mode(pad)


def _enter(
    pad: "_Pad", pin: bytearray, digits: tuple[int, int], entry_s_max: float, on_count: Callable[[int], None]
) -> bool:
    """Collect digits into ``pin``; whether the resident finished. An Enter that comes too early begins again."""
    deadline = time.monotonic() + entry_s_max
    while (left_s := deadline - time.monotonic()) > 0:
        wipe(pin)
        pad.forget()
        on_count(0)
        pad.ask(codec.start_pin(digits[1], min(255, max(1, round(left_s))), with_account=False))
        ended_by = _collect(pad, pin, digits[1], deadline + PAD_TIMEOUT_GRACE_S, on_count)
        if ended_by != Key.ENTER:
            return False
        if len(pin) >= digits[0]:
            return True
    return False


def _collect(
    pad: "_Pad", pin: bytearray, digits_max: int, deadline: float, on_count: Callable[[int], None]
) -> int | None:
    """Take keys until one ends the entry; None when none did in time."""
    while (key := pad.next_key(deadline)) is not None:
        if key in (Key.ENTER, Key.CANCEL, Key.TIMED_OUT):
            return key
        if key == Key.CLEAR and pin:
            pin[-1] = 0
            del pin[-1]
        elif key in codec.DIGITS and len(pin) < digits_max:
            pin.append(key)
        on_count(len(pin))
    return None


def _leave_plain_mode(pad: "_Pad") -> None:
    """Both steps, and only the answer to the second counts: a pad that merely says "ok" has not left plain mode."""
    for _ in range(TRIES):
        try:
            pad.ask(codec.keypad(Keypad.OFF))
            mode = pad.ask(codec.keypad(Keypad.ASK)).data
        except PlainEntryFailed as failed:
            if failed.reason == "refused":
                continue
            break  # silence was waited out by ``ask`` already
        if mode == bytes((Keypad.OFF,)):
            return
    raise PlainEntryFailed("plain_mode_stuck")


class _Pad:
    """Blocking conversation over the descriptor, which may be in non-blocking mode (it is shared with its lender)."""

    def __init__(self, fd: int, framing: Framing) -> None:
        self._fd = fd
        self._framing = framing
        self._decoder = codec.Decoder(framing)
        self._keys: deque[int] = deque(maxlen=64)
        self._replies: deque[Reply] = deque(maxlen=4)

    def forget(self) -> None:
        """Drop keys that were read and not asked for."""
        self._keys.clear()

    def ask(self, command: Command) -> Reply:
        """Send until answered, ``TRIES`` times at most. START PIN is not sent again once a key has come.

        It would drop what was typed; and it has begun, whatever became of its reply.
        """
        for _ in range(TRIES):
            self._decoder.give_up()
            self._replies.clear()
            self._send(codec.encode(command, self._framing))
            reply = self._reply(command, time.monotonic() + REPLY_S_MAX)
            if reply is not None and reply.ok:
                return reply
            if reply is not None:
                raise PlainEntryFailed("refused")
            if self._keys and not command.repeatable:
                return Reply(codec.OK)
        raise PlainEntryFailed("silent")

    def next_key(self, deadline: float) -> int | None:
        while not self._keys:
            if not self._receive(deadline):
                return None
        return self._keys.popleft()

    def _reply(self, command: Command, deadline: float) -> Reply | None:
        while True:
            while self._replies:
                reply = self._replies.popleft()
                if reply.answers(command):
                    return reply
            if not self._receive(deadline):
                return None

    def _receive(self, deadline: float) -> bool:
        """Wait for bytes and sort them; False when the time was over."""
        while not self._readable(self._patience(deadline)):
            if self._decoder.in_frame:
                self._sort(self._decoder.give_up())
                return True
            if time.monotonic() >= deadline:
                return False
        buffer = bytearray(64)
        del buffer[self._read_into(buffer) :]
        self._sort(self._decoder.receive(buffer))
        wipe(buffer)
        return True

    def _sort(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Reply):
                self._replies.append(event)
            else:
                self._keys.append(event.value)

    def _patience(self, deadline: float) -> float:
        left_s = max(0.0, deadline - time.monotonic())
        return min(left_s, QUIET_S) if self._decoder.in_frame else left_s

    def _readable(self, wait_s: float) -> bool:
        return bool(select.select([self._fd], [], [], wait_s)[0])

    def _read_into(self, buffer: bytearray) -> int:
        try:
            count = os.readv(self._fd, [buffer])
        except BlockingIOError:
            return 0
        except OSError as error:
            raise PlainEntryFailed("line_lost") from error
        if count == 0:
            raise PlainEntryFailed("line_lost")
        return count

    def _send(self, frame: bytes) -> None:
        deadline = time.monotonic() + REPLY_S_MAX
        while frame:
            left_s = max(0.0, deadline - time.monotonic())
            if not select.select([], [self._fd], [], left_s)[1]:
                raise PlainEntryFailed("silent")
            try:
                frame = frame[os.write(self._fd, frame) :]
            except OSError as error:
                raise PlainEntryFailed("line_lost") from error
