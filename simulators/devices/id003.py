"""A JCM validator by ID-003: the device's side of the wire. Its version text begins with ``SIM``."""

import random
from collections.abc import Callable, Iterator, Mapping

from simulators.worlds.world import World

CNY_CODES = {0x61: 1, 0x63: 5, 0x64: 10, 0x65: 20, 0x66: 50, 0x67: 100}  # escrow code -> yuan
COUNTRY = 0x12  # INVENTED: the number of this currency in the table
ACK, INVALID = b"\x50", b"\x4b"
IDLE, ACCEPTING, STACKING, VEND_VALID, STACKED = b"\x11", b"\x12", b"\x14", b"\x15", b"\x16"
RETURNING, HOLDING, DISABLED, INITIALIZE = b"\x18", b"\x19", b"\x1a", b"\x1b"
POWER_UP, IN_ACCEPTOR, IN_STACKER = b"\x40", b"\x41", b"\x42"
MOVE_S, ESCROW_S, PAUSE_S, STALLED_S = 0.4, 10.0, 10.0, 0.1

FAULTS = (
    "silent",  # answers nothing
    "lose_acks",  # the host's ACKs never arrive: VEND VALID stays
    "damage",  # every other answer has a wrong check sum
    "noise",  # ENQ and random bytes before each answer (seeded)
    "echo",  # the line gives back what was sent
    "no_table",  # old firmware: no currency assignment
    "no_power_recovery",  # finishes a cut stacking without VEND VALID
    "enable_stuck",  # echoes INHIBIT off and stays disabled
    "stack_jams",  # a note that is to be stacked gets stuck
    "vend_valid_never",  # STACKING for ever
    "unknown_state",
)


NIBBLES = (
    *(0, 0x1081, 0x2102, 0x3183, 0x4204, 0x5285, 0x6306, 0x7387),
    *(0x8408, 0x9489, 0xA50A, 0xB58B, 0xC60C, 0xD68D, 0xE70E, 0xF78F),
)


def check_sum(text: bytes) -> bytes:
    """CRC-16 with the reflected polynomial 8408, a nibble at a time."""
    crc = 0
    for byte in text:
        crc = crc >> 4 ^ NIBBLES[(crc ^ byte) & 15]
        crc = crc >> 4 ^ NIBBLES[(crc ^ byte >> 4) & 15]
    return bytes((crc & 255, crc >> 8))


def frame_of(body: bytes) -> bytes:
    text = bytes((0xFC, len(body) + 4)) + body
    return text + check_sum(text)


class Reader:
    """Cuts host frames out of the stream; what does not check is dropped, as the device does (it has no NAK)."""

    def __init__(self) -> None:
        self._text = bytearray()

    def forget(self) -> None:
        self._text.clear()

    def read(self, chunk: bytes) -> Iterator[bytes]:
        self._text += chunk
        while (start := self._text.find(0xFC)) >= 0:
            del self._text[:start]
            size = max(self._text[1], 2) if len(self._text) > 1 else 255
            if len(self._text) < size:
                return
            good = size >= 5 and check_sum(bytes(self._text[: size - 2])) == self._text[size - 2 : size]
            body = bytes(self._text[2 : size - 2])
            del self._text[: size if good else 1]
            if good:
                yield body
        self._text.clear()


