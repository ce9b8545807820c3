"""A serial line as drivers see it: bytes in, bytes out, and the day it is pulled."""

from typing import Protocol


class LineLost(Exception):
    """The line cannot be opened or is gone. ``reason``: "absent", "busy" (another owner), "lost" or "not_lendable"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Line(Protocol):
    """One owner at a time. After ``LineLost`` a line stays lost: open a new one."""

    async def send(self, chunk: bytes) -> None:
        """Return when the operating system has taken all of it. Raises LineLost."""
        ...

    async def receive(self) -> bytes:
        """At least one byte, as soon as there is one. Raises LineLost."""
        ...

    def lend(self) -> int:
        """Stop owning the line and give out its descriptor, for another process to inherit.

        Until ``take_back`` neither ``send`` nor ``receive`` may be called, and none may be waiting.

        Raises:
            LineLost: it is gone, or is of a kind that has no descriptor.
        """
        ...

    def take_back(self) -> None:
        """Own the line again; what has arrived meanwhile is dropped."""
        ...

    def close(self) -> None:
        """Never fails, also when the line is lost or closed."""
        ...
