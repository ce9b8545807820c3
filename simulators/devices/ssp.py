"""An NV200 validator, with or without a SMART Payout store: the device's side of eSSP. Firmware begins with ``SIM``."""

import random
from collections.abc import Callable, Mapping

from simulators.devices.ssp_frames import Reader, Vault, frame_of
from simulators.worlds.world import World

CHANNELS = (1, 5, 10, 20, 50, 100)  # yuan, channel 1 first
CURRENCY = b"CNY"
FIXED_KEY = 0x0123456701234567
OK, UNKNOWN, COUNT, REFUSED, FAIL, NO_KEY = b"\xf0", b"\xf2", b"\xf3", b"\xf5", b"\xf8", b"\xfa"
MOVE_S, ESCROW_S, NOTE_S, BEZEL_S, STALLED_S = 0.4, 10.0, 0.3, 0.4, 0.1
SEALED_ONLY = (0x33, 0x46, 0x3D, 0x3F)

FAULTS = (
    "silent",  # answers nothing
    "damage",  # every other answer has a wrong check sum
    "noise",  # random bytes before each answer (seeded)
    "echo",  # the line gives back what was sent
    "foreign",  # another address answers
    "enable_stuck",  # says OK to ENABLE and stays disabled
    "payout_out_of_service",  # the store refuses ENABLE PAYOUT and says so
    "payout_jams",  # after the first note of the next payout
    "bezel_holds",  # the last note of a payout lies in the bezel until it is taken
    "stack_jams",  # a note that is to be stacked gets stuck
    "unknown_event",
)


def valued(yuan: int) -> bytes:
    return (yuan * 100).to_bytes(4, "little") + CURRENCY


