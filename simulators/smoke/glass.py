"""What the smoke's resident sees: which question stands, and where its answers are.

The kiosk writes ``screen.json`` when YIKATONG_SCREEN_MAP is set: ``{"question": name, "answers": {value: {"box":
[x, y, width, height], "key": digit or null}}}``; boxes in pixels from the top left, no texts, no personal data.
"""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from simulators.waiting import came_true


class Unexpected(Exception):
    """The kiosk did something else than it should; the message names the questions."""


class Spot(msgspec.Struct, frozen=True):
    box: tuple[float, float, float, float]
    key: int | None = None

    @property
    def middle(self) -> tuple[int, int]:
        x, y, width, height = self.box
        return round(x + width / 2), round(y + height / 2)


class View(msgspec.Struct, frozen=True):
    question: str = ""
    answers: dict[str, Spot] = {}


@dataclass(frozen=True)
class Glass:
    """``path`` is the kiosk's screen.json."""

    path: Path

    def look(self) -> View:
        """What stands now; an empty view while nothing can be read."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=View)
        except (OSError, msgspec.MsgspecError):
            return View()

    async def until(self, *questions: str, limit_s: float = 15.0) -> View:
        """The view as soon as one of these questions stands.

        Raises:
            Unexpected: not within ``limit_s``.
        """
        if await came_true(lambda: self.look().question in questions, limit_s):
            return self.look()
        stands = self.look().question or "nothing"
        raise Unexpected(f"waited {limit_s:g} s for {' or '.join(questions)}, but {stands} stands")

    async def until_offered(self, value: str, limit_s: float = 5.0) -> Spot:
        """Where this answer is, as soon as it is there.

        Raises:
            Unexpected: not within ``limit_s``.
        """
        if await came_true(lambda: value in self.look().answers, limit_s):
            return self.look().answers[value]
        raise Unexpected(f"question {self.look().question} offers no {value}")
