"""A PIN pad of the KMY / SUNSON family: the device's side of the wire, with its own frame code.

Commands and statuses are those of docs/devices/pin_pad_kmy.md, where what had to be INVENTED is listed. Its version
text begins with ``SIM`` and its keys are TEST keys, so that a production terminal can refuse it.
"""

import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from simulators.devices import kmy_crypto
from simulators.devices.kmy_frames import Frames
from simulators.devices.kmy_parts import Place, TypedParts, place_of
from simulators.worlds.world import World

OK, OK_MASTER_INVALID, OK_BATTERY_LOW = 0x04, 0xA4, 0xC4
BAD_PARAMETER, REFUSED_MASTER, REFUSED_BATTERY, UNKNOWN_COMMAND, SELF_TEST = 0x15, 0xB5, 0xD5, 0xE0, 0xF7
OFF, ON, SILENT, PLAIN, ASK = 0x00, 0x01, 0x02, 0x03, 0x3F
DES, TRIPLE_DES = 0x20, 0x30
WITH_MASTER = (0x60, 0x70)  # the same, with the master key itself
KEY_LOADING, WORKING, AUTO_ENTER, MAC_ALGORITHM = 0x00, 0x01, 0x05, 0x06
PARAMETERS_AT_POWER_ON = {KEY_LOADING: TRIPLE_DES, WORKING: DES, AUTO_ENTER: 0, MAC_ALGORITHM: 1}
ALLOWED_PARAMETERS = {KEY_LOADING: (DES, TRIPLE_DES), WORKING: (DES, TRIPLE_DES, 0x60, 0x70), AUTO_ENTER: (0, 1)}
MACS = {1: kmy_crypto.mac_x9_9, 3: kmy_crypto.mac_unionpay}
TYPED = (0x23, 0x24)
CLOSES_ENCRYPTION_STATE = (0x36, 0x37, 0x41, 0x42)
PIN_KEY_SLOT = 0  # slot 0 of every master is for PINs: neither 36 nor 37 nor 41 works with it

KEY_BYTES = {
    **{str(digit): 0x30 + digit for digit in range(10)},
    **{f"f{number}": 0x40 + number for number in range(1, 9)},
    ".": 0x2E,
    "00": 0x7F,
    "enter": 0x0D,
    "clear": 0x08,
    "cancel": 0x1B,
}
STAR, TIMED_OUT = 0x2A, 0x80
PIN_DIGITS_MIN, PIN_DIGITS_MAX = 4, 12
COMMANDS_KEPT = 1000
STALLED_S = 0.5  # an unfinished command is forgotten after this pause

FAULTS = (
    "silent",  # answers nothing, reports no key
    "battery_low",  # C4: done, with a warning
    "battery_dead",  # D5: refused
    "master_key_lost",  # A4 where no master key is needed, B5 where one is
    "locked",  # self-test error F7 to everything
    "drop_byte",  # every other reply loses a byte
    "noise",  # random bytes before each reply (seeded)
    "wrong_kcv",  # check values are false
    "plain_stuck",  # says ok to leaving plain mode and stays
    "decrypts",  # a forbidden use of the PIN key is answered
)


@dataclass
class PinEntry:
    digits_max: int
    with_account: bool
    ends_at_s: float
    digits: bytearray = field(default_factory=bytearray)


class Refused(Exception):
    def __init__(self, status: int = BAD_PARAMETER) -> None:
        super().__init__(f"{status:02X}")
        self.status = status


