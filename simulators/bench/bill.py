"""A bill paid in notes, from the card in the slot to the receipt: the kiosk's own time, in the real stack.

Begins with the reader's event, ends when the printer's driver begins to print the receipt (its slot says "busy" in the
kiosk's log; the first bytes follow at once). Hosts think for 50 ms. Taken off, each moment once, is what is not ours:

* the person: from the first changed picture of a page to the key that answers it, from the lit pad to the last key of
  the PIN, from the lit slot to the note, from the notes in the outlet to the hand that takes them;
* devices: while the recycler moves a note; and from the end of its motion, or from the hand that took notes, to 100 ms
  after the poll before: sooner CCNET's manual lets nobody ask (100 to 200 ms). The second figure leaves that pause in;
* hosts: from the head of a question to the last byte of its answer, as each sandbox saw it itself: the 50 ms and what
  it did beside them. The way there and back, TLS and threads are ours;
* chips: what card and PSAM computed.

Left are APDU transport, starting the process for the PIN, drawing, printing, TLS, commits, what polls are late. Hands
move at moments of chance (seeded), because a poll finds what they did a whole period later at worst, at once at best.
"""

import json
import math
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import trio

from simulators.bench import Measurement
from simulators.bench.frame import Frame
from simulators.smoke.glass import Glass
from simulators.smoke.hands import REACTION_S
from simulators.stack import Plan, Stack, open_stack
from simulators.waiting import came_true, until

CARD, PIN = "payer", "246810"
VISITS = 5
YUAN, NOTES = 100, 2  # for 190
HOST_S = 0.05
HESITATION_S_MAX = 0.2  # of a hand with a note: two periods of the recycler's poll
POLL_PAUSE_S = 0.1
JUST_S = 0.003  # a poll so short a time ago has told the change itself
OWN_MS_MAX = 400.0
PAGE_S_MAX = 30.0
LOOK_S = 0.001
DRAWN_S_MAX = 0.3
MOVING = (0x13, 0x15, 0x17, 0x18, 0x1D)  # CCNET states; 1D 01 is the hand's time
WORLD = """
name = "bench"
city = "990001"

[[residents]]
handle = "payer"
name = "试用者"
number = "990001195103080268"
born = "1951-03-08"
medical_scheme = "310"
insurances.medical = {{ state = "in_force", since = "2001-01-01", months = 310 }}
{bills}
[[cards]]
handle = "payer"
title = "payer"
resident = "payer"
"""
BILL = """
[[residents.bills]]
id = "2026112100{number:02d}"
department = "内科"
visited_on = "2026-11-21"
lines = [{{ name = "血压计", amount_fen = 19000, kind = "own" }}]
"""


def run() -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory(prefix="yikatong-") as folder:
        world = Path(folder) / "world.toml"
        world.write_text(WORLD.format(bills="".join(BILL.format(number=number) for number in range(VISITS + 1))))
        visits = trio.run(_measure, Plan(world, Path(folder) / "run", screen_map=True))
    own = [visit.own_ms for visit in visits]
    how = f"n {len(own)}, {min(own):.3g} to {max(own):.3g} ms, two notes in, one out"
    yield Measurement("card_in_to_receipt", statistics.median(own), "ms", OWN_MS_MAX, how)
    paused = [visit.paused_ms for visit in visits]
    how = f"{min(paused):.3g} to {max(paused):.3g} ms, five events that a poll must find"
    yield Measurement("card_in_to_receipt, pauses between polls in", statistics.median(paused), "ms", math.inf, how)
    pin_ms = statistics.median(visit.pin_ms for visit in visits)
    yield Measurement("card_in_to_receipt, of it until the pad asks", pin_ms, "ms", math.inf, "mode B")


async def _measure(plan: Plan) -> list["_Visit"]:
    async with open_stack(plan) as stack:
        bills = [bill.id for bill in stack.world.resident(CARD).bills]
        visits = [_Visit(stack, bill, chance=random.Random(bill)) for bill in bills]
        await visits.pop(0).live()  # the first of the day loads fonts
        stack.weather.change(slow_s=HOST_S)
        for visit in visits:
            await visit.live()
        return visits