class SspModule:
    """Implements ``simulators.lines.LineDevice``. ``faults`` may be changed at any moment; see ``FAULTS``."""

    def __init__(self, *, store: bool = False, serial: int = 1873452, secret: int = 7654321, seed: int = 7) -> None:
        self.wire: Callable[[bytes], None] = lambda chunk: None
        self.faults: set[str] = set()
        self.commands: list[int] = []  # that were carried out
        self.box: list[int] = []  # yuan, in the cash box
        self.outlet: list[int] = []
        self.store = dict.fromkeys(CHANNELS, 0) if store else {}  # yuan -> notes
        self.stacked = 0  # counter
        self.lost_replies: set[int] = set()  # commands whose answer gets lost once
        self._routes = set(CHANNELS)  # that go to the cash box
        self._serial, self._secret, self._replies = serial, secret, 0
        self._random = random.Random(seed)
        self._now_s = self._heard_at_s = 0.0
        self._note: int | None = None  # yuan, inside
        self._note_past_gate = False
        self._asked = self._paid = 0  # yuan, of a payout that is not acknowledged
        self._kept: list[bytes] = []  # non-volatile: events that nobody acknowledged
        self._start()

    def _start(self) -> None:
        self._reader = Reader()
        self._vault = Vault(FIXED_KEY, self._secret)
        self._last: tuple[int, bytes, bytes] | None = None  # SEQ, data, answer
        self._once: list[bytes] = [b"\xf1"]
        self._next: tuple[float, Callable[[], None]] | None = None
        self._state = ""  # "", reading, escrow, rejecting, stacking, paying, bezel
        self._enabled = self._payout_on = False
        self._channels: frozenset[int] = frozenset()
        self._protocol = 4
        self._last_reject = 0

    # --- the front of the unit ----------------------------------------------------------------------------------------

    @property
    def accepts(self) -> bool:
        return self._enabled and not self._state

    def insert(self, yuan: int, kind: str = "good") -> bool:
        """Feed a note: good, fake, torn, two (at once). False: the entry is shut."""
        if not self.accepts or "silent" in self.faults:
            return False
        channel = CHANNELS.index(yuan) + 1 if yuan in CHANNELS else 0
        why = {"fake": 14, "torn": 1, "two": 9}.get(kind, 0 if channel in self._channels else 6)
        if why:
            self._go("reading", MOVE_S, lambda: self._reject(why))
        else:
            self._note, self._note_past_gate = yuan, False
            self._go("reading", MOVE_S, self._into_escrow)
        return True

    def take_notes(self) -> list[int]:
        taken, self.outlet = self.outlet, []
        if self._state == "bezel" and self._next is None:
            self._paid_out()
        return taken

    def load(self, yuan: int, count: int) -> None:
        """Staff fill the store. Raises KeyError: there is none."""
        self.store[yuan] += count

    def open_door(self) -> None:
        """Take the cash box out."""
        self._once.append(b"\xe3")
        self._enabled = False

    def close_door(self) -> None:
        self.box = []
        self._once.append(b"\xe4")

    def fish(self) -> None:
        """Somebody pulls a note out on a string."""
        self._once.append(bytes((0xE6, CHANNELS.index(self._note) + 1 if self._note else 0)))
        self._note = None
        self._go("")

    # --- time and power -----------------------------------------------------------------------------------------------

    def tick(self, now_s: float) -> None:
        self._now_s = now_s
        if now_s - self._heard_at_s > STALLED_S:
            self._reader.forget()
        if self._next is not None and now_s >= self._next[0]:
            then, self._next = self._next[1], None
            then()

    def power_cut(self) -> None:
        """At the next start the unit clears its path and keeps what nobody acknowledged."""
        paying = self._state in ("paying", "bezel")
        self._start()
        if self._note is not None and self._note_past_gate:
            self._put_away(self._note, 0xCA, 0xCB)
        elif self._note is not None:
            self.outlet.append(self._note)
            self._keep(bytes((0xE1, CHANNELS.index(self._note) + 1)))
        self._note = None
        if paying:
            self._finish_short()

    def _go(self, state: str, after_s: float = 0.0, then: Callable[[], None] | None = None) -> None:
        self._state = state
        self._next = (self._now_s + after_s, then) if then else None

    def _keep(self, event: bytes) -> None:
        self._kept.append(event)

    # --- notes --------------------------------------------------------------------------------------------------------

    def _reject(self, why: int) -> None:
        self._last_reject = why
        self._go("rejecting", MOVE_S, self._rejected)

    def _rejected(self) -> None:
        if self._note is not None:
            self.outlet.append(self._note)
            self._note = None
        self._once.append(b"\xec")
        self._go("")

    def _into_escrow(self) -> None:
        self._told_escrow = False
        self._go("escrow", ESCROW_S, lambda: self._reject(27))

    def _to_stacker(self) -> None:
        self._note_past_gate = True
        if "stack_jams" in self.faults:
            self._go("jam")
        else:
            self._go("stacking", MOVE_S, self._stacked)

    def _stacked(self) -> None:
        assert self._note is not None
        self._keep(bytes((0xEE, CHANNELS.index(self._note) + 1)))
        self._put_away(self._note, 0, 0)
        self._note, self._note_past_gate = None, False
        self._go("")

    def _put_away(self, yuan: int, to_box: int, to_store: int) -> None:
        """Into store or cash box, with the event for a start if one is given."""
        stored = yuan in self.store and yuan not in self._routes
        if stored:
            self.store[yuan] += 1
        else:
            self.box.append(yuan)
            self.stacked += 1
        if code := to_store if stored else to_box:
            self._keep(bytes((code, 1)) + valued(yuan))
        else:
            self._once.append(b"\xdb" if stored else b"\xeb")

    # --- paying out ---------------------------------------------------------------------------------------------------

    def _pay(self, body: bytes) -> bytes:
        count = body[0] if body else 0
        if len(body) != 2 + 9 * count:
            return COUNT
        rows = [body[at : at + 6] for at in range(1, 1 + 9 * count, 9)]
        notes = {int.from_bytes(row[2:], "little") // 100: int.from_bytes(row[:2], "little") for row in rows}
        if not self._payout_on:
            return REFUSED + b"\x04"
        if self._state:
            return REFUSED + b"\x03"
        if any(self.store.get(yuan, 0) < number for yuan, number in notes.items()):
            return REFUSED + b"\x01"
        if body[-1] == 0x58:
            self._asked, self._paid = sum(yuan * number for yuan, number in notes.items()), 0
            queue = [yuan for yuan, number in notes.items() for _ in range(number)]
            self._go("paying", NOTE_S, lambda: self._pay_one(queue))
        return OK

    def _pay_one(self, queue: list[int]) -> None:
        if "payout_jams" in self.faults and self._paid:
            self._once.append(b"\xd5\x01" + valued(self._paid))
            self._finish_short()
            self._go("")
        elif queue:
            yuan = queue.pop(0)
            self.store[yuan] -= 1
            self._paid += yuan
            self.outlet.append(yuan)
            self._go("paying", NOTE_S, lambda: self._pay_one(queue))
        else:
            self._go("bezel", BEZEL_S, None if "bezel_holds" in self.faults else self._paid_out)

    def _paid_out(self) -> None:
        self._keep(b"\xd2\x01" + valued(self._paid))
        self._go("")

    def _finish_short(self) -> None:
        paid, asked = (self._paid * 100).to_bytes(4, "little"), (self._asked * 100).to_bytes(4, "little")
        self._keep(b"\xdc\x01" + paid + asked + CURRENCY)

    # --- the wire -----------------------------------------------------------------------------------------------------

    def receive(self, chunk: bytes) -> None:
        self._heard_at_s = self._now_s
        if "echo" in self.faults:
            self.wire(chunk)
            return
        for seq_id, data in self._reader.read(chunk):
            if "silent" not in self.faults and seq_id & 0x7F == 0:
                self._hear(seq_id, data)

    def _hear(self, seq_id: int, data: bytes) -> None:
        if data == b"\x11":
            self._last = None  # the next command has SEQ 0, also when this one had
            self._send(seq_id, OK)
            return
        if self._last is not None and self._last[0] == seq_id:
            answer: bytes | None = self._last[2]  # a repetition: the same answer, nothing is done
        else:
            answer = self._answer(data)
        if answer is not None:
            self._last = (seq_id, data, answer)
            self._send(seq_id, answer)

    def _answer(self, data: bytes) -> bytes | None:
        """None: a packet whose count is wrong is ignored."""
        if data[0] != 0x7E:
            return self._carry_out(data, sealed=False)
        if not self._vault.ready:
            return NO_KEY
        opened = self._vault.open(data)
        return self._vault.seal(self._carry_out(opened, sealed=True)) if opened else None

    def _send(self, seq_id: int, answer: bytes) -> None:
        self._replies += 1
        if self.commands and self.commands[-1] in self.lost_replies:
            self.lost_replies.discard(self.commands[-1])
            return
        text = frame_of(seq_id | (5 if "foreign" in self.faults else 0), answer)
        if "damage" in self.faults and self._replies % 2:
            text = text[:-1] + bytes((text[-1] ^ 0x01,))
        self.wire((self._random.randbytes(3) if "noise" in self.faults else b"") + text)

    # --- commands -----------------------------------------------------------------------------------------------------

    def _carry_out(self, data: bytes, *, sealed: bool) -> bytes:
        command, body = data[0], data[1:]
        if command in SEALED_ONLY and not sealed:
            return NO_KEY
        self.commands.append(command)
        action = self._actions().get(command)
        return action(body) if action else UNKNOWN

    def _actions(self) -> dict[int, Callable[[bytes], bytes]]:
        common: dict[int, Callable[[bytes], bytes]] = {
            0x02: self._inhibits,
            0x05: lambda body: OK + self._setup(),
            0x06: self._set_protocol,
            0x07: lambda body: OK + self._poll(keep=False),
            0x08: self._refuse_note,
            0x09: lambda body: self._enable(False),
            0x0A: lambda body: self._enable(True),
            0x0C: lambda body: OK + self._serial.to_bytes(4, "big"),
            0x17: lambda body: OK + bytes((self._last_reject,)),
            0x18: self._hold,
            0x4A: lambda body: self._parameter("generator", body),
            0x4B: lambda body: self._parameter("modulus", body),
            0x4C: self._exchange,
            0x56: lambda body: OK + self._poll(keep=True),
            0x57: self._acknowledge,
            0x58: lambda body: OK + b"\x05" + self.stacked.to_bytes(4, "little") + bytes(16),
        }
        return common | self._payout_actions() if self.store else common

    def _payout_actions(self) -> dict[int, Callable[[bytes], bytes]]:
        return {
            0x22: lambda body: OK + self._levels(),
            0x3B: self._route,
            0x46: self._pay,
            0x5B: lambda body: self._enable_payout(False),
            0x5C: lambda body: self._enable_payout(True),
        }

    def _parameter(self, name: str, body: bytes) -> bytes:
        setattr(self._vault, name, int.from_bytes(body[:8], "little"))
        return OK if len(body) == 8 else COUNT

    def _exchange(self, body: bytes) -> bytes:
        ours = self._vault.exchange(int.from_bytes(body[:8], "little"))
        return FAIL if ours is None else OK + ours.to_bytes(8, "little")

    def _set_protocol(self, body: bytes) -> bytes:
        known = len(body) == 1 and 4 <= body[0] <= 8
        self._protocol = body[0] if known else self._protocol
        return OK if known else FAIL

    def _setup(self) -> bytes:
        count = len(CHANNELS)
        text = bytes((6 if self.store else 0,)) + b"SIM1" + CURRENCY + b"\x00\x00\x01" + bytes((count,))
        text += bytes(CHANNELS) + bytes((2,)) * count + (100).to_bytes(3, "big") + bytes((self._protocol,))
        if self._protocol >= 6:
            text += CURRENCY * count + b"".join(yuan.to_bytes(4, "little") for yuan in CHANNELS)
        return text

    def _inhibits(self, body: bytes) -> bytes:
        mask = int.from_bytes(body, "little")
        self._channels = frozenset(number for number in range(1, 17) if mask >> (number - 1) & 1)
        return OK if body else COUNT

    def _enable(self, on: bool) -> bytes:
        self._enabled = on and "enable_stuck" not in self.faults
        return OK

    def _enable_payout(self, on: bool) -> bytes:
        if on and "payout_out_of_service" in self.faults:
            self._once.append(b"\xc6")
            return REFUSED + b"\x05"
        self._payout_on = on
        return OK

    def _hold(self, body: bytes) -> bytes:
        if self._state != "escrow":
            return REFUSED
        self._go("escrow", ESCROW_S, lambda: self._reject(27))
        return OK

    def _refuse_note(self, body: bytes) -> bytes:
        if self._state != "escrow":
            return REFUSED
        self._reject(8)
        return OK

    def _levels(self) -> bytes:
        rows = (count.to_bytes(2, "little") + valued(yuan) for yuan, count in self.store.items())
        return bytes((len(self.store),)) + b"".join(rows)

    def _route(self, body: bytes) -> bytes:
        yuan = int.from_bytes(body[1:5], "little") // 100
        self._routes = self._routes - {yuan} if body[0] == 0 else self._routes | {yuan}
        return OK if yuan in self.store else REFUSED + b"\x02"

    def _poll(self, *, keep: bool) -> bytes:
        """What happened and what is going on. A plain POLL forgets at once; POLL WITH ACK keeps what matters."""
        if self._state == "escrow" and self._told_escrow:
            self._to_stacker()
        text = b"".join(self._once) + b"".join(self._kept) + self._going_on()
        self._once = []
        if not keep:
            self._kept = []
        return (b"\x99" if "unknown_event" in self.faults else b"") + text

    def _going_on(self) -> bytes:
        if self._state == "escrow":
            self._told_escrow = True
            return bytes((0xEF, CHANNELS.index(self._note or 0) + 1))
        paid = b"\x01" + valued(self._paid)
        now = {
            "reading": b"\xef\x00", "rejecting": b"\xed", "stacking": b"\xcc", "jam": b"\xe9",
            "paying": b"\xda" + paid, "bezel": b"\xce" + valued(self._paid),
        }.get(self._state, b"")  # fmt: skip
        return now + (b"" if self._enabled or self._state else b"\xe8")

    def _acknowledge(self, body: bytes) -> bytes:
        if not self._kept:
            return REFUSED
        self._kept = []
        return OK


def build(world: World, options: Mapping[str, str]) -> SspModule:
    """Option ``store`` = yes: with a SMART Payout."""
    return SspModule(store=options.get("store") == "yes")
