"""What a smoke run leaves behind: milliseconds of each step, verdicts of each check, pictures and papers."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trio


class CheckFailed(Exception):
    """Something that came out is not what it should be; the message says what, without personal data."""


@dataclass
class Record:
    """``prefix`` tells the passes apart, e.g. ``B.touch``."""

    out: Path
    steps: dict[str, int] = field(default_factory=dict)
    checks: dict[str, bool] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    prefix: str = ""

    @asynccontextmanager
    async def step(self, name: str) -> AsyncIterator[None]:
        """Measure what happens inside, until it is done."""
        begun = trio.current_time()
        yield
        self.took(name, trio.current_time() - begun)

    def took(self, name: str, seconds: float) -> None:
        self.steps[f"{self.prefix}.{name}"] = round(seconds * 1000)

    def note(self, name: str, holds: bool) -> None:
        """Note a verdict that the visit can go on with; a bad one is a problem all the same."""
        self.checks[f"{self.prefix}.{name}"] = holds
        if not holds:
            self.problems.append(f"{self.prefix}.{name}")

    def check(self, name: str, holds: bool) -> None:
        """Note a verdict.

        Raises:
            CheckFailed: it does not hold.
        """
        self.checks[f"{self.prefix}.{name}"] = holds
        if not holds:
            raise CheckFailed(f"{self.prefix}.{name}")

    def keep(self, name: str, content: bytes) -> None:
        path = self.out / self.prefix.replace(".", "/") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def as_line(self) -> str:
        shown = {"ok": not self.problems, "steps_ms": self.steps, "checks": self.checks, "problems": self.problems}
        return json.dumps(shown, ensure_ascii=False)
