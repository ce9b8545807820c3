"""What the kiosk costs: the real process in the real stack, every device attached and idle.

The stack is that of ``make run``: X server in memory (llvmpipe), pcscd with PSAM, pad, both printers and the outside
systems, all of them outside the measured process. Figures are of the kiosk process alone.

* CPU: user and system ticks of the process over CPU_S, once on the welcome page, once on the menu of a real card.
* Press: from the X event (XTest) to the first changed pixel in the X server's memory, on tiles and care buttons.
* Start: from the spawn to the first picture that is a whole page, i.e. devices opened; and to the welcome page, i.e.
  residents served, which waits until it is known what the card slot holds (``kiosk.visit.session.READER_SETTLE_S``).
  Warm: page cache and bytecode are there. The processor's time of it says what a busy machine hides.
* Memory: proportional set size (smaps_rollup) after a visit's card was read and its menu pressed and left. Processes
  that map the same libraries share the bill for them (the stack's own X server always does), so its own pages and all
  that is resident are told beside it.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import trio

from simulators.bench import Measurement
from simulators.bench.frame import POLL_S, WAIT_S_MAX, Finger, Frame, until
from simulators.smoke.glass import Glass
from simulators.stack import Plan, Stack, open_stack
from simulators.waiting import until as came

WORLD = Path(__file__).parents[1] / "worlds" / "tiny.toml"
CARD = "wang_xiulan"
SIZE = (1080, 1920)
STARTS = 7
PRESSES = 120
CPU_S = 20.0
START_POLL_S = 0.004
ASIDE = (540, 400)  # nothing to touch there: a release takes the press back
EDGE_PX = 34  # from the left edge of a target: nothing is written there, and it is inside the outline
PAUSE_S = (0.10, 0.15, 0.21)  # between presses; not one rhythm, which could fall in step with the kiosk's naps
MENU, FIRST_PAGE = "menu", "getting_ready"
PICTURE_S = 0.3  # from a page's name in screen.json to its last pixel, generously
Box = tuple[float, float, float, float]


def run() -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory(prefix="yikatong-") as folder:
        plan = Plan(WORLD, Path(folder), SIZE, screen_map=True)
        yield from trio.run(_measure, plan)


async def _measure(plan: Plan) -> list[Measurement]:
    async with open_stack(plan) as stack:
        frame, finger = Frame(stack.display.frame_buffer), Finger(stack.display.name)
        finger.blacken()
        try:
            return [
                *await _starts(stack, frame),
                await _idle(stack, "welcome"),
                *await _menu(stack, frame, finger),
            ]
        finally:
            finger.close()


async def _starts(stack: Stack, frame: Frame) -> list[Measurement]:
    welcome = await trio.to_thread.run_sync(frame.settled)
    first = await _first_page(stack, frame)
    starts = [await _start_s(stack, frame, first, welcome) for _ in range(STARTS)]
    took, computed, served = zip(*starts, strict=True)
    return [
        Measurement("ui_warm_start", statistics.median(took), "s", 0.8, _spread(took, "s")),
        Measurement("ui_warm_start_cpu", statistics.median(computed), "s", 0.7, _spread(computed, "s")),
        Measurement("ui_warm_start_served", statistics.median(served), "s", 2.4, _spread(served, "s")),
    ]


async def _first_page(stack: Stack, frame: Frame) -> bytes:
    """Its picture, of a start that is not measured."""
    await stack.kiosk.power_cut()
    await Glass(stack.kiosk_dir / "screen.json").until(FIRST_PAGE)
    await trio.sleep(PICTURE_S)
    picture = frame.sample()
    await came(lambda: stack.kiosk.ready, WAIT_S_MAX, "ready")
    return picture


async def _start_s(stack: Stack, frame: Frame, first: bytes, welcome: bytes) -> tuple[float, float, float]:
    """Power cut to the kiosk, and the seconds from its new process to the whole first page: on the wall, computed; and
    to the whole welcome page."""
    before = stack.kiosk.pid
    await stack.kiosk.power_cut()
    await came(lambda: stack.kiosk.pid not in (0, before), WAIT_S_MAX, "a new process")
    began = stack.kiosk.started_at
    await trio.to_thread.run_sync(until, lambda: frame.shows(first), START_POLL_S)
    took, computed = time.monotonic() - began, _cpu_ticks(stack.kiosk.pid) / os.sysconf("SC_CLK_TCK")
    await trio.to_thread.run_sync(until, lambda: frame.shows(welcome), START_POLL_S)
    served = time.monotonic() - began
    await came(lambda: stack.kiosk.ready, WAIT_S_MAX, "ready")
    await trio.sleep(1.0)
    return took, computed, served


async def _idle(stack: Stack, page: str) -> Measurement:
    """The arrow of the welcome page stands after three seconds."""
    await trio.sleep(4.0)
    before = _cpu_ticks(stack.kiosk.pid)
    await trio.sleep(CPU_S)
    percent = (_cpu_ticks(stack.kiosk.pid) - before) / os.sysconf("SC_CLK_TCK") / CPU_S * 100
    return Measurement(f"ui_idle_cpu_{page}", percent, "%", 0.3, f"{CPU_S:g} s")


async def _menu(stack: Stack, frame: Frame, finger: Finger) -> list[Measurement]:
    await stack.insert(CARD)
    menu = await Glass(stack.kiosk_dir / "screen.json").until(MENU)
    boxes = [spot.box for spot in menu.answers.values()]
    await trio.sleep(1.0)
    waits = await trio.to_thread.run_sync(_presses_ms, frame, finger, boxes)
    idle = await _idle(stack, MENU)
    memory = Measurement("ui_memory_pss", _mb(stack.kiosk.pid, "Pss"), "MB", 160, _memory_terms(stack.kiosk.pid))
    how = _spread(waits, "ms")
    return [
        Measurement("ui_press_to_pixel_p50", statistics.median(waits), "ms", 20, how),
        Measurement("ui_press_to_pixel_p99", sorted(waits)[int(len(waits) * 0.99)], "ms", 35, how),
        idle,
        memory,
    ]


def _presses_ms(frame: Frame, finger: Finger, boxes: list[Box]) -> list[float]:
    return [
        _press_s(frame, finger, boxes[turn % len(boxes)], PAUSE_S[turn % len(PAUSE_S)]) * 1000
        for turn in range(PRESSES)
    ]


def _press_s(frame: Frame, finger: Finger, box: Box, pause_s: float) -> float:
    """Seconds from the press to the first pixel of it; the release beside the target takes it back."""
    x, y, width, height = (int(part) for part in box)
    spot = (x + EDGE_PX, y + height - 8)
    finger.move(x + width // 2, y + height // 2)
    time.sleep(pause_s)
    before = frame.pixel(*spot)
    began = time.perf_counter()
    finger.button(True)
    until(lambda: frame.pixel(*spot) != before, POLL_S)
    took = time.perf_counter() - began
    finger.move(*ASIDE)
    finger.button(False)
    until(lambda: frame.pixel(*spot) == before, POLL_S)
    return took


def _spread(values: Sequence[float], unit: str) -> str:
    return f"n {len(values)}, {min(values):.3g} to {max(values):.3g} {unit}"


def _cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def _mb(pid: int, word: str) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{word}:")) / 1024


def _memory_terms(pid: int) -> str:
    """The proportional size falls with every process that maps the same libraries; the other two do not."""
    others = [maps for maps in Path("/proc").glob("[0-9]*/maps") if maps.parent.name != str(pid) and _draws(maps)]
    own, resident = _mb(pid, "Anonymous"), _mb(pid, "Rss")
    return f"menu of a visit; own {own:.0f} MB, resident {resident:.0f} MB, {len(others)} others with the renderer"


def _draws(maps: Path) -> bool:
    try:
        return "libLLVM" in maps.read_text()
    except OSError:
        return False  # ended meanwhile
