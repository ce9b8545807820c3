"""Which visual the window takes. Vectors: what Debian 12's Xvfb 21.1 answers to GetVisualConfigs."""

import os
import subprocess
import sys

from screens.visual import is_flat

WITH_DEPTH = [0x21, 4, 1, 8, 8, 8, 8, 0, 0, 0, 0, 1, 0, 32, 24, 8, 0, 0, 0x20, 0x8000, 0x186A1, 0, 0x186A0, 0]
ONE_BUFFER = [0x389, 4, 1, 8, 8, 8, 8, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0, 0, 0x20, 0x8000, 0x186A1, 0, 0x186A0, 0]
FLAT = [0x38B, 4, 1, 8, 8, 8, 8, 0, 0, 0, 0, 1, 0, 32, 0, 0, 0, 0, 0x20, 0x8000, 0x186A1, 0, 0x186A0, 0]
SUMS = [0x38C, 4, 1, 8, 8, 8, 8, 16, 16, 16, 16, 1, 0, 32, 0, 0, 0, 0, 0x20, 0x8001, 0x186A1, 0, 0x186A0, 0]
SAMPLED = [*FLAT[:-3], 4, 0x186A0, 1]
_CHOICE = "from screens.visual import flat_visual; print(flat_visual())"


def test_only_a_visual_without_extras_is_flat() -> None:
    """Two buffers of eight bits a colour and nothing else: no depth, no sums, no samples, never one buffer."""
    assert [is_flat(words) for words in (WITH_DEPTH, ONE_BUFFER, FLAT, SUMS, SAMPLED)] == [
        False,
        False,
        True,
        False,
        False,
    ]


def test_without_an_x_server_nothing_is_chosen() -> None:
    """Where no X server answers, Kivy's own choice stays."""
    alone = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    said = subprocess.run(
        [sys.executable, "-c", _CHOICE], env={**alone, "DISPLAY": f":{os.getpid() + 100_000}"}, capture_output=True,
        timeout=30, check=True,
    )  # fmt: skip
    assert said.stdout.strip() == b"None"
