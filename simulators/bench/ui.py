"""What the screen costs: start, press to changed pixel, idle processor time, memory.

An X server in memory shows the menu of ``simulators.bench.menu``; its frame buffer is read from the server's own
file, so looking costs the kiosk nothing. Presses are real X events (XTest).
"""

import ctypes
import mmap
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from simulators.bench import Measurement

WIDTH, HEIGHT = 1080, 1920
STARTS = 5
PRESSES = 60
IDLE_S = 15.0
WAIT_S_MAX = 20.0
HEADER_PX = 144  # the clock stands in it
POLL_S = 0.0005
# The first tile: a point near its lower left corner where nothing is written, and its middle.
CORNER = (80, 890)
MIDDLE = (292, 776)
ASIDE = (540, 400)


def run() -> Iterator[Measurement]:
    """Five figures of the menu at 1080x1920."""
    with tempfile.TemporaryDirectory() as folder, _display(Path(folder)) as (name, frame):
        run_dir = Path(folder) / "run"
        finger = _Finger(name)
        finger.blacken()
        with _menu(name, run_dir):
            reference = frame.settled()
        starts = [_start_s(name, run_dir, frame, reference) for _ in range(STARTS)]
        yield Measurement("ui_warm_start", statistics.median(starts), "s", 0.8)
        with _menu(name, run_dir) as pid:
            frame.until(reference)
            frame.settled()
            waits = sorted(_press_s(frame, finger) * 1000 for _ in range(PRESSES))
            yield Measurement("ui_press_to_pixel_p50", statistics.median(waits), "ms", 20)
            yield Measurement("ui_press_to_pixel_p99", waits[int(len(waits) * 0.99)], "ms", 35)
            yield Measurement("ui_idle_cpu", _cpu_percent(pid), "%", 0.3)
            yield Measurement("ui_memory_pss", _pss_mb(pid), "MB", 160)


class _Frame:
    """The X server's picture in shared memory (XWD, 32 bits a pixel)."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        head = [int.from_bytes(self._bytes[at * 4 : at * 4 + 4], "big") for at in range(25)]
        self._start = head[0] + head[19] * 12
        self._row = head[12]

    def pixel(self, x: int, y: int) -> bytes:
        at = self._start + y * self._row + x * 4
        return self._bytes[at : at + 3]

    def below_header(self) -> bytes:
        return self._bytes[self._start + HEADER_PX * self._row : self._start + HEIGHT * self._row]

    def settled(self) -> bytes:
        """The picture, once it has a drawing on it and has not changed for a second."""
        end = time.monotonic() + WAIT_S_MAX
        last, since = b"", time.monotonic()
        while time.monotonic() < end:
            now = self.below_header()
            if now != last:
                last, since = now, time.monotonic()
            elif time.monotonic() - since > 1.0 and len({now[at : at + 3] for at in range(0, len(now), 40_004)}) > 2:
                return now
            time.sleep(0.05)
        raise TimeoutError("the picture does not come to rest")

    def until(self, picture: bytes) -> None:
        _until(lambda: self.below_header() == picture, 0.004)


def _until(true: Callable[[], bool], every_s: float) -> None:
    end = time.monotonic() + WAIT_S_MAX
    while not true():
        if time.monotonic() > end:
            raise TimeoutError("the glass does not change")
        time.sleep(every_s)


class _Finger:
    """One finger by XTest (X.Org XTEST extension): synchronous to the server, no process a press."""

    def __init__(self, display: str) -> None:
        self._x11, self._xtst = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXtst.so.6")
        self._x11.XOpenDisplay.restype = ctypes.c_void_p
        self._display = ctypes.c_void_p(self._x11.XOpenDisplay(display.encode()))

    def blacken(self) -> None:
        """Paint the ground that stands where no window is; X would leave the last picture there."""
        self._x11.XDefaultRootWindow.restype = ctypes.c_ulong
        root = ctypes.c_ulong(self._x11.XDefaultRootWindow(self._display))
        self._x11.XSetWindowBackground(self._display, root, ctypes.c_ulong(0))
        self._x11.XClearWindow(self._display, root)
        self._x11.XSync(self._display, 0)

    def move(self, x: int, y: int) -> None:
        self._xtst.XTestFakeMotionEvent(self._display, -1, x, y, 0)
        self._x11.XSync(self._display, 0)

    def button(self, down: bool) -> None:
        self._xtst.XTestFakeButtonEvent(self._display, 1, int(down), 0)
        self._x11.XSync(self._display, 0)


def _press_s(frame: _Frame, finger: _Finger) -> float:
    """Seconds from the press to the first pixel of it; the release beside the target takes it back."""
    finger.move(*MIDDLE)
    time.sleep(0.05)
    before = frame.pixel(*CORNER)
    began = time.perf_counter()
    finger.button(True)
    _until(lambda: frame.pixel(*CORNER) != before, POLL_S)
    took = time.perf_counter() - began
    finger.move(*ASIDE)
    finger.button(False)
    _until(lambda: frame.pixel(*CORNER) == before, POLL_S)
    time.sleep(0.1)
    return took


def _start_s(display: str, run_dir: Path, frame: _Frame, reference: bytes) -> float:
    """Seconds from spawning the process to the whole first picture."""
    _until(lambda: not any(frame.below_header()[::4_001]), 0.02)
    began = time.perf_counter()
    with _menu(display, run_dir):
        frame.until(reference)
        return time.perf_counter() - began


def _cpu_percent(pid: int) -> float:
    before = _cpu_ticks(pid)
    time.sleep(IDLE_S)
    return (_cpu_ticks(pid) - before) / os.sysconf("SC_CLK_TCK") / IDLE_S * 100


def _cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def _pss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


@contextmanager
def _display(folder: Path) -> Iterator[tuple[str, _Frame]]:
    reading, writing = os.pipe()
    screen = f"{WIDTH}x{HEIGHT}x24"
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", screen, "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen([*command, "-fbdir", str(folder)], pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as numbers:
            name = f":{int(numbers.readline())}"
        yield name, _Frame(folder / "Xvfb_screen0")
    finally:
        server.terminate()
        server.wait(WAIT_S_MAX)


@contextmanager
def _menu(display: str, run_dir: Path) -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, "-m", "simulators.bench.menu", str(run_dir)],
        env={**os.environ, "DISPLAY": display},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait(WAIT_S_MAX)
