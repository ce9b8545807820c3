"""What whole pages cost, and how long services take from the press to their first page.

* Drawing: a page's question to the end of its drawing, in a process that has nothing else (``simulators.bench.draw``).
* Press to page: in the real stack, from the finger's release on a tile of the menu (XTest) to the service's first page
  on the glass, as the kiosk's own map of the screen tells it. Hosts and the card's work are in it: it is what a
  resident waits.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import trio

from simulators.bench import Measurement
from simulators.bench.frame import Finger, until
from simulators.display import open_display
from simulators.processes import Children
from simulators.smoke.glass import Glass
from simulators.stack import Plan, Stack, open_stack
from simulators.waiting import until as came

WORLD = Path(__file__).parents[1] / "worlds" / "tiny.toml"
CARD = "wang_xiulan"
SIZE = (1080, 1920)
PAGE_MS_MAX = 60.0  # INVENTED: what four frames of a television take
PRESS_MS_MAX = 300.0  # INVENTED: within it a page seems to follow the finger (ui-direction: no spinner before it)
PRESSES = 5
LOOK_S = 0.002
WAIT_S_MAX = 20.0
SETTLED_S = 0.6  # longer than a new page is deaf


def run() -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory(prefix="yikatong-") as folder:
        yield from trio.run(_drawings, Path(folder))
    with tempfile.TemporaryDirectory(prefix="yikatong-") as folder:
        yield from trio.run(_presses, Plan(WORLD, Path(folder), SIZE, screen_map=True))


async def _drawings(folder: Path) -> list[Measurement]:
    children = Children(folder / "logs")
    try:
        display = await open_display(children, folder, *SIZE)
        said = await trio.run_process(
            [sys.executable, "-m", "simulators.bench.draw", str(folder)],
            env={**os.environ, "DISPLAY": display.name},
            capture_stdout=True,
            stderr=subprocess.DEVNULL,
        )
    finally:
        await children.stop_all()
    return [_drawing(json.loads(line)) for line in said.stdout.splitlines() if line.startswith(b"{")]


def _drawing(line: dict[str, object]) -> Measurement:
    taken = [float(one) for one in line["ms"]]  # type: ignore[attr-defined] # a list of numbers, as draw.py writes it
    how = f"n {len(taken)}, {min(taken):.1f} to {max(taken):.1f} ms, {line['items']} items"
    return Measurement(f"page_{line['page']}", median(taken), "ms", PAGE_MS_MAX, how)


async def _presses(plan: Plan) -> list[Measurement]:
    async with open_stack(plan) as stack:
        finger = Finger(stack.display.name)
        glass = Glass(stack.kiosk_dir / "screen.json")
        try:
            await stack.insert(CARD)
            menu = await glass.until("menu")
            tiles = [value for value in menu.answers if value != "take_card"]
            return [await _press(stack, glass, finger, tile) for tile in tiles]
        finally:
            finger.close()


async def _press(stack: Stack, glass: Glass, finger: Finger, tile: str) -> Measurement:
    taken: list[float] = []
    page = ""
    for _ in range(PRESSES):
        view = await glass.until("menu")
        await trio.sleep(SETTLED_S)
        finger.move(*view.answers[tile].middle)
        finger.button(True)
        finger.button(False)
        began = time.perf_counter()
        await trio.to_thread.run_sync(until, lambda: glass.look().question not in ("menu", ""), LOOK_S)
        taken.append((time.perf_counter() - began) * 1000)
        page = glass.look().question
        await _back(stack, glass)
    how = f"n {PRESSES}, {min(taken):.0f} to {max(taken):.0f} ms, to {page}"
    return Measurement(f"press_to_page_{tile}", median(taken), "ms", PRESS_MS_MAX, how)


async def _back(stack: Stack, glass: Glass) -> None:
    """By the red key, as often as it takes."""

    def at_menu() -> bool:
        return glass.look().question == "menu"

    end = time.monotonic() + WAIT_S_MAX
    while not at_menu() and time.monotonic() < end:
        await trio.sleep(SETTLED_S)
        if not at_menu():
            stack.press("cancel")
            await trio.sleep(0.2)
    await came(at_menu, WAIT_S_MAX, "back at the menu")
