"""What goes wrong in a history, and when it is over: seeded, one after another, of every kind that has a switch.

A fault is two calls: begin and end. What it does to a device, a line, a host, the network or the clock is the
simulators' own; nothing here knows the kiosk. A strike (``strikes.py``) has no end: it waits for its message.
"""

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import trio

from simulators.deterministic.strikes import STRIKES, pay_elsewhere, reserve_elsewhere
from simulators.deterministic.terminal import Terminal

Turn = Callable[[Terminal], None]
LASTS_S = (2.0, 90.0)
# Half of all faults wait for a moment at which money is on its way, though not for ever: these acts of the journal.
MOMENT_CHANCE, MOMENT_S_MAX = 0.5, 120.0
MOMENTS = (
    "note_intent",
    "note_credited",
    "claimed",
    "settle_intent",
    "settled_unpaid",
    "bank_intent",
    "deposit_intent",
    "contribution_begun",
    "payout_intent",
    "dispense_intent",
    "receipt_intent",
)
DARK_S = (60.0, 3 * 86_400.0)
NEARLY_BYTES = 8 << 20  # every story that began can be ended; no note is to begin another
DARK_MOMENTS = ("contribution_begun", "note_credited")  # what residents can do then


def _port(name: str) -> tuple[Turn, Turn]:
    """Of a device that this terminal may not have."""

    def turn(one: Terminal, *, plugged: bool) -> None:
        if port := one.ports.get(name):
            port.plug() if plugged else port.unplug()

    return lambda one: turn(one, plugged=False), lambda one: turn(one, plugged=True)


def _device(name: str, fault: str) -> tuple[Turn, Turn]:
    def turn(one: Terminal, *, on: bool) -> None:
        if port := one.ports.get(name):
            (port.device.faults.add if on else port.device.faults.discard)(fault)

    return lambda one: turn(one, on=True), lambda one: turn(one, on=False)


def _hosts(**switches: object) -> tuple[Turn, Turn]:
    return lambda one: one.weather.change(**switches), lambda one: one.weather.clear()


def _network(**chances: float) -> tuple[Turn, Turn]:
    def turn(one: Terminal, on: bool) -> None:
        for name, chance in chances.items():
            setattr(one.network, name, chance if on else 0.0)

    return lambda one: turn(one, True), lambda one: turn(one, False)


def _clock(step: timedelta) -> tuple[Turn, Turn]:
    def begin(one: Terminal) -> None:
        one.clock_off += step

    return begin, lambda one: None  # nobody sets it right again but the next step


def _pages(fault: str) -> tuple[Turn, Turn]:
    return lambda one: setattr(one.pages, "fault", fault), lambda one: setattr(one.pages, "fault", "")


def _reader() -> tuple[Turn, Turn]:
    return lambda one: one.slot.list_reader(there=False), lambda one: one.slot.list_reader(there=True)


def _disk(free_bytes: int) -> tuple[Turn, Turn]:
    """Something else fills it, and is cleaned up again."""

    def begin(one: Terminal) -> None:
        one.disk.room_bytes = one.disk.used_bytes + free_bytes
        one.full_since_s = trio.current_time()

    def end(one: Terminal) -> None:
        one.disk.room_bytes = one.full_since_s = None

    return begin, end


def _media(which: str, fault: str) -> tuple[Turn, Turn]:
    """Of the second medium or of the stick, where there are such things."""

    def turn(one: Terminal, to: str) -> None:
        if one.media:
            setattr(one.media, which, to)

    return lambda one: turn(one, fault), lambda one: turn(one, "")


def _power_of(name: str) -> tuple[Turn, Turn]:
    return lambda one: one.ports[name].device.power_cut(), lambda one: None


