"""``KivyScreen`` on a real X server, touched by real X events; and its port, offscreen."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

WAIT_S_MAX = 20.0
SETTLED_S = 0.6  # the kiosk is deaf for 0.4 s after a change: a resident's reaction, not a wait for the test


@pytest.fixture
def display(tmp_path: Path) -> Iterator[str]:
    """A private X server of the landscape size."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as numbers:
            yield f":{int(numbers.readline())}"
    finally:
        server.terminate()
        server.wait(WAIT_S_MAX)


class Resident:
    """Touches the glass at an answer that ``screen.json`` shows, and reads what the screen answered."""

    def __init__(self, display: str, run_dir: Path, names: list[str]) -> None:
        self._run_dir = run_dir
        self._environment = {**os.environ, "DISPLAY": display, "YIKATONG_SCREEN_MAP": "1"}
        self._environment.pop("SDL_VIDEODRIVER", None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.screens.kiosk_screen", str(run_dir), *names],
            stdout=subprocess.PIPE, env=self._environment, text=True,
        )  # fmt: skip
        assert self.heard() == {"ready": True}

    def heard(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def box(self, question: str, value: str) -> list[int]:
        """Where the answer stands, once the question does."""
        end = time.monotonic() + WAIT_S_MAX
        while time.monotonic() < end:
            path = self._run_dir / "screen.json"
            seen = json.loads(path.read_text()) if path.exists() else {}
            if seen.get("question") == question:
                return list(seen["answers"][value]["box"])
            time.sleep(0.05)
        raise AssertionError(f"{question} does not stand")

    def touch(self, x: int, y: int) -> None:
        time.sleep(SETTLED_S)
        command = ["xdotool", "mousemove", str(x), str(y), "mousedown", "1", "sleep", "0.05", "mouseup", "1"]
        subprocess.run(command, env=self._environment, check=True, timeout=WAIT_S_MAX)


@pytest.fixture
def resident(display: str, tmp_path: Path) -> Iterator[Resident]:
    found = Resident(display, tmp_path / "run", ["menu", "wrong_pin"])
    try:
        yield found
    finally:
        found.process.kill()
        found.process.wait(WAIT_S_MAX)


def test_touches_on_a_real_display_become_answers(resident: Resident) -> None:
    """A tile answers, the language button changes the language without answering, the main button answers."""
    x, y, wide, high = resident.box("menu", "pin")
    resident.touch(x + wide // 2, y + high // 2)
    assert resident.heard() == {"question": "menu", "answer": "pin", "language": "zh"}
    x, y, wide, high = resident.box("wrong_pin", "again")
    resident.touch(1280 - 32 - 112, 740)  # the language button of the care bar
    resident.touch(x + wide // 2, y + high // 2)
    assert resident.heard() == {"question": "wrong_pin", "answer": "again", "language": "en"}


def test_help_is_an_answer_everywhere(resident: Resident) -> None:
    """The care bar's help button ends the question with ``help``."""
    resident.box("menu", "query")
    resident.touch(32 + 112, 740)
    assert resident.heard()["answer"] == "help"
