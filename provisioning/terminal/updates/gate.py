"""Whether new software is well: the kiosk started anew with it and is as it was before, by the rule of the settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec
import trio

from provisioning.rules.health_gate import Look, Verdict, judge, look_of
from provisioning.terminal.house import House

LOOK_EVERY_S = 1.0
REST_AGAIN_S, REST_TRIES_MAX = 10.0, 90
END_LOOKS_MAX = 5


class Gate(Protocol):
    """Fields of the same names in ``flow.House``."""

    async def look(self, kind: str) -> str: ...

    async def restart(self, kind: str, before: str) -> None: ...

    async def healthy(self, kind: str, before: str) -> str: ...


@dataclass(frozen=True)
class ByKind:
    """Implements ``Gate`` by the one of that kind of release."""

    gates: Mapping[str, Gate]

    async def look(self, kind: str) -> str:
        return await self.gates[kind].look(kind)

    async def restart(self, kind: str, before: str) -> None:
        await self.gates[kind].restart(kind, before)

    async def healthy(self, kind: str, before: str) -> str:
        return await self.gates[kind].healthy(kind, before)


@dataclass
class KioskGate:
    """Of the application: both processes of it start anew. ``allowed_s``: within which the kiosk must be as before."""

    house: House
    allowed_s: float
    look_every_s: float = LOOK_EVERY_S
    again_s: float = REST_AGAIN_S

    async def look(self, kind: str) -> str:
        """ "" where no kiosk runs: then any that serves is better."""
        health = await self.house.health()
        return msgspec.json.encode(look_of(health)).decode() if health else ""

    async def restart(self, kind: str, before: str) -> None:
        """Not again where it did since ``before``: the power was cut in between, and whoever is served now stays."""
        now = await self._look()
        if before and now is not None and now.life != _read(before).life:
            return
        # After a power cut nothing rests yet, and somebody may be quicker than the end. A kiosk that never can is no
        # reason to stay between two versions: what was not started anew is not well, and goes back.
        for _ in range(REST_TRIES_MAX):
            if not await self.house.rest():
                await self.house.start_anew()
                if now is None or await self._ended(now.life):
                    return
            await trio.sleep(self.again_s)

    async def _ended(self, life: str) -> bool:
        """Whether that process of the kiosk is gone, within a few seconds."""
        for _ in range(END_LOOKS_MAX):
            now = await self._look()
            if now is None or now.life != life:
                return True
            await trio.sleep(self.look_every_s)
        return False

    async def healthy(self, kind: str, before: str) -> str:
        """ "" or what is not well when the time is over."""
        began, was = trio.current_time(), _read(before) if before else None
        while True:
            verdict, why = judge(was, await self._look(), trio.current_time() - began, self.allowed_s)
            if verdict is not Verdict.WAIT:
                return why
            await trio.sleep(self.look_every_s)

    async def _look(self) -> Look | None:
        health = await self.house.health()
        return look_of(health) if health else None


def _read(before: str) -> Look:
    return msgspec.json.decode(before, type=Look)