FAULTS: dict[str, tuple[Turn, Turn]] = {
    "cash unplugged": _port("cash"),
    "cash silent": _device("cash", "silent"),
    "cash forgets acknowledgements": _device("cash", "lose_acks"),
    "cash damages frames": _device("cash", "damage"),
    "cash loses its own power": _power_of("cash"),
    "cash adds noise": _device("cash", "noise"),
    "cash entry full": _device("cash", "enable_stuck"),
    "dispenser unplugged": _port("dispenser"),
    "dispenser silent": _device("dispenser", "silent"),
    "dispenser damages frames": _device("dispenser", "damage"),
    "dispenser rejects a note": (lambda one: one.till.reject_one(on=True), lambda one: one.till.reject_one(on=False)),
    "disk nearly full": _disk(NEARLY_BYTES),
    "disk full": _disk(0),
    "elsewhere pays debts": (reserve_elsewhere, pay_elsewhere),
    "medium missing": _media("medium_fault", "missing"),
    "medium full": _media("medium_fault", "full"),
    "medium slow": _media("medium_fault", "slow"),
    "stick missing": _media("stick_fault", "missing"),
    "stick full": _media("stick_fault", "full"),
    "stick broken": _media("stick_fault", "broken"),
    "printer unplugged": _port("printer"),
    "paper out": _device("printer", "paper_out"),
    "printer off": _device("printer", "off"),
    "pad unplugged": _port("pad"),
    "reader gone": _reader(),
    "sheets out": _pages("paper_out"),
    "page printer silent": _pages("silent"),
    "hosts slow": _hosts(slow_s=6.0),
    "hosts fail": _hosts(error_500=True),
    "hosts babble": _hosts(garbage=True),
    "hosts late": _hosts(answer_late_s=30.0),
    "hosts down": _hosts(down=True),
    "hospital fails": _hosts(error_500=True, only=frozenset({"hospital"})),
    "hospital books and is silent": _hosts(drop_answer=True, only=frozenset({"hospital"})),
    "bank down": _hosts(bank_down=True),
    "bank slow": _hosts(bank_slow=True),
    "bank books silently": _hosts(bank_silent=True),
    "bank's MAC is wrong": _hosts(bad_mac=True, only=frozenset({"bank"})),
    "platform books silently": _hosts(platform_silent=True),
    "reversal overtakes": _hosts(reversal_overtakes=True),
    "window pays": _hosts(window_pays=True),
    "questions lost": _network(lose_question=0.3),
    "answers lost": _network(lose_answer=0.3),
    "questions repeated": _network(twice=0.3),
    "clock forward": _clock(timedelta(days=400)),
    "clock back": _clock(timedelta(days=-900)),
    "clock a day forward": _clock(timedelta(days=1)),
    "clock some hours back": _clock(timedelta(hours=-9)),
}
CLOCKS = tuple(kind for kind in FAULTS if kind.startswith("clock"))
# These lose or hide notes: only cases can explain them, so the strict checks of cash are off in such a history.
HARM_CASH: dict[str, tuple[Turn, Turn]] = {
    "note jams": _device("cash", "stack_jams"),
    "change jams": (lambda one: one.till.jam_payout(on=True), lambda one: one.till.jam_payout(on=False)),
}


class Trouble:
    """One history's faults. ``counted``: how often each kind began."""

    def __init__(self, terminal: Terminal, chance: random.Random, kinds: tuple[str, ...]) -> None:
        self._terminal, self._chance, self._kinds = terminal, chance, kinds
        self._on: set[str] = set()
        self._over = False
        self.counted: Counter[str] = Counter()

    async def run(self, pause_s: float) -> None:
        """Until ``clear``. What lasts comes one after another; a strike is laid in a moment and waits by itself."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._strike, pause_s)
            await self._last(pause_s)

    async def _last(self, pause_s: float) -> None:
        """A pause, a fault, and after a while its end."""
        kinds = [kind for kind in self._kinds if kind not in STRIKES]
        while kinds:
            await trio.sleep(self._chance.expovariate(1 / pause_s))
            kind = self._chance.choice(kinds)
            if self._chance.random() < MOMENT_CHANCE:
                await self._moment()
            if self._over:
                break
            self._begin(kind)
            await trio.sleep(self._chance.uniform(*LASTS_S))
            self._end(kind)

    async def _strike(self, pause_s: float) -> None:
        kinds = [kind for kind in self._kinds if kind in STRIKES]
        while kinds:
            await trio.sleep(self._chance.expovariate(1 / pause_s))
            if self._over:
                break
            kind = self._chance.choice(kinds)
            STRIKES[kind](self._terminal, self._chance)
            self.counted[kind] += 1
            self._terminal.tell(f"fault: {kind}")

    async def _moment(self) -> None:
        with trio.move_on_after(MOMENT_S_MAX):
            dark = bool(self._terminal.network.dark_hosts)
            await self._terminal.watch.next_of(self._chance.choice(DARK_MOMENTS if dark else MOMENTS)).wait()

    def clear(self) -> None:
        """Everything that still is on ends, and nothing begins any more."""
        self._over = True
        for kind in sorted(self._on):
            self._end(kind)
        pay_elsewhere(self._terminal)
        self._terminal.clock_off = timedelta(0)
        self._terminal.network.dark_hosts = frozenset()
        self._terminal.network.strikes.clear()

    def _begin(self, kind: str) -> None:
        if kind == "dark":
            self._terminal.network.dark_until_s = trio.current_time() + self._chance.uniform(*DARK_S)
        else:
            _switch(kind)[0](self._terminal)
        self._terminal.cash_harmed |= kind in HARM_CASH
        self._on.add(kind)
        self.counted[kind] += 1
        self._terminal.tell(f"fault: {kind}")

    def _end(self, kind: str) -> None:
        if kind not in self._on:  # ended with everything else meanwhile
            return
        if kind == "dark":
            self._terminal.network.dark_until_s = 0.0
        else:
            _switch(kind)[1](self._terminal)
        self._on.discard(kind)
        self._terminal.tell(f"over: {kind}")


def _switch(kind: str) -> tuple[Turn, Turn]:
    return FAULTS.get(kind) or HARM_CASH[kind]
