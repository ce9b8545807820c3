"""PIN entry without the short-lived process: what is typed goes to the real card through the real command.

The process, its pipes and the loan of the pad's line are proved by ``tests/cards`` with real processes; a simulation
in one process cannot have them.
"""

from collections.abc import Awaitable, Callable, Generator
from typing import Any

import trio

from drivers.apdu import chip_pin
from drivers.apdu.status import AUTHENTICATION_FAILED, OK, PIN_LOCKED, tries_left
from kiosk.domain.card import CardIdentity, PinProgress, PinPrompt, PinResult, PinTemplate, PinVerdict

# What the resident types at this prompt; None: the red key. May never end.
Type = Callable[[PinPrompt], Awaitable[str | None]]
INITIAL = "123456"
UNSET = (0x6985, 0x6984)


class TypedPin:
    """Implements ``ports.PinEntry`` over a driver that has a ``line``."""

    mode = "B"

    def __init__(self, reader: Any, type_: Type) -> None:
        self._reader, self._type = reader, type_

    async def verify_chip_pin(
        self, card: CardIdentity, template: PinTemplate, progress: Callable[[PinProgress], None]
    ) -> PinVerdict:
        return await self._enter((PinPrompt.CURRENT,), template, progress)

    async def change_chip_pin(
        self, card: CardIdentity, template: PinTemplate, progress: Callable[[PinProgress], None]
    ) -> PinVerdict:
        return await self._enter((PinPrompt.CURRENT, PinPrompt.NEW, PinPrompt.REPEAT), template, progress)

    async def _enter(
        self, prompts: tuple[PinPrompt, ...], template: PinTemplate, progress: Callable[[PinProgress], None]
    ) -> PinVerdict:
        await self._reader.let_go()
        typed: list[str] = []
        for prompt in prompts:
            progress(PinProgress(prompt, 0))
            digits: str | None = ""
            with trio.move_on_after(template.entry_s_max) as limit:
                digits = await self._type(prompt)
            if limit.cancelled_caught or digits is None:
                return PinVerdict(PinResult.TIMED_OUT if limit.cancelled_caught else PinResult.CANCELLED)
            progress(PinProgress(prompt, len(digits)))
            typed.append(digits)
        if len(typed) == 3 and typed[1] != typed[2]:
            return PinVerdict(PinResult.MISMATCH)
        return await self._sent(typed)

    async def _sent(self, typed: list[str]) -> PinVerdict:
        pins = [bytearray(one.encode()) for one in typed]
        command = chip_pin.verify_command(pins[0]) if len(pins) == 1 else chip_pin.change_command(pins[0], pins[1])

        def job(atr: bytes) -> Generator[bytes, bytes, int]:
            answer = yield bytes(command)
            return int.from_bytes(answer[-2:], "big")

        line = self._reader.line
        status = await line.job(line.insertion, job)
        return _verdict(status, initial=typed[0] == INITIAL, verifying=len(typed) == 1)


def _verdict(status: int, *, initial: bool, verifying: bool) -> PinVerdict:
    left = tries_left(status)
    if status == OK:
        return PinVerdict(PinResult.INITIAL if initial and verifying else PinResult.OK)
    if status == PIN_LOCKED or left == 0:
        return PinVerdict(PinResult.LOCKED, 0)
    if left is not None or status == AUTHENTICATION_FAILED:
        return PinVerdict(PinResult.WRONG, left)
    return PinVerdict(PinResult.UNSET if status in UNSET else PinResult.UNKNOWN)
