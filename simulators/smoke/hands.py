"""Three ways to answer a question: a steady finger, a trembling one, and the pad's keys with closed eyes."""

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import trio

from simulators.smoke.ears import Ears
from simulators.smoke.glass import Glass, Spot, Unexpected
from simulators.stack import Stack
from simulators.waiting import came_true

REACTION_S = 0.6  # nobody answers faster; the kiosk is deaf for 0.4 s after a change, so that echoes do not answer
PRESS_S = 0.06
ASKS_S_MAX = 10.0
TREMBLE_PX = 14  # half of what the screen forgives on release


class Hands(Protocol):
    name: str

    async def answer(self, value: str) -> float:
        """Answer the question that stands; the moment (trio time) it was done. Raises Unexpected: no such answer."""
        ...


async def xdotool(display: str, *words: str) -> float:
    """One gesture as real X events; when it ended."""
    await trio.run_process(["xdotool", *words], env={**os.environ, "DISPLAY": display}, capture_stderr=True)
    return trio.current_time()


@dataclass
class Finger:
    """Touches the middle of the answer once."""

    stack: Stack
    glass: Glass
    name: str = "touch"

    async def answer(self, value: str) -> float:
        spot = await self.glass.until_offered(value)
        await trio.sleep(REACTION_S)
        x, y = spot.middle
        return await xdotool(
            self.stack.display.name,
            "mousemove", str(x), str(y), "mousedown", "1", "sleep", str(PRESS_S), "mouseup", "1",
        )  # fmt: skip


@dataclass
class TremblingFinger:
    """Never lands in the middle, slides while it presses, and touches twice."""

    stack: Stack
    glass: Glass
    seed: int = 11
    name: str = "tremble"

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    async def answer(self, value: str) -> float:
        spot = await self.glass.until_offered(value)
        await trio.sleep(REACTION_S)
        first = self._somewhere_in(spot)
        words: list[str] = []
        for _ in range(2):
            words += self._shaky_touch(first)
        return await xdotool(self.stack.display.name, *words)

    def _somewhere_in(self, spot: Spot) -> tuple[int, int]:
        x, y, width, height = spot.box
        return (
            round(x + width * self._random.uniform(0.2, 0.8)),
            round(y + height * self._random.uniform(0.2, 0.8)),
        )

    def _shaky_touch(self, place: tuple[int, int]) -> list[str]:
        x, y = place
        words = ["mousemove", str(x), str(y), "mousedown", "1"]
        for _ in range(3):
            dx, dy = (self._random.randint(-TREMBLE_PX, TREMBLE_PX) for _ in range(2))
            words += ["sleep", "0.02", "mousemove", str(x + dx), str(y + dy)]
        return [*words, "mouseup", "1", "sleep", "0.05"]


@dataclass
class Keypad:
    """Never looks: presses the key that the voice named for the answer."""

    stack: Stack
    ears: Ears
    name: str = "keypad"

    async def answer(self, value: str) -> float:
        key = await self.ears.key_of(value)
        await trio.sleep(REACTION_S)
        self.stack.press(key)
        return trio.current_time()


async def type_pin(stack: Stack, digits: Sequence[str], pad: str) -> float:
    """At the pad that asks, once it is lit, with a person's pace, and the green key at last; when that was. A part of a
    key is typed the same way, by the names of its keys.

    Raises:
        Unexpected: the pad never asked.
    """
    if not await came_true(lambda: stack.asks_pin(pad), ASKS_S_MAX):
        raise Unexpected("the pad does not ask for a PIN")
    for key in [*digits, "enter"]:
        await trio.sleep(0.12)
        stack.press(key, pad)
    return trio.current_time()
