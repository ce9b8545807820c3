"""The agency's documents in their folder: what was once used is never older after a restart."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from kiosk.domain.offline import CardFinding
from kiosk.money.offline_limits import HOTLIST_IN_FORCE, NewestUsed
from offline_queue.hotlist import MANIFEST, OVERLAY
from offline_queue.journal import SqliteJournal
from offline_queue.offline_documents import OfflineFolder
from tests.unit.test_hotlist import AGENCY, KEYS, NOW, cards, published

DAY = timedelta(hours=24)


class Terminal:
    """A journal and a folder; ``restart`` forgets all that only memory held."""

    def __init__(self, folder: Path) -> None:
        self._data_dir, self.folder = folder / "data", folder / "offline"
        self.folder.mkdir()
        self.told: list[str] = []
        self._start()

    def _start(self) -> None:
        self.journal = SqliteJournal(self._data_dir, lambda: NOW)
        newest = NewestUsed(self.journal, HOTLIST_IN_FORCE)
        self.documents = OfflineFolder(self.folder, KEYS, AGENCY.secret, newest, self.told.append)

    def restart(self) -> None:
        self.journal.close()
        self._start()

    def finding(self, card: str) -> CardFinding:
        return self.documents.card(card, NOW, DAY)

    def versions(self) -> list[object]:
        return [(one.facts or {})["version"] for one in self.journal.entries() if one.act == HOTLIST_IN_FORCE]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path)
    yield made
    made.journal.close()


def put_back(terminal: Terminal) -> None:
    """Somebody puts yesterday's list there, whole and signed, in which the card was not lost yet."""
    for file in terminal.folder.iterdir():
        file.unlink()
    published(terminal.folder, cards(3), version=6)


@pytest.mark.parametrize("restarted", [False, True])
def test_an_older_list_never_comes_back(terminal: Terminal, restarted: bool) -> None:
    """Also after a restart nothing is done offline with it; a list that is as new serves again."""
    published(terminal.folder, cards(100), version=7)
    assert terminal.finding("T00000050") is CardFinding.LISTED
    put_back(terminal)
    if restarted:
        terminal.restart()
    assert terminal.finding("T00000050") is CardFinding.NO_LIST
    assert any("older than 7" in why for why in terminal.told)
    published(terminal.folder, cards(100), version=7)
    assert terminal.finding("T00000050") is CardFinding.LISTED
    assert terminal.versions() == [7]


def test_changes_count_as_a_newer_list(terminal: Terminal) -> None:
    """Taking the changes away is as good as an older list, and each version is written down once."""
    published(terminal.folder, cards(100), version=7)
    (terminal.folder / OVERLAY).write_bytes(AGENCY.changes(7, 9, NOW, ["T00000777"], []))
    assert terminal.finding("T00000777") is CardFinding.LISTED
    terminal.restart()
    assert terminal.finding("T00000777") is CardFinding.LISTED
    (terminal.folder / OVERLAY).unlink()
    terminal.restart()
    assert terminal.finding("T00000001") is CardFinding.NO_LIST
    assert terminal.versions() == [9]


def test_what_cannot_be_used_is_not_written_down(terminal: Terminal) -> None:
    """A version that nobody signed keeps no list of the agency's from serving."""
    published(terminal.folder, cards(3), version=7)
    manifest = terminal.folder / MANIFEST
    manifest.write_bytes(manifest.read_bytes().replace(b'"version": 7', b'"version": 900').replace(b":7,", b":900,"))
    assert terminal.finding("T00000001") is CardFinding.NO_LIST
    assert terminal.versions() == []