class Id003Validator:
    """Implements ``simulators.lines.LineDevice``. ``faults`` may be changed at any moment; see ``FAULTS``."""

    def __init__(self, codes: Mapping[int, int] | None = None, *, seed: int = 7) -> None:
        self.wire: Callable[[bytes], None] = lambda chunk: None
        self.faults: set[str] = set()
        self.codes = dict(codes or CNY_CODES)
        self.commands: list[int] = []  # that were carried out
        self.lost_commands: set[int] = set()  # codes: the next one of each never arrives
        self.lost_replies: set[int] = set()  # codes: the answer to the next one of each gets lost
        self.box: list[int] = []
        self.outlet: list[int] = []
        self._random = random.Random(seed)
        self._replies = 0
        self._now_s = self._heard_at_s = 0.0
        self._note: int | None = None  # escrow code of the note inside
        self._past_lever = False
        self._owed = False  # non-volatile: VEND VALID that nobody acknowledged
        self._recovers = False  # non-volatile: power recovery was asked for
        self._start(POWER_UP)

    def _start(self, state: bytes) -> None:
        self._reader = Reader()
        self._state = state
        self._next: tuple[float, Callable[[], None]] | None = None
        self._inhibited = True
        self._disabled = 0

    # --- the front of the unit ----------------------------------------------------------------------------------------

    @property
    def accepts(self) -> bool:
        return self._state == IDLE

    def insert(self, yuan: int, kind: str = "good") -> bool:
        """Feed a note: good, fake, torn, two (at once). False: the entry is shut."""
        if not self.accepts or "silent" in self.faults:
            return False
        code = next((code for code, value in self.codes.items() if value == yuan), 0)
        why = {"fake": 0x77, "torn": 0x7C}.get(kind, 0 if code and not self._disabled >> (code - 0x61) & 1 else 0x79)
        if kind == "two":
            self._go(b"\x47", PAUSE_S, lambda: self._reject(0x75))
        elif why:
            self._go(ACCEPTING, MOVE_S, lambda: self._reject(why))
        else:
            self._note, self._past_lever = code, False
            self._go(ACCEPTING, MOVE_S, self._into_escrow)
        return True

    def take_notes(self) -> list[int]:
        taken, self.outlet = self.outlet, []
        return taken

    def fish(self) -> None:
        """Somebody pulls a note out on a string."""
        self._note = None
        self._go(b"\x48", MOVE_S, self._rest)

    def open_door(self) -> None:
        """Take the cash box out."""
        self._go(b"\x44")

    def close_door(self, *, blank_stack: bool = False) -> None:
        """Put an empty box in. ``blank_stack``: as some units do, tell VEND VALID although no note was fed."""
        self.box = []
        if blank_stack:
            self._go(VEND_VALID)
        else:
            self._rest()

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
        in_stacker = self._owed or (inside and self._past_lever)
        self._start(IN_STACKER if in_stacker else IN_ACCEPTOR if inside else POWER_UP)

    def _go(self, state: bytes, after_s: float = 0.0, then: Callable[[], None] | None = None) -> None:
        self._state = state
        self._next = (self._now_s + after_s, then) if then else None

    def _rest(self) -> None:
        shut = self._inhibited or "enable_stuck" in self.faults
        self._go(DISABLED if shut else IDLE)

    def _reject(self, why: int) -> None:
        self._go(bytes((0x17, why)), MOVE_S, self._given_back)

    def _into_escrow(self) -> None:
        assert self._note is not None
        self._go(bytes((0x13, self._note)), ESCROW_S, lambda: self._reject(0x79))

    def _give_back(self) -> None:
        self._go(RETURNING, MOVE_S, self._given_back)

    def _given_back(self) -> None:
        if self._note is not None:
            self.outlet.append(self.codes[self._note])
            self._note = None
        self._rest()

    def _to_stacker(self) -> None:
        self._past_lever = True
        if "stack_jams" in self.faults:
            self._go(b"\x46")
        elif "vend_valid_never" in self.faults:
            self._go(STACKING)
        else:
            self._go(STACKING, MOVE_S, self._vend_valid)

    def _vend_valid(self) -> None:
        assert self._note is not None
        self.box.append(self.codes[self._note])
        self._note, self._past_lever, self._owed = None, False, True
        self._go(VEND_VALID)

    # --- the wire -----------------------------------------------------------------------------------------------------

    def receive(self, chunk: bytes) -> None:
        self._heard_at_s = self._now_s
        if "echo" in self.faults:
            self.wire(chunk)
            return
        for body in self._reader.read(chunk):
            if "silent" not in self.faults:
                self._hear(body)

    def _hear(self, body: bytes) -> None:
        if body[0] in self.lost_commands:
            self.lost_commands.discard(body[0])
        elif body == ACK:
            self._acknowledged()
        else:
            reply = self._carry_out(body)
            if body[0] not in self.lost_replies:
                self._send(reply)
            self.lost_replies.discard(body[0])

    def _acknowledged(self) -> None:
        if self._state == VEND_VALID and "lose_acks" not in self.faults:
            self._owed = False
            self._go(STACKED, MOVE_S, self._rest)

    def _send(self, body: bytes) -> None:
        self._replies += 1
        text = frame_of(body)
        if "damage" in self.faults and self._replies % 2:
            text = text[:-1] + bytes((text[-1] ^ 0x20,))
        self.wire((b"\x05" + self._random.randbytes(2) if "noise" in self.faults else b"") + text)

    # --- commands -----------------------------------------------------------------------------------------------------

    def _carry_out(self, body: bytes) -> bytes:
        if body == b"\x11":
            return b"\x7e" if "unknown_state" in self.faults else self._state
        self.commands.append(body[0])
        action = self._actions().get(body[0])
        return action(body) if action else INVALID

    def _actions(self) -> dict[int, Callable[[bytes], bytes]]:
        return {
            0x40: self._reset,
            0x41: lambda body: self._decided(self._to_stacker),
            0x42: lambda body: self._decided(self._to_stacker),
            0x43: lambda body: self._decided(self._give_back),
            0x44: lambda body: self._decided(self._hold),
            0x88: lambda body: b"\x88SIM ID003 V1.00",
            0x8A: lambda body: self._table(),
            0xC0: self._set_disabled,
            0xC3: self._set_inhibit,
            0xC5: self._set_options,
        }

    def _reset(self, body: bytes) -> bytes:
        self._inhibited = True
        self._go(INITIALIZE)
        return ACK

    def _initialized(self) -> None:
        """Bring home what a power cut left inside."""
        if self._owed:
            self._go(VEND_VALID)
        elif self._note is not None and self._past_lever:
            self._vend_valid()
            if "no_power_recovery" in self.faults or not self._recovers:
                self._owed = False
                self._rest()
        elif self._note is not None:
            self._give_back()
        else:
            self._rest()

    def _decided(self, then: Callable[[], None]) -> bytes:
        if self._state[0] not in (0x13, 0x19):
            return INVALID
        then()
        return ACK

    def _hold(self) -> None:
        self._go(HOLDING, ESCROW_S, lambda: self._reject(0x79))

    def _table(self) -> bytes:
        if "no_table" in self.faults:
            return INVALID
        rows = b""
        for code, yuan in self.codes.items():
            zeros = len(str(yuan)) - len(str(yuan).rstrip("0"))
            rows += bytes((code, COUNTRY, yuan // 10**zeros, zeros))
        return b"\x8a" + rows

    def _set_disabled(self, body: bytes) -> bytes:
        self._disabled = int.from_bytes(body[1:3], "little")
        return body

    def _set_options(self, body: bytes) -> bytes:
        self._recovers = bool(body[1] & 2)
        return body

    def _set_inhibit(self, body: bytes) -> bytes:
        self._inhibited = body[1:2] != b"\x00"
        if self._state == INITIALIZE and self._next is None:
            self._go(INITIALIZE, MOVE_S, self._initialized)
        elif self._state in (IDLE, DISABLED):
            self._rest()
        return body


def build(world: World, options: Mapping[str, str]) -> Id003Validator:
    """No options."""
    return Id003Validator()
