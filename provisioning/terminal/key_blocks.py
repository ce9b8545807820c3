"""Key blocks that wait for this terminal: fetched, judged, given to the kiosk's pad, and answered.

Loading the same block twice is harmless, so nothing needs to be remembered: a power cut between pad and answer brings
the block once more. So does a kiosk that serves somebody, or whose pad is away or only starting: the fleet tells of the
block until its time is over.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.basics.signed import NotTrusted, read_signed
from kiosk.ports import HostLink, HostRefused, Log, OutcomeUnknown
from provisioning.rules.keys import KIND, KeyAnswer, KeyBlock
from provisioning.rules.poll import PollAnswer

BLOCK_BYTES_MAX = 65_536


class PadSilent(Exception):
    """Nobody could be asked to load it; it waits."""


@dataclass(frozen=True)
class KeyBlocks:
    """``base``: of this terminal's paths. ``load``: asks the kiosk; raises PadSilent."""

    link: HostLink
    base: str
    terminal_id: str
    keys: Mapping[str, Ed25519PublicKey]
    load: Callable[[KeyBlock], Awaitable[dict[str, Any]]]
    now: Callable[[], datetime]
    log: Log

    async def take(self, answer: PollAnswer) -> None:
        """Each in its order. What fails waits for the next poll."""
        for block_id in answer.key_blocks:
            try:
                await self._take_one(block_id)
            except (HostRefused, OutcomeUnknown, PadSilent) as error:
                self.log("key_block_waits", why=str(error))
                return

    async def _take_one(self, block_id: str) -> None:
        path = f"{self.base}/key-blocks/{block_id}"
        wire = await self.link.fetch(path, bytes_max=BLOCK_BYTES_MAX)
        try:
            block = self._trusted(wire, block_id)
        except NotTrusted as refused:
            self.log("key_block_refused", why=str(refused))
            told: Any = KeyAnswer(result="refused", why=str(refused))
        else:
            told = await self.load(block)
        await self.link.call("POST", f"{path}/answer", body=msgspec.to_builtins(told))

    def _trusted(self, wire: bytes, block_id: str) -> KeyBlock:
        """Raises NotTrusted."""
        trusted = read_signed(wire, KIND, self.keys)
        try:
            block = msgspec.convert(dict(trusted.content), KeyBlock)
        except msgspec.ValidationError:
            raise NotTrusted(f"{KIND}: not whole") from None
        if block.terminal_id != self.terminal_id or block.block_id != block_id:
            raise NotTrusted(f"{KIND}: for another terminal")
        if self.now() > trusted.expires_at:
            raise NotTrusted(f"{KIND}: expired")
        return block
