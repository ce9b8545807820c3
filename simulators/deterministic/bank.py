"""The way to the bank in memory: the real client over the sandbox's ``BankHost``, and the same network between."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import trio

from kiosk.hosts.bank.codec import FrameReader, Unreadable
from kiosk.ports import HostRefused, OutcomeUnknown
from simulators.deterministic.fuse import Fuse
from simulators.deterministic.hosts import OTHER_WAY_S, Network
from simulators.hosts.bank import BankHost
from simulators.hosts.bank_frames import HEAD_BYTES

LENGTH_BYTES = 2
HOST = "bank"


class MemoryBankLine:
    """Implements ``kiosk.hosts.bank.asking.Line`` and its call: one question for one connection."""

    def __init__(self, host: BankHost, deadline_s: float, network: Network, fuse: Fuse) -> None:
        self._host, self._deadline_s, self._network, self._fuse = host, deadline_s, network, fuse
        self.before: dict[str, Callable[[], str | None]] = {}  # by label, e.g. "bank 0200"

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["MemoryBankLine"]:
        """Raises HostRefused: "line_down": nothing was asked."""
        await trio.sleep(OTHER_WAY_S / 2)
        if self._network.is_dark(HOST) or self._host.weather.closed(HOST):
            raise HostRefused(HOST, "line_down")
        yield self

    async def ask(self, frame: bytes) -> bytes:
        """Raises OutcomeUnknown."""
        with trio.move_on_after(self._deadline_s):
            answer = await self._answered(frame)
            try:
                found = FrameReader().receive(answer)
            except Unreadable as error:
                raise OutcomeUnknown(HOST, "answer is no frame") from error
            if not found:
                raise OutcomeUnknown(HOST, "the bank hung up")
            return found[0]
        raise OutcomeUnknown(HOST, "no answer in time")

    async def _answered(self, frame: bytes) -> bytes:
        """May never return: silence."""
        body = frame[LENGTH_BYTES:]
        label = f"bank {body[HEAD_BYTES : HEAD_BYTES + 2].hex()}"
        self._fuse.burn(f"{label} asked")
        await trio.sleep(OTHER_WAY_S / 2)
        fate = self._network.struck(label) or self._network.fate(HOST)
        if label in self.before:
            fate = self.before[label]() or fate
        if fate in ("dark", "lose_question"):
            await trio.sleep_forever()
        answer = self._host.answer(body)
        if fate == "twice":
            self._host.answer(body)
        if answer is None or fate in ("lose_answer", "late"):
            await trio.sleep_forever()
        await trio.sleep(OTHER_WAY_S / 2)
        self._fuse.burn(f"{label} answered")
        assert answer is not None
        return answer
