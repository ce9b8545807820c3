"""What the resident with closed eyes hears: the kiosk's speech log, one JSON line for each thing said.

A line holds message ids, never the words with a name or an amount in them.
"""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from simulators.smoke.glass import Glass, Unexpected
from simulators.waiting import came_true

HEAR_S_MAX = 5.0
# The pad's coloured keys mean the same on every question.
GREEN, RED = "enter", "cancel"
COLOURED = {"understood": GREEN, "print": GREEN, "go_on": GREEN, "back": RED, "take_card": RED, "stop": RED}


class Saying(msgspec.Struct, frozen=True):
    question: str = ""
    msgids: list[str] = []


@dataclass
class Ears:
    """``path`` is the kiosk's speech.jsonl; ``glass`` only tells which digit an answer has, as the voice would."""

    path: Path
    glass: Glass

    def heard(self) -> list[Saying]:
        """Everything said so far."""
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        return [msgspec.json.decode(line, type=Saying) for line in lines if line.endswith(b"}")]

    async def hears(self, question: str, after: int = 0) -> bool:
        """Whether ``question`` is spoken, beyond the first ``after`` sayings, within HEAR_S_MAX."""

        def spoken() -> bool:
            return any(saying.question == question and saying.msgids for saying in self.heard()[after:])

        return await came_true(spoken, HEAR_S_MAX)

    async def key_of(self, value: str) -> str:
        """The key for an answer. Raises Unexpected: the question has none for it."""
        if value in COLOURED:
            return COLOURED[value]
        spot = await self.glass.until_offered(value)
        if spot.key is None:
            raise Unexpected(f"{value} has no key of the pad")
        return str(spot.key)
