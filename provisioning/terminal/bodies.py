"""Files that settings speak of: fetched in pieces, taken up again after any break, kept only with their digest."""

import hashlib
from pathlib import Path

from kiosk.ports import DocumentLink
from provisioning.rules.desired import BodyRef, Unfit
from provisioning.terminal.disk import Disk
from provisioning.terminal.generations import GROUP_FILE, GROUP_FOLDER

PIECE_BYTES = 256 * 1024
PIECE_S_MAX = 60.0


class Bodies:
    """``base``: path of the terminal at the fleet."""

    def __init__(self, link: DocumentLink, base: str, folder: Path, disk: Disk) -> None:
        self._link, self._base, self._folder, self._disk = link, base, folder, disk

    async def fetch(self, body: BodyRef) -> None:
        """Put it in place as ``folder``/SHA256.

        Raises:
            Unfit: the fleet has another file under this digest, or none. OutcomeUnknown, HostRefused: the line broke;
                what came stays. OSError.
        """
        self._disk.folder(self._folder, GROUP_FOLDER)
        part = self._folder / f"{body.sha256}.part"
        have = part.stat().st_size if part.exists() else 0
        if have > body.bytes:
            self._disk.remove(part)
            have = 0
        if body.bytes == 0:
            self._disk.append(part, 0, b"")
        while have < body.bytes:
            have = await self._piece(body, part, have)
        if _digest(part) != body.sha256:
            self._disk.remove(part)
            raise Unfit(f"{body.name} is not the file that was signed")
        part.chmod(GROUP_FILE)
        self._disk.rename(part, self._folder / body.sha256)

    async def _piece(self, body: BodyRef, part: Path, have: int) -> int:
        wanted = min(PIECE_BYTES, body.bytes - have)
        path = f"{self._base}/bodies/{body.sha256}"
        etag = f'"{body.sha256}"'
        piece = await self._link.fetch_part(path, first=have, bytes_max=wanted, etag=etag, deadline_s=PIECE_S_MAX)
        if piece is None:
            raise Unfit(f"{body.name} is not at the fleet")
        if piece.first not in (0, have) or not piece.content:
            raise Unfit(f"{body.name} does not come in pieces")
        self._disk.append(part, piece.first, piece.content)
        return piece.first + len(piece.content)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
