"""The agency's documents for the time without a line, read from the folder in which provisioning puts them.

Policy and hotlist may be replaced while the kiosk runs: the policy is read at every question, which is rare, and the
hotlist is opened again when its manifest or its changes are other files than before.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.basics.signed import NotTrusted
from kiosk.domain.offline import CardFinding, OfflinePolicy
from kiosk.money.offline_limits import NO_DOCUMENTS
from kiosk.ports.offline import NewestSeen, OfflineDocuments
from kiosk.settings.config import OfflineRules
from offline_queue.hotlist import MANIFEST, OVERLAY, Hotlist, HotlistUnusable
from offline_queue.policy import read_policy

POLICY = "offline-policy.json"


class OfflineFolder:
    """Implements ``ports.offline.OfflineDocuments``. ``told``: why a document is not used, for the log. ``newest``: of
    the hotlists that were used here; an older one is none, whoever puts it there and whenever."""

    def __init__(
        self,
        folder: Path,
        keys: Mapping[str, Ed25519PublicKey],
        hotlist_key: bytes,
        newest: NewestSeen,
        told: Callable[[str], None] = lambda why: None,
    ) -> None:
        self._folder, self._keys, self._hotlist_key, self._told = folder, keys, hotlist_key, told
        self._newest = newest
        self._hotlist: Hotlist | None = None
        self._opened: tuple[object, ...] = ()

    def policy(self, version_min: int) -> OfflinePolicy | None:
        try:
            return read_policy((self._folder / POLICY).read_bytes(), self._keys, version_min)
        except FileNotFoundError:
            return None
        except (OSError, NotTrusted) as unusable:
            self._told(f"offline policy: {unusable}")
            return None

    def card(self, card_number: str, now: datetime, age_max: timedelta) -> CardFinding:
        hotlist = self._current()
        if hotlist is None or not hotlist.fresh(now, age_max):
            return CardFinding.NO_LIST
        return CardFinding.LISTED if hotlist.listed(card_number) else CardFinding.CLEAR

    def _current(self) -> Hotlist | None:
        stands = tuple(_mark(self._folder / name) for name in (MANIFEST, OVERLAY))
        if stands == self._opened:
            return self._hotlist
        if self._hotlist is not None:
            self._hotlist.close()
        self._hotlist, self._opened = None, stands
        try:
            opened = Hotlist(self._folder, self._keys, self._hotlist_key, self._newest.version())
        except HotlistUnusable as unusable:
            self._told(f"hotlist: {unusable}")
            return None
        if opened.version > self._newest.version():
            self._newest.note(opened.version)
        self._hotlist = opened
        return opened


def open_documents(
    rules: OfflineRules, keys: Mapping[str, Ed25519PublicKey], newest: NewestSeen, told: Callable[[str], None]
) -> OfflineDocuments:
    """Without a key for the hotlist no card is clear, so nothing is done offline."""
    if not rules.documents:
        return NO_DOCUMENTS
    try:
        secret = Path(rules.hotlist_key).read_bytes()
    except OSError as error:
        told(f"hotlist key: {error.strerror}")
        return NO_DOCUMENTS
    return OfflineFolder(Path(rules.documents), keys, secret, newest, told)


def _mark(path: Path) -> object:
    """What changes when a file is replaced."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_mtime_ns, stat.st_size
