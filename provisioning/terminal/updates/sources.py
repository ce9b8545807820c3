"""Where signed metadata comes from: the fleet's files over the line, or a folder on a stick."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from kiosk.ports import DocumentLink, HostRefused, OutcomeUnknown
from provisioning.terminal.updates.refused import SourceSilent, UpdateRefused


@dataclass(frozen=True)
class LineSource:
    """``base``: path of the repository on its host."""

    link: DocumentLink
    base: str = "/tuf"

    async def metadata(self, name: str, bytes_max: int) -> bytes | None:
        """Implements ``trust.Source``."""
        try:
            part = await self.link.fetch_part(f"{self.base}/{name}", bytes_max=bytes_max)
        except (OutcomeUnknown, HostRefused) as error:
            raise SourceSilent(f"{name}: {error}") from error
        if part is None:
            return None
        if not part.ended:
            raise UpdateRefused("too_long", f"{name}: more than {bytes_max} bytes")
        return part.content


@dataclass(frozen=True)
class FolderSource:
    """Plain files straight in ``folder``: links, devices and folders are not followed, whatever they are called."""

    folder: Path

    async def metadata(self, name: str, bytes_max: int) -> bytes | None:
        """Implements ``trust.Source``. A stick answers at once or not at all: its caller bounds the wait."""
        try:
            return read_plain(self.folder, name, bytes_max)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SourceSilent(f"{name}: {error.strerror}") from error


def read_plain(folder: Path, name: str, bytes_max: int) -> bytes:
    """Raises UpdateRefused: ``not_a_file``, ``too_long``; OSError."""
    with os.fdopen(open_plain(folder, name), "rb") as file:
        content = file.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise UpdateRefused("too_long", f"{name}: more than {bytes_max} bytes")
    return content


def open_plain(folder: Path, name: str) -> int:
    """A descriptor of a plain file of our own name in ``folder``. Raises as ``read_plain``."""
    if "/" in name or name.startswith("."):
        raise UpdateRefused("not_a_file", "a name that leaves the folder")
    try:
        # Not blocking: a pipe that somebody made there would hold the open for ever.
        descriptor = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if (folder / name).is_symlink():
            raise UpdateRefused("not_a_file", f"{name}: a link") from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UpdateRefused("not_a_file", f"{name}: not a plain file")
    return descriptor
