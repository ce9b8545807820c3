"""A stick can be read, and nothing else; for rows, root mounts it writable, and read-only again (wish ``stick``).

Where nothing has more rights than the agent (a desk, a folder in a test) the place of the stick is as it is.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import trio

from provisioning.rules.commands import NotObeyed
from provisioning.terminal.privileged import Privileged

WRITE, DONE = "write", "done"


@dataclass(frozen=True)
class StickDoor:
    """Implements ``rows_by_stick.Door``."""

    privileged: Privileged

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Within the block it can be written to. After it everything is on the stick, which may be pulled.

        Raises:
            NotObeyed: it was not opened, and the block is not entered; or nobody knows whether what was written is on
                it: pulled out, or broken.
        """
        if not self.privileged.is_there:
            yield
            return
        await self.privileged.wish("stick", WRITE)
        try:
            yield
        finally:
            with trio.CancelScope(shield=True):  # a wish has its own deadline
                await self.privileged.wish("stick", DONE)

    async def shut_behind(self, mount: Path) -> None:
        """At the agent's start: what an earlier life left open. systemd starts what is bound anew with us."""
        if not self.privileged.is_there or not mount.is_mount():
            return
        if not os.statvfs(mount).f_flag & os.ST_RDONLY:
            with suppress(NotObeyed):  # pulled out meanwhile, or torn: the next stick gets all of it again
                await self.privileged.wish("stick", DONE)
