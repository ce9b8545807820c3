"""From the card in the slot to its holder's name on the glass: the kiosk's own time, in the real stack.

Counted from the first word of pcscd to the card, which is the reader's event: pcscd looks for cards every 0.4 s, and a
hand falls anywhere between two looks. Counted to the picture of the menu, which greets by name, in the X server's
memory. Of that, two things are not the kiosk's and are taken off:

* what chips computed: the seconds that card and PSAM took to answer their commands (pcscd and its wire stay in);
* what hosts took: the milliseconds of every ``host_call`` in the kiosk's log of this visit (the card's state).
"""

import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import trio

from simulators.bench import Measurement
from simulators.bench.frame import Frame, Stuck, until
from simulators.stack import Plan, Stack, open_stack

WORLD = Path(__file__).parents[1] / "worlds" / "tiny.toml"
CARDS = ("wang_xiulan", "chen_ji")  # specification 2.0, and 3.00 whose holder is read after external authentication
VISITS = 12
LOOK_S = 0.002
LOOKS_MAX = 5


def run() -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory(prefix="yikatong-") as folder:
        yield from trio.run(_measure, Plan(WORLD, Path(folder)))


async def _measure(plan: Plan) -> list[Measurement]:
    async with open_stack(plan) as stack:
        frame = Frame(stack.display.frame_buffer)
        return [await _card(stack, frame, card) for card in CARDS]


async def _card(stack: Stack, frame: Frame, card: str) -> Measurement:
    welcome = await trio.to_thread.run_sync(frame.settled)
    await stack.insert(card)
    menu = await trio.to_thread.run_sync(_other_than, frame, welcome)
    await _out(stack, frame, welcome)
    own = [await _visit_ms(stack, frame, card, menu, welcome) for _ in range(VISITS)]
    how = f"n {VISITS}, {min(own):.3g} to {max(own):.3g} ms, spec {stack.world.card(card).spec}"
    return Measurement(f"card_in_to_name_{card}", statistics.median(own), "ms", 60.0, how)


async def _visit_ms(stack: Stack, frame: Frame, card: str, menu: bytes, welcome: bytes) -> float:
    chips_s, log_bytes = stack.hardware.apdu_seconds, _log(stack).stat().st_size
    await stack.insert(card)
    await trio.to_thread.run_sync(until, lambda: frame.shows(menu), LOOK_S)
    shown = time.perf_counter()
    took_ms = (shown - stack.hardware.noticed_at - (stack.hardware.apdu_seconds - chips_s)) * 1000
    hosts_ms = _hosts_ms(_log(stack), log_bytes)
    await _out(stack, frame, welcome)
    return took_ms - hosts_ms


async def _out(stack: Stack, frame: Frame, welcome: bytes) -> None:
    await stack.pull()
    await trio.to_thread.run_sync(until, lambda: frame.shows(welcome), 0.02)
    await trio.sleep(0.5)


def _other_than(frame: Frame, welcome: bytes) -> bytes:
    """The page that comes to rest after the welcome page. Raises Stuck."""
    for _ in range(LOOKS_MAX):
        found = frame.settled()
        if not frame.shows(welcome):
            return found
    raise Stuck("the welcome page stays")


def _log(stack: Stack) -> Path:
    return stack.plan.run_dir / "logs" / "kiosk.log"


def _hosts_ms(log: Path, start: int) -> float:
    with log.open("rb") as lines:
        lines.seek(start)
        events = [json.loads(line) for line in lines if line.startswith(b"{")]
    return sum(float(event["milliseconds"]) for event in events if event["event"] == "host_call")
