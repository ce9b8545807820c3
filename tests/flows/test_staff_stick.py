"""A village without a line: staff take the records to a stick, bring it to the agency, and return with its answer."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import trio
from trio.testing import MockClock

from kiosk.domain.ledger import SILENT, SecondCopy, StickCopy
from kiosk.ports.staff import StickTrouble
from kiosk.records.evidence import TerminalCopies, read_status
from kiosk.settings.config import AgencyKeys, JournalRules
from offline_queue.agency_keys import recovery_key
from offline_queue.journal import SqliteJournal
from simulators.alone.import_bundles import import_all
from simulators.hosts.agency_ledger import AgencyLedgerSandbox
from simulators.hosts.weather import Weather
from simulators.pki import Pki, make_pki
from simulators.worlds.world import load_world
from tests.flows.duty import DutyRoom
from tests.flows.test_staff import shown
from tests.hosts.conftest import WORLDS

TERMINAL = "T0000001"
WRITE = {"staff_menu": ["stick", "finish"], "staff_stick": "write", "staff_stick_told": "understood"}


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


class Copies:
    """``ports.staff.OtherCopies`` that answer as told."""

    def __init__(self, answer: StickCopy | StickTrouble, medium: SecondCopy | None = None) -> None:
        self.answer, self.medium = answer, medium

    async def second_copy(self) -> SecondCopy | None:
        await trio.lowlevel.checkpoint()
        return self.medium

    async def to_stick(self) -> StickCopy:
        await trio.sleep(3)
        if isinstance(self.answer, StickTrouble):
            raise self.answer
        return self.answer


@pytest.fixture
def room(tmp_path: Path, pki: Pki) -> Iterator[DutyRoom]:
    made = DutyRoom(tmp_path, pki)
    fit(made, JournalRules(stick="/media/stick"))
    yield made
    made.journal.close()


def fit(room: DutyRoom, rules: JournalRules) -> None:
    room.kiosk.desk.settings = msgspec.structs.replace(room.kiosk.desk.settings, journal=rules)


def facts(room: DutyRoom, act: str) -> object:
    return [entry.facts for entry in room.journal.entries() if entry.act == act]


@pytest.mark.parametrize(
    ("copy", "words"),
    [
        (StickCopy(4, 90), ["Records 4 to 90 are on it", "Bring it to the agency"]),
        (StickCopy(91, 95, "kept"), ["answer was taken in", "Records 91 to 95"]),
        (StickCopy(0, 0, "kept"), ["The agency has every record up to now"]),
        (StickCopy(4, 90, "refused"), ["not the agency's for this machine", "Records 4 to 90"]),
    ],
)
async def test_what_is_on_the_stick_is_said(
    autojump_clock: MockClock, room: DutyRoom, copy: StickCopy, words: list[str]
) -> None:
    """Which records, what became of the agency's answer, and where to go; journaled with who did it."""
    room.kiosk.desk.other_copies = Copies(copy)
    await room.visit(room.card("1001", "clerk"), **WRITE)
    told = shown(room, "staff_stick_told")
    assert all(part in told for part in words)
    assert facts(room, "stick_written") == [
        {"staff": "1001", "first": copy.first, "last": copy.last, "word": copy.word}
    ]


@pytest.mark.parametrize("why", ["missing", "full", "slow", "broken"])
async def test_trouble_with_the_stick_loses_nothing(autojump_clock: MockClock, room: DutyRoom, why: str) -> None:
    """Said in one sentence, in both languages, with the certainty that everything is still here."""
    room.kiosk.desk.other_copies = Copies(StickTrouble(why))
    await room.visit(room.card("1001", "clerk"), **WRITE)
    assert "Nothing is lost" in shown(room, "staff_stick_told")
    assert "没有丢失" in shown(room, "staff_stick_told", "zh")
    assert facts(room, "stick_not_written") == [{"staff": "1001", "why": why}]


async def test_no_place_for_a_stick_no_duty(autojump_clock: MockClock, room: DutyRoom) -> None:
    """A terminal in a hall offers nothing that it cannot do."""
    fit(room, JournalRules())
    await room.visit(room.card("1001", "clerk"), staff_menu="finish")
    assert "Copy records to a stick" not in shown(room, "staff_menu")


