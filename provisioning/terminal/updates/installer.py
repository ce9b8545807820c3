"""The port behind which software is put in place: the application bundle here, the A/B image with the appliance."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from provisioning.terminal.updates.trust import Target


@dataclass(frozen=True)
class Trial:
    """New software runs and is not kept yet; it goes back by itself at the next starts."""

    version: str
    previous: str


class Installer(Protocol):
    """Two places, of which one runs. Everything may be repeated after a power cut; what runs is never written to."""

    kind: str  # of releases.KINDS
    full_image: bool  # never over a line that is paid by the byte

    def running(self) -> str:
        """The version."""
        ...

    def unpacked_bytes(self, target: Target) -> int:
        """Room that ``write`` takes, beside the file itself."""
        ...

    def has(self, target: Target) -> bool:
        """Whether exactly this is in the other place already, whole."""
        ...

    async def write(self, file: Path, target: Target) -> None:
        """Put it into the place that does not run. ``file`` has the hash that two people signed.

        Raises:
            UpdateRefused: it does not fit this terminal, or is not what a release may be. OSError.
        """
        ...

    async def switch(self) -> None:
        """From the next start on the other place runs, on trial. One atomic act. Raises OSError."""
        ...

    def trial(self) -> Trial | None:
        """None: what runs is kept, or went back already."""
        ...

    async def keep(self) -> None:
        """The trial is over, well. Raises OSError."""
        ...

    async def go_back(self, why: str) -> None:
        """From the next start on the place before runs again. Raises OSError."""
        ...
