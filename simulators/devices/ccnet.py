"""A CCNET bill validator: the device's side of the wire.

Times are shorter than a real unit's, except those that the protocol fixes. Its part number begins with ``SIM``.
"""

import random
from collections.abc import Callable, Mapping

from simulators.devices.ccnet_frames import Reader, frame_of

CNY_TYPES = {2: 1, 3: 5, 4: 10, 5: 20, 6: 50, 7: 100}  # type -> yuan
ILLEGAL, OK = b"\x30", b"\x00"
POWER_UP, IN_VALIDATOR, IN_STACKER, INITIALIZE = b"\x10", b"\x11", b"\x12", b"\x13"
IDLING, ACCEPTING, STACKING, RETURNING, DISABLED, HOLDING = b"\x14", b"\x15", b"\x17", b"\x18", b"\x19", b"\x1a"
PAUSE = b"\x46"
UNTIL_ACK = (0x25, 0x26, 0x45, 0x81, 0x82)
ESCROW_S, HOLD_S, END_S, PAUSE_S = 10.0, 10.0, 30.0, 10.0
STALLED_S = 0.1  # the protocol says 5 ms between bytes; people test over USB adapters
MOVE_S = 0.4

FAULTS = (
    "silent",  # answers nothing
    "lose_acks",  # the host's ACKs never arrive, so that events are told again
    "damage",  # every other answer has a wrong check sum
    "noise",  # random bytes before each answer (seeded)
    "echo",  # the line gives back what was sent
    "foreign",  # another unit answers, at another address
    "no_counter",  # old firmware: no GET COUNTER OF STACKED BILLS
    "no_time_outs",  # old firmware: no SET ESCROW TIME-OUTS
    "enable_stuck",  # says ACK to ENABLE and stays disabled
    "stack_jams",  # a note that is to be stacked gets stuck
    "jam_in_acceptor",  # the next note gets stuck before escrow
    "counterfeit_held",
    "unknown_state",
)