@pytest.mark.parametrize("medium", [SecondCopy(7, "full"), SecondCopy(0, SILENT)])
async def test_the_status_names_a_second_medium_that_wants_something(
    autojump_clock: MockClock, room: DutyRoom, medium: SecondCopy
) -> None:
    """Not while it is well, and not where none is fitted."""
    seen = {"staff_menu": ["status", "finish"], "staff_status": "back"}
    for fine in (None, SecondCopy(90)):
        room.kiosk.desk.other_copies = Copies(StickCopy(0, 0), fine)
        await room.visit(room.card("1001", "clerk"), **seen)
        assert "Second storage" not in shown(room, "staff_status")
    room.kiosk.desk.other_copies = Copies(StickCopy(0, 0), medium)
    await room.visit(room.card("1001", "clerk"), **seen)
    told = shown(room, "staff_status")
    assert told.startswith("Something needs attention")
    assert "Second storage of records" in told


class Village:
    """The real journal, a folder that stands for the stick, and the agency in town."""

    def __init__(self, folder: Path, pki: Pki) -> None:
        self.folder, self.pki, self.stick = folder, pki, folder / "stick"
        keys = AgencyKeys(recovery=str(pki.public("recovery")), documents={"agency": str(pki.public("documents"))})
        kiosk_settings = DutyRoom(folder / "room", pki).kiosk.desk.settings
        rules = JournalRules(stick=str(self.stick), stick_is_mount=False)
        self.settings = msgspec.structs.replace(
            kiosk_settings, data_dir=str(folder / "data"), agency_keys=keys, journal=rules
        )
        room = DutyRoom(folder / "clock", pki)
        self.journal = SqliteJournal(folder / "data", room.clock.now, recovery_key(keys))
        self.ledger = AgencyLedgerSandbox(load_world(WORLDS / "tiny.toml"), folder / "agency", Weather())
        self.copies = TerminalCopies(self.settings)

    def live(self, rows: int) -> None:
        for _ in range(rows):
            self.journal.record("visit_opened")


@pytest.fixture
def village(tmp_path: Path, pki: Pki) -> Iterator[Village]:
    made = Village(tmp_path, pki)
    yield made
    made.ledger.close()
    made.journal.close()


async def test_there_and_back(village: Village) -> None:
    """Out with everything, back with the agency's word, out again with what is new: and the status knows."""
    village.live(5)
    with pytest.raises(StickTrouble, match="missing"):
        await village.copies.to_stick()
    village.stick.mkdir()
    assert await village.copies.to_stick() == StickCopy(1, 5)
    assert import_all(village.stick, village.ledger, village.pki) == 0
    village.live(2)
    assert await village.copies.to_stick() == StickCopy(6, 7, "kept")
    assert read_status(village.settings).acknowledged_up_to == 5
    assert import_all(village.stick, village.ledger, village.pki) == 0
    assert await village.copies.to_stick() == StickCopy(0, 0, "kept")
    assert read_status(village.settings).may_be_destroyed
    assert village.ledger.alerts(TERMINAL) == []


async def test_an_answer_that_is_not_the_agencys_is_refused(village: Village) -> None:
    """The records go out all the same, and nothing is taken for acknowledged."""
    village.live(3)
    village.stick.mkdir()
    (village.stick / f"{TERMINAL}.acknowledgement.json").write_text(json.dumps({"document": {}}))
    assert await village.copies.to_stick() == StickCopy(1, 3, "refused")
    assert read_status(village.settings).acknowledged_up_to == 0


async def test_an_empty_mount_point_is_no_stick(village: Village) -> None:
    """The folder is there, nothing is mounted: records must not be written to the board's own disk."""
    village.live(3)
    village.stick.mkdir()
    rules = msgspec.structs.replace(village.settings.journal, stick_is_mount=True)
    copies = TerminalCopies(msgspec.structs.replace(village.settings, journal=rules))
    with pytest.raises(StickTrouble, match="missing"):
        await copies.to_stick()
    assert list(village.stick.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a stick of its own")
async def test_a_full_stick_says_so_and_keeps_no_half_files(village: Village) -> None:
    """A real file system of 64 KiB that runs full: no file is there under its final name, and no part of one."""
    village.live(2000)
    village.stick.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(village.stick)]
    if await _ran(mount):
        pytest.skip("no mounts in this container")
    try:
        with pytest.raises(StickTrouble, match="full"):
            await village.copies.to_stick()
        assert list(village.stick.iterdir()) == []
    finally:
        assert not await _ran(["umount", str(village.stick)])
    assert read_status(village.settings).rows == 2000


async def _ran(command: list[str]) -> int:
    with trio.fail_after(10):
        return int((await trio.run_process(command, check=False, capture_stderr=True)).returncode)
