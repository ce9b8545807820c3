"""PSAMs that must not be used any more: the agency's signed list, judged when a module answers and while it is in use.

A stolen PSAM reads the cards of its whole region (pins-and-keys 13). The list lies with the agency's other documents
(``offline.documents`` of the settings), a signed document (``kiosk/basics/signed.py``) of kind ``psam_blocklist``:
``{"serials": [20 hex digits, ...]}``. It blocks also after its time, because what is stolen stays stolen. A list that
the agency did not sign, or an older one than was seen, blocks whatever is in the slot: somebody does not want this
terminal to see the right one. Without any list nothing is blocked, and ``doctor`` says so.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.basics.signed import NotTrusted, read_signed
from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceFault
from kiosk.ports.devices import SamReader
from kiosk.ports.offline import NewestSeen

SLOT, FILE, KIND = "sam_reader", "psam-blocklist.json", "psam_blocklist"
IN_FORCE = "psam_blocklist_in_force"  # act of the journal
SERIAL = re.compile(r"[0-9A-Fa-f]{20}")
LOOK_S = 30.0  # a list may be exchanged while the kiosk runs
BLOCKED, UNUSABLE = "psam_blocked", "psam_list_unusable"


@dataclass(frozen=True)
class SamList:
    """``serials`` in capitals."""

    version: int
    expires_at: datetime
    serials: frozenset[str]


def read_sam_list(file: Path, keys: Mapping[str, Ed25519PublicKey], version_min: int = 0) -> SamList:
    """Raises NotTrusted, OSError (FileNotFoundError: there is none)."""
    trusted = read_signed(file.read_bytes(), KIND, keys, version_min)
    serials = trusted.content.get("serials")
    if not isinstance(serials, list) or not all(isinstance(one, str) and SERIAL.fullmatch(one) for one in serials):
        raise NotTrusted(f"{KIND}: serials of 20 hex digits")
    return SamList(trusted.version, trusted.expires_at, frozenset(one.upper() for one in serials))


@dataclass(frozen=True)
class SamWatch:
    """An attendant of the slot: before it has started no service gets the PSAM, and its fault takes the PSAM away.
    ``folder``: of the agency's documents, "" where none come."""

    folder: str
    keys: Mapping[str, Ed25519PublicKey]
    newest: NewestSeen

    async def attend(self, sam: SamReader, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Raises DeviceFault: this PSAM is not to be used."""
        self._judge(sam.serial)
        task_status.started()
        while True:
            await trio.sleep(LOOK_S)
            self._judge(sam.serial)

    def _judge(self, serial: str) -> None:
        refusal = self.refusal(serial)
        if refusal:
            raise DeviceFault(SLOT, Health(Condition.FAULT, refusal))

    def refusal(self, serial: str) -> str:
        """Why a PSAM with this serial is not to be used; "" for one that may be."""
        if not self.folder:
            return ""
        try:
            found = read_sam_list(Path(self.folder) / FILE, self.keys, self.newest.version())
        except FileNotFoundError:
            return UNUSABLE if self.newest.version() else ""  # there was one: it does not vanish by itself
        except (OSError, NotTrusted):
            return UNUSABLE
        if found.version > self.newest.version():
            self.newest.note(found.version)
        return BLOCKED if serial.upper() in found.serials else ""