class KmyPad:
    """Implements ``simulators.lines.QuietDevice``. ``faults`` may be changed at any moment; see ``FAULTS``."""

    def __init__(
        self,
        master_keys: Mapping[int, bytes],
        *,
        expand: bool = True,
        etx: bool = True,
        serial: str = "SIM00001",
        seed: int = 7,
    ) -> None:
        self.wire: Callable[[bytes], None] = lambda chunk: None
        self.faults: set[str] = set()
        self.commands: deque[int] = deque(maxlen=COMMANDS_KEPT)  # the last codes heard, never their data
        self._master_keys = dict(master_keys)
        self._work_keys: dict[int, bytes] = {}
        self.expand, self.etx, self._serial = expand, etx, serial
        self._frames = Frames(expand, etx)
        self._parts = TypedParts(self._store_typed, self._send, lambda byte: self.wire(bytes((byte,))))
        self._random = random.Random(seed)
        self._replies_sent = 0
        self._now_s = self._heard_at_s = 0.0
        self.mode = OFF
        self._forget_volatile()

    def _forget_volatile(self) -> None:
        self._inbox = bytearray()
        self._parts.forget()
        self._parameters = dict(PARAMETERS_AT_POWER_ON)
        self._end_encryption()
        self._leave_mode_for(OFF)

    def _end_encryption(self) -> None:
        self._active: tuple[int, int] | None = None  # master, slot
        self._account = b""
        self._entered: PinEntry | None = None
        self._entry: PinEntry | None = None

    # --- the front of the pad -----------------------------------------------------------------------------------

    @property
    def lit(self) -> bool:
        """Whether the pad asks for a PIN or a part of a key now."""
        return self._entry is not None or self._parts.asking

    @property
    def display(self) -> str:
        """What its little window shows: stars, one a digit."""
        return "*" * len(self._entry.digits) if self._entry else self._parts.display

    def press(self, name: str) -> None:
        """Press a key: ``0`` to ``9``, ``.``, ``00``, ``enter``, ``clear``, ``cancel``, ``f1`` to ``f8``.

        Raises:
            KeyError: there is no such key.
        """
        value = KEY_BYTES[name]
        if self.faults & {"silent", "battery_dead", "locked"}:
            return
        if self._parts.asking:
            self._parts.press(name, value)
        elif self._entry:
            self._press_in_entry(self._entry, name, value)
        elif self.mode in (ON, SILENT):
            self.wire(bytes((value,)))

    def _press_in_entry(self, entry: PinEntry, name: str, value: int) -> None:
        if name.isdigit() and len(name) == 1 and len(entry.digits) < entry.digits_max:
            entry.digits.append(value)
            self.wire(bytes((value if self.mode == PLAIN else STAR,)))
            if self._parameters[AUTO_ENTER] and len(entry.digits) == entry.digits_max:
                self._finish(entry, KEY_BYTES["enter"], kept=True)
        elif name == "clear" and entry.digits:
            entry.digits.pop()
            self.wire(bytes((value,)))
        elif name == "enter" and len(entry.digits) >= PIN_DIGITS_MIN:
            self._finish(entry, value, kept=True)
        elif name == "cancel":
            self._finish(entry, value, kept=False)

    def _finish(self, entry: PinEntry, value: int, *, kept: bool) -> None:
        self._entry = None
        self._entered = entry if kept and self.mode != PLAIN else None
        self.wire(bytes((value,)))

    # --- time and power -------------------------------------------------------------------------------------------

    @property
    def can_time_out(self) -> bool:
        return self._entry is not None or self._parts.can_time_out or bool(self._inbox)

    def tick(self, now_s: float) -> None:
        self._now_s = now_s
        if self._inbox and now_s - self._heard_at_s > STALLED_S:
            self._inbox.clear()
        if self._entry and now_s >= self._entry.ends_at_s:
            self._finish(self._entry, TIMED_OUT, kept=False)
        self._parts.tick(now_s)

    def tamper(self) -> None:
        """Its case was opened: everything in it is destroyed, and it says so from now on."""
        self._master_keys.clear()
        self._work_keys.clear()
        self._forget_volatile()
        self.faults.add("master_key_lost")

    def power_cut(self) -> None:
        """Keys stay (their memory has a battery of its own); everything else is forgotten."""
        self._forget_volatile()

    # --- frames ---------------------------------------------------------------------------------------------------

    def receive(self, chunk: bytes) -> None:
        self._heard_at_s = self._now_s
        self._inbox += chunk
        while (command := self._frames.next_command(self._inbox)) is not None:
            self._answer(command[0], command[1:])

    def _send(self, status: int, data: bytes) -> None:
        frame = self._frames.reply(status, data)
        self._replies_sent += 1
        if "drop_byte" in self.faults and self._replies_sent % 2:
            frame = frame[:2] + frame[3:]
        if "noise" in self.faults:
            frame = self._random.randbytes(self._random.randrange(6)) + frame
        self.wire(frame)

    # --- commands -------------------------------------------------------------------------------------------------

    def _answer(self, code: int, data: bytes) -> None:
        self.commands.append(code)
        if "silent" in self.faults:
            return
        try:
            reply = self._execute(code, data)
        except Refused as refused:
            self._send(refused.status, b"")
            return
        if code in TYPED:
            return  # answered once somebody has typed it
        if code in CLOSES_ENCRYPTION_STATE:
            self._end_encryption()
        self._send(self._good_status(), reply)

    def _good_status(self) -> int:
        if "master_key_lost" in self.faults:
            return OK_MASTER_INVALID
        return OK_BATTERY_LOW if "battery_low" in self.faults else OK

    def _execute(self, code: int, data: bytes) -> bytes:
        if "locked" in self.faults:
            raise Refused(SELF_TEST)
        if "battery_dead" in self.faults:
            raise Refused(REFUSED_BATTERY)
        if code in TYPED:
            return self._ask_part(code, data)
        command = {
            0x30: self._identify,
            0x31: self._reset,
            0x33: self._load_work_key,
            0x34: self._take_account,
            0x35: self._start_pin,
            0x36: self._encrypt,
            0x37: self._decrypt,
            0x38: self._read_serial,
            0x41: self._mac,
            0x42: self._read_pin_block,
            0x43: self._activate,
            0x45: self._keypad,
            0x46: self._parameter,
        }.get(code)
        if command is None:
            raise Refused(UNKNOWN_COMMAND)
        return command(data)

    def _identify(self, data: bytes) -> bytes:
        return b"SIM KMY TEST 1.0" + self._read_serial(data) + b"\x01\x00"

    def _read_serial(self, data: bytes) -> bytes:
        return self._serial.encode("ascii")[:8].ljust(8)

    def _reset(self, data: bytes) -> bytes:
        if data == b"\x38":
            self._master_keys.clear()
            self._work_keys.clear()
        elif data:
            raise Refused
        inbox = self._inbox
        self._forget_volatile()
        self._inbox = inbox
        return b""

    def _load_work_key(self, data: bytes) -> bytes:
        if len(data) - 2 not in (8, 16, 24):
            raise Refused
        master, number, cryptogram = data[0], data[1], data[2:]
        verified = 0x40 <= number <= 0x7F
        slot = number - 0x40 if verified else 4 * master + number
        if slot // 4 != master or (not verified and number > 3):
            raise Refused
        key = kmy_crypto.decrypt_ecb(self._master(master), cryptogram)
        self._work_keys[slot] = key
        return self._told_check_value(key) if verified else b""

    def _ask_part(self, code: int, data: bytes) -> bytes:
        place = place_of(code, data)
        if place is None:
            raise Refused
        if place[1] is not None:
            self._master(place[0])
        self._end_encryption()
        self._parts.ask(place, self._now_s)
        return b""

    def _store_typed(self, place: Place, key: bytes) -> bytes:
        """What the last reply carries. A new master key makes the working keys below it worthless."""
        master, slot = place
        if slot is not None:
            self._work_keys[slot] = key
            return self._told_check_value(key)
        self._master_keys[master] = key
        self._work_keys = {number: kept for number, kept in self._work_keys.items() if number // 4 != master}
        self.faults.discard("master_key_lost")
        return b""

    def _told_check_value(self, key: bytes) -> bytes:
        return self._zeros_under(key)[:4]

    def _zeros_under(self, key: bytes) -> bytes:
        right = kmy_crypto.encrypt_ecb(key, bytes(8))
        return bytes(byte ^ 0xFF for byte in right) if "wrong_kcv" in self.faults else right

    def _master(self, number: int) -> bytes:
        key = self._master_keys.get(number)
        if key is None or "master_key_lost" in self.faults:
            raise Refused(REFUSED_MASTER)
        return key if self._parameters[KEY_LOADING] == TRIPLE_DES else key[:8]

    def _activate(self, data: bytes) -> bytes:
        if len(data) != 2 or data[1] > 3:
            raise Refused
        if self._parameters[WORKING] not in WITH_MASTER and 4 * data[0] + data[1] not in self._work_keys:
            raise Refused
        self._master(data[0])
        self._active = (data[0], data[1])
        return b""

    def _active_key(self, *, for_pin: bool) -> bytes:
        """The key chosen by 43, if this use of it is allowed."""
        if self._active is None:
            raise Refused
        master, slot = self._active
        if for_pin != (slot == PIN_KEY_SLOT) and "decrypts" not in self.faults:
            raise Refused
        key = self._work_keys[4 * master + slot]
        return key if self._parameters[WORKING] == TRIPLE_DES else key[:8]

    def _take_account(self, data: bytes) -> bytes:
        if len(data) != 12 or not data.isdigit():
            raise Refused
        self._account = data
        return b""

    def _start_pin(self, data: bytes) -> bytes:
        if len(data) != 5 or not PIN_DIGITS_MIN <= data[0] <= PIN_DIGITS_MAX or data[2] not in (1, 2) or data[4] == 0:
            raise Refused
        with_account = data[2] == 1
        if self.mode != PLAIN:
            self._active_key(for_pin=True)
        if with_account and not self._account:
            raise Refused
        self._entered = None
        self._entry = PinEntry(data[0], with_account, self._now_s + data[4])
        return b""

    def _read_pin_block(self, data: bytes) -> bytes:
        if self._entered is None or self.mode == PLAIN:
            raise Refused
        account = self._account if self._entered.with_account else b""
        return kmy_crypto.pin_block(self._active_key(for_pin=True), bytes(self._entered.digits), account)

    def _mac(self, data: bytes) -> bytes:
        if not 5 <= len(data) <= 247 or self._parameters[MAC_ALGORITHM] not in MACS:
            raise Refused
        return MACS[self._parameters[MAC_ALGORITHM]](self._active_key(for_pin=False), data)

    def _encrypt(self, data: bytes) -> bytes:
        if self._active is not None and self._parameters[WORKING] in WITH_MASTER and data == bytes(8):
            return self._zeros_under(self._master(self._active[0]))  # its check value, and nothing else
        return kmy_crypto.encrypt_ecb(self._active_key(for_pin=False), self._whole_blocks(data))

    def _decrypt(self, data: bytes) -> bytes:
        return kmy_crypto.decrypt_ecb(self._active_key(for_pin=False), self._whole_blocks(data))

    def _whole_blocks(self, data: bytes) -> bytes:
        if not data or len(data) > 248 or len(data) % 8:
            raise Refused
        return data

    def _keypad(self, data: bytes) -> bytes:
        if data == bytes((ASK,)):
            return bytes((self.mode,))
        if len(data) != 1 or data[0] not in (OFF, ON, SILENT, PLAIN):
            raise Refused
        self._end_encryption()
        self._parts.stop_asking()
        self._leave_mode_for(data[0])
        return b""

    def _leave_mode_for(self, mode: int) -> None:
        if not (self.mode == PLAIN and "plain_stuck" in self.faults):
            self.mode = mode

    def _parameter(self, data: bytes) -> bytes:
        if len(data) != 2 or data[1] not in ALLOWED_PARAMETERS.get(data[0], tuple(MACS) * (data[0] == MAC_ALGORITHM)):
            raise Refused
        self._parameters[data[0]] = data[1]
        return b""


def build(world: World, options: Mapping[str, str]) -> KmyPad:
    """For the registry. Options: ``expand`` hex (default) or raw, ``etx`` yes (default) or no."""
    masters = {0: bytes.fromhex(world.keys.pad_master)}
    return KmyPad(masters, expand=options.get("expand", "hex") == "hex", etx=options.get("etx", "yes") == "yes")