class CcnetValidator:
    """Implements ``simulators.lines.LineDevice``. ``faults`` may be changed at any moment; see ``FAULTS``."""

    address = 3

    def __init__(self, types: Mapping[int, int] | None = None, *, serial: str = "SIM000000001", seed: int = 7) -> None:
        self.wire: Callable[[bytes], None] = lambda chunk: None
        self.faults: set[str] = set()
        self.types = dict(types or CNY_TYPES)
        self.commands: list[int] = []  # that were carried out
        self.lost_commands: set[int] = set()  # codes: the next one of each never arrives
        self.polled_at_s = 0.0  # when the host last asked for the state, in the time of ``tick``
        self.lost_replies: set[int] = set()  # codes: the next one of each is carried out, and its answer gets lost
        self.box: list[int] = []  # yuan, what lies in the cash box
        self.outlet: list[int] = []  # yuan, what lies before the customer
        self.counter = 0  # non-volatile
        self._serial = serial
        self._random = random.Random(seed)
        self._replies = 0
        self._now_s = self._heard_at_s = 0.0
        self._reader = Reader(self.address)
        self._note: int | None = None  # type of the note inside
        self._note_past_gate = False  # it can only go to the cash box now
        self._owed: bytes | None = None  # non-volatile: an event that nobody acknowledged
        self._box_in = True
        self._start(POWER_UP)

    def _start(self, state: bytes) -> None:
        self._reader.forget()
        self._state = state
        self._next: tuple[float, Callable[[], None]] | None = None
        self._enabled: frozenset[int] = frozenset()
        self._escrow_ms: int | None = None
        self._escrow_since_s = 0.0
        self._last = b""

    # --- the front of the unit ----------------------------------------------------------------------------------------

    @property
    def accepts(self) -> bool:
        """Whether the entry is lit."""
        return self._state == IDLING

    def insert(self, yuan: int, kind: str = "good") -> bool:
        """Feed a note: good, fake, torn, two (at once). False: the entry is shut, the note stays in the hand."""
        if not self.accepts or self.faults & {"silent"}:
            return False
        kinds = [number for number, value in self.types.items() if value == yuan]
        if kind == "two":
            self._go(PAUSE, PAUSE_S, lambda: self._reject(0x64))
        elif "jam_in_acceptor" in self.faults:
            self._go(ACCEPTING, MOVE_S, lambda: self._go(b"\x43"))
        elif kind != "good" or not kinds:
            self._go(ACCEPTING, MOVE_S, lambda: self._reject({"torn": 0x6C}.get(kind, 0x66)))
        elif kinds[0] not in self._enabled:
            self._go(ACCEPTING, MOVE_S, lambda: self._reject(0x68))
        else:
            self._note = kinds[0]
            self._go(ACCEPTING, MOVE_S, self._into_escrow)
        return True

    def take_notes(self) -> list[int]:
        """The customer takes what lies in the outlet."""
        taken, self.outlet = self.outlet, []
        return taken

    def fish(self) -> None:
        """Somebody pulls a note out on a string."""
        self._note = None
        self._tell(b"\x45")

    def open_door(self) -> None:
        """Take the cash box out."""
        self._box_in = False
        self._go(b"\x42")

    def close_door(self) -> None:
        """Put an empty cash box in."""
        self._box_in = True
        self.box = []
        self._start(POWER_UP)

    def clear_jam(self) -> list[int]:
        """Staff take out what got stuck and switch the unit off and on."""
        stuck = [] if self._note is None or self._note_past_gate else [self.types[self._note]]
        if stuck:
            self._note = None
        self.power_cut()
        return stuck

    # --- time and power -----------------------------------------------------------------------------------------------

    @property
    def due_s(self) -> float | None:
        """When something inside happens by itself, for a carrier that need not tick before; None: nothing will."""
        return self._next[0] if self._next else None

    def tick(self, now_s: float) -> None:
        self._now_s = now_s
        if now_s - self._heard_at_s > STALLED_S:
            self._reader.forget()
        if self._next is not None and now_s >= self._next[0]:
            then, self._next = self._next[1], None
            then()

    def power_cut(self) -> None:
        """Notes stay where they are; what nobody acknowledged is remembered."""
        inside = self._note is not None
        if self._owed is not None and self._owed[0] != 0x81:
            self._owed = None
        self._start(
            IN_STACKER if self._owed or (inside and self._note_past_gate) else IN_VALIDATOR if inside else POWER_UP
        )

    def _go(self, state: bytes, after_s: float = 0.0, then: Callable[[], None] | None = None) -> None:
        self._state = state
        self._next = (self._now_s + after_s, then) if then else None

    def _rest(self) -> None:
        self._go(IDLING if self._enabled and "enable_stuck" not in self.faults else DISABLED)

    def _reject(self, why: int) -> None:
        self._go(bytes((0x1C, why)), MOVE_S, self._rest)

    def _into_escrow(self) -> None:
        assert self._note is not None
        self._escrow_since_s = self._now_s
        self._note_past_gate = False
        wait_s = ESCROW_S if self._escrow_ms is None else self._escrow_ms / 1000
        self._go(bytes((0x80, self._note)), wait_s, self._give_back)

    def _give_back(self) -> None:
        self._go(RETURNING, MOVE_S, self._returned)

    def _returned(self) -> None:
        assert self._note is not None
        self.outlet.append(self.types[self._note])
        self._tell(bytes((0x82, self._note)))
        self._note = None

    def _tell(self, event: bytes) -> None:
        """An event that stays until acknowledged."""
        self._owed = event
        self._go(event)

    def _to_stacker(self) -> None:
        self._note_past_gate = True
        if "stack_jams" in self.faults:
            self._go(b"\x44")
        else:
            self._go(STACKING, MOVE_S, self._stacked)

    def _stacked(self) -> None:
        assert self._note is not None
        self._tell(self._put_away(self._note))
        self._note, self._note_past_gate = None, False

    def _put_away(self, kind: int) -> bytes:
        """Into the cash box; the event that tells so."""
        self.box.append(self.types[kind])
        self.counter = (self.counter + 1) & 0xFFFF
        return bytes((0x81, kind))

    # --- the wire -----------------------------------------------------------------------------------------------------

    def receive(self, chunk: bytes) -> None:
        self._heard_at_s = self._now_s
        if "echo" in self.faults:
            self.wire(chunk)
            return
        for body in self._reader.read(chunk):
            if "silent" in self.faults:
                continue
            if body is None:
                self._send(b"\xff", keep=False)
            else:
                self._hear(body)

    def _hear(self, body: bytes) -> None:
        if body == b"\x00":
            self._acknowledged()
        elif body == b"\xff":
            self._send(self._last)
        elif body[0] in self.lost_commands:
            self.lost_commands.discard(body[0])
        else:
            reply = self._polled() if body == b"\x33" else self._carry_out(body)
            if body[0] not in self.lost_replies:
                self._send(reply)
            self.lost_replies.discard(body[0])

    def _polled(self) -> bytes:
        self.polled_at_s = self._now_s
        return b"\x7e" if "unknown_state" in self.faults else self._state

    def _acknowledged(self) -> None:
        """The host's ACK ends an event, but only if the event was what we said last."""
        if "lose_acks" in self.faults or self._owed is None or self._last != self._owed:
            return
        if self._state == self._owed:
            self._owed = None
            self._rest()

    def _send(self, body: bytes, *, keep: bool = True) -> None:
        if keep:
            self._last = body
        self._replies += 1
        frame = frame_of(9 if "foreign" in self.faults else self.address, body)
        if "damage" in self.faults and self._replies % 2:
            frame = frame[:-1] + bytes((frame[-1] ^ 0x55,))
        if "noise" in self.faults:
            frame = self._random.randbytes(3) + frame
        self.wire(frame)

    # --- commands -----------------------------------------------------------------------------------------------------

    def _carry_out(self, body: bytes) -> bytes:
        self.commands.append(body[0])
        action = self._actions().get(body[0])
        return action(body[1:]) if action else ILLEGAL

    def _actions(self) -> dict[int, Callable[[bytes], bytes]]:
        return {
            0x30: self._reset,
            0x31: lambda rest: self._masks(),
            0x34: self._enable,
            0x35: self._stack,
            0x36: self._return,
            0x37: lambda rest: b"SIM-CCNET".ljust(15) + self._serial.encode().ljust(12)[:12] + bytes(7),
            0x38: self._hold,
            0x41: self._bill_table,
            0x5A: self._time_outs,
            0x5B: lambda rest: ILLEGAL if "no_counter" in self.faults else self.counter.to_bytes(2, "big"),
        }

    def _masks(self) -> bytes:
        return sum(1 << number for number in self._enabled).to_bytes(3, "big") * 2

    def _reset(self, rest: bytes) -> bytes:
        if "counterfeit_held" in self.faults:
            self._go(b"\x90")
        else:
            self._enabled = frozenset()
            self._go(INITIALIZE, MOVE_S, self._initialized)
        return OK

    def _initialized(self) -> None:
        """Bring home what a power cut left inside (section on power-up with a bill)."""
        if not self._box_in:
            self._go(b"\x42")
        elif self._owed is not None and self._owed[0] == 0x81:
            self._go(self._owed)
        elif self._note is not None and self._note_past_gate:
            self._stacked()
        elif self._note is not None:
            self._give_back()
        else:
            self._rest()

    def _enable(self, rest: bytes) -> bytes:
        if len(rest) != 6 or self._state in (POWER_UP, IN_VALIDATOR, IN_STACKER, INITIALIZE):
            return ILLEGAL
        mask = int.from_bytes(rest[:3], "big")
        self._enabled = frozenset(number for number in range(24) if mask >> number & 1)
        if self._state in (IDLING, DISABLED):
            self._rest()
        return OK

    @property
    def _decidable(self) -> bool:
        return self._state[0] in (0x80, 0x83, 0x1A)

    def _stack(self, rest: bytes) -> bytes:
        if not self._decidable:
            return ILLEGAL
        self._to_stacker()
        return OK

    def _return(self, rest: bytes) -> bytes:
        if not self._decidable:
            return ILLEGAL
        self._give_back()
        return OK

    def _hold(self, rest: bytes) -> bytes:
        if not self._decidable:
            return ILLEGAL
        left_s = self._escrow_since_s + END_S - self._now_s
        self._go(HOLDING, min(HOLD_S, max(left_s, 0.0)), self._give_back)
        return OK

    def _bill_table(self, rest: bytes) -> bytes:
        if self._state in (POWER_UP, IN_VALIDATOR, IN_STACKER, INITIALIZE):
            return ILLEGAL
        entries = bytearray(24 * 5)
        for number, yuan in self.types.items():
            zeros = len(str(yuan)) - len(str(yuan).rstrip("0"))
            entries[number * 5 : number * 5 + 5] = bytes((yuan // 10**zeros,)) + b"CHN" + bytes((zeros,))
        return bytes(entries)

    def _time_outs(self, rest: bytes) -> bytes:
        if "no_time_outs" in self.faults or len(rest) != 8:
            return ILLEGAL
        self._escrow_ms = int.from_bytes(rest[:4], "big")
        return OK
