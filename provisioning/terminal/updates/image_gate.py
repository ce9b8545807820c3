"""Whether a new image is well: the machine started anew with it, the kiosk is as it was before, its self-test passes,
and the fleet is heard again where it was heard before. And at every other start: whether what is kept came up.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec
import trio

from kiosk.ports import Log
from provisioning.rules.commands import NotObeyed
from provisioning.rules.health_gate import Look, Verdict, judge, look_of
from provisioning.terminal.house import House
from provisioning.terminal.updates.gate import LOOK_EVERY_S, REST_AGAIN_S, REST_TRIES_MAX
from provisioning.terminal.updates.image import ImageInstaller
from provisioning.terminal.updates.rauc import RaucFailed

FLEET = "fleet"
REBOOT_S_MAX = 300.0
CONFIRM_AGAIN_S = 10.0
NOT_ANEW = "the machine did not start anew"


@dataclass
class ImageGate:
    """``reboot``: wishes for it, by a word that is new for each start; raises NotObeyed. ``heard``: whether the fleet
    answered this agent's newest question. ``allowed_s``: within which all must be well, from the agent's start."""

    house: House
    image: ImageInstaller
    reboot: Callable[[str], Awaitable[None]]
    heard: Callable[[], bool]
    log: Log
    allowed_s: float
    look_every_s: float = LOOK_EVERY_S
    again_s: float = REST_AGAIN_S
    reboot_s_max: float = REBOOT_S_MAX
    confirm_again_s: float = CONFIRM_AGAIN_S

    async def look(self, kind: str) -> str:
        look = await self._look()
        return msgspec.json.encode(look).decode() if look else ""

    async def restart(self, kind: str, before: str) -> None:
        """Not where the chosen slot runs already: the power was cut in between. A kiosk that never rests, or a machine
        that does not end, leaves what runs running; ``healthy`` then says so."""
        for _ in range(REST_TRIES_MAX):
            if self.image.runs_chosen:
                return
            if not await self.house.rest() or await self._lies_dead():
                try:
                    await self.reboot(f"image-{self.image.booted.boot}")
                    await trio.sleep(self.reboot_s_max)  # it ends meanwhile
                except NotObeyed as refused:
                    self.log("image_waits", why=str(refused))
            await trio.sleep(self.again_s)

    async def _lies_dead(self) -> bool:
        """On the way back from an image of which neither kiosk nor forwarder lives: nobody can say that nothing is
        under way, and only the image before can bring it to its end."""
        return self.image.trial() is None and await self.house.nobody_is_there()

    async def healthy(self, kind: str, before: str) -> str:
        """ "" or what is not well when the time is over."""
        if not self.image.runs_chosen:
            return NOT_ANEW
        began, was = trio.current_time(), msgspec.json.decode(before, type=Look) if before else None
        while True:
            waited_s = trio.current_time() - began
            verdict, why = judge(was, await self._look(), waited_s, self.allowed_s, frozenset({FLEET}))
            if verdict is Verdict.GOOD:
                why = await self.house.self_test()
            if not why or waited_s >= self.allowed_s:
                return why
            await trio.sleep(self.look_every_s)

    async def confirm(self) -> None:
        """What runs and is kept came up: says so to the boot loader once, however long it takes. Of what is on trial
        the update decides."""
        while True:
            try:
                await self.image.tell_fall_back()
                if self.image.trial() is not None:
                    return
                if not await self.house.self_test():
                    await self.image.confirm()
                    return
            except RaucFailed as failed:
                self.log("image_waits", why=str(failed))
            await trio.sleep(self.confirm_again_s)

    async def _look(self) -> Look | None:
        health = await self.house.health()
        if not health:
            return None
        return msgspec.structs.replace(look_of(health), hosts={FLEET: "ok"} if self.heard() else {})