@dataclass
class _Visit:
    """``outside``: spans of ``time.perf_counter`` that belong to somebody else; ``pauses``: that the recycler's manual
    wants between two polls while it has something to tell."""

    stack: Stack
    bill: str
    own_ms: float = 0.0
    paused_ms: float = 0.0  # with the pauses
    pin_ms: float = 0.0  # of it from the choice of the service to the lit pad
    outside: list[tuple[float, float]] = field(default_factory=list)
    pauses: list[tuple[float, float]] = field(default_factory=list)
    chance: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self._glass = Glass(self.stack.kiosk_dir / "screen.json")
        self._log = self.stack.plan.run_dir / "logs" / "kiosk.log"
        self._recycler: Any = self.stack.hardware.till.recycler
        self._pictures: list[float] = []
        self._over = threading.Event()

    async def live(self) -> None:
        log_at, chips_s = self._log.stat().st_size, self.stack.hardware.apdu_seconds
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.to_thread.run_sync, self._watch_glass)
            nursery.start_soon(self._watch_motion)
            try:
                await self._pay()
                began = self.stack.hardware.noticed_at
            finally:
                self._over.set()
                nursery.cancel_scope.cancel()
        events = _events(self._log, log_at)
        ended = next(_moment(one) for one in events if _is_printing(one))
        self.outside += [span for host in self.stack.sandboxes.values() for span in host.at_work if span[0] > began]
        chips_s = self.stack.hardware.apdu_seconds - chips_s
        await self._leave()
        whole_s = ended - began - chips_s
        self.paused_ms = (whole_s - _covered(self.outside, began, ended)) * 1000
        self.own_ms = (whole_s - _covered(self.outside + self.pauses, began, ended)) * 1000

    # --- the person ---------------------------------------------------------------------------------------------------

    async def _pay(self) -> None:
        await self._glass.until("insert_card", limit_s=PAGE_S_MAX)
        await trio.sleep(1.0)
        await self.stack.insert(CARD)
        await self._answer("menu", "settle_medical_bill")
        await self._type_pin()
        await self._answer("choose_bill", self.bill)
        await self._answer("confirm_quote", "pay")
        await self._pay_in_notes()
        await self._glass.until("bill_settled", limit_s=PAGE_S_MAX)

    async def _answer(self, question: str, value: str) -> None:
        """By the pad's key: it needs no process and no aim."""
        await self._glass.until(question, limit_s=PAGE_S_MAX)
        drawn = await self._drawn()
        spot = await self._glass.until_offered(value)
        await trio.sleep(REACTION_S)
        self.stack.press(str(spot.key or "enter"))
        self.outside.append((drawn, time.perf_counter()))

    async def _drawn(self) -> float:
        """When the first picture of the page that stands now came: its map is written just before."""
        written = _from_wall(self._glass.path.stat().st_mtime)
        await came_true(lambda: any(moment >= written for moment in self._pictures), DRAWN_S_MAX)
        return next((moment for moment in self._pictures if moment >= written), time.perf_counter())

    async def _type_pin(self) -> None:
        chosen = time.perf_counter()
        await self._look_for(self.stack.asks_pin)
        began = time.perf_counter()
        self.pin_ms = (began - chosen) * 1000
        for key in [*PIN, "enter"]:
            await trio.sleep(0.12)
            self.stack.press(key)
        self.outside.append((began, time.perf_counter()))

    async def _pay_in_notes(self) -> None:
        for _ in range(NOTES):
            await self._look_for(lambda: self._recycler.accepts and self._glass.look().question == "feed_notes")
            await self._by_hand(lambda: self.stack.feed(YUAN))
        await self._look_for(lambda: bool(self._recycler.outlet))
        await self._by_hand(self.stack.take_notes)
        self._pause()

    async def _by_hand(self, move: Callable[[], None]) -> None:
        began = time.perf_counter()
        await trio.sleep(REACTION_S + self.chance.uniform(0, HESITATION_S_MAX))
        move()
        self.outside.append((began, time.perf_counter()))

    async def _look_for(self, holds: Callable[[], bool]) -> None:
        with trio.fail_after(PAGE_S_MAX):
            while not holds():  # noqa: ASYNC110 - a device, which tells nobody
                await trio.sleep(LOOK_S)

    async def _leave(self) -> None:
        await self._answer("bill_settled", "understood")
        await self._glass.until("menu", limit_s=PAGE_S_MAX)
        await self.stack.pull()
        await self._until(self._has_gone)

    def _has_gone(self) -> bool:
        for paper in self.stack.hardware.papers():
            self.stack.take_paper(paper.id)
        return self._glass.look().question == "insert_card"

    async def _until(self, holds: Callable[[], bool]) -> None:
        await until(holds, PAGE_S_MAX, "the kiosk")

    # --- what is watched ----------------------------------------------------------------------------------------------

    def _watch_glass(self) -> None:
        frame = Frame(self.stack.display.frame_buffer)
        last = frame.sample()
        while not self._over.wait(2 * LOOK_S):
            now = frame.sample()
            if now != last:
                self._pictures.append(time.perf_counter())
                last = now

    async def _watch_motion(self) -> None:
        """The world's own process moves the notes: it sees them at once."""
        since: float | None = None
        while True:
            state = self._recycler._state
            moving = state[0] in MOVING and state != b"\x1d\x01"
            if moving and since is None:
                since = time.perf_counter()
            elif not moving and since is not None:
                self.outside.append((since, time.perf_counter()))
                self._pause()
                since = None
            await trio.sleep(LOOK_S)

    def _pause(self) -> None:
        """The recycler has something to tell from now on."""
        now, polled_s = time.perf_counter(), trio.current_time() - self._recycler.polled_at_s
        if polled_s > JUST_S:
            self.pauses.append((now, now - polled_s + POLL_PAUSE_S))


# --- the kiosk's log --------------------------------------------------------------------------------------------------


def _events(log: Path, start: int) -> list[dict[str, Any]]:
    with log.open("rb") as lines:
        lines.seek(start)
        return [json.loads(line) for line in lines if line.startswith(b"{")]


def _is_printing(event: dict[str, Any]) -> bool:
    return event["event"] == "slot" and (event["slot"], event["condition"]) == ("receipt_printer", "busy")


def _moment(event: dict[str, Any]) -> float:
    return _from_wall(datetime.fromisoformat(event["at"]).timestamp())


def _from_wall(seconds: float) -> float:
    return seconds - time.time() + time.perf_counter()


def _covered(spans: list[tuple[float, float]], began: float, ended: float) -> float:
    """Seconds between two moments that lie within any of the spans."""
    total, reached = 0.0, began
    for begin, end in sorted(spans):
        begin, end = max(begin, reached), min(end, ended)
        if end > begin:
            total += end - begin
            reached = end
    return total
