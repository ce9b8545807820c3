"""A PSAM on the agency's list serves nobody, from the moment at which the terminal has the list."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from trio.testing import MockClock

from kiosk.devices.sams import BLOCKED, FILE, IN_FORCE, LOOK_S, SLOT, UNUSABLE, SamWatch
from kiosk.devices.supervisor import Supervisor
from kiosk.doctor.findings import blocklist_findings
from kiosk.domain.health import Health
from kiosk.money.offline_limits import NewestUsed
from kiosk.ports import Device, DeviceContext
from kiosk.settings.config import OfflineRules, Settings, SlotSettings
from offline_queue.journal import SqliteJournal
from simulators.hosts.agency_documents import DocumentMaker
from tests.flows.slot_device import SlotDevice

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
SIGNING = Ed25519PrivateKey.from_private_bytes(b"TEST hotlist signing, no secret.")
STRANGER = Ed25519PrivateKey.from_private_bytes(b"TEST of a stranger, no secret ..")
KEYS = {"agency": SIGNING.public_key()}
MINE, OTHER = "11112222333344445555", "AAAABBBBCCCCDDDDEEEE"


class Psam(SlotDevice):
    serial = MINE


def put(folder: Path, serials: object, version: int = 7, key: Ed25519PrivateKey = SIGNING) -> None:
    maker = DocumentMaker(key, "agency", timedelta(days=30))
    (folder / FILE).write_bytes(maker.signed("psam_blocklist", version, NOW, {"serials": serials}))


@pytest.fixture
def watch(tmp_path: Path) -> SamWatch:
    journal = SqliteJournal(tmp_path / "data", lambda: NOW)
    return SamWatch(str(tmp_path), KEYS, NewestUsed(journal, IN_FORCE))


def test_only_what_is_listed_is_blocked(tmp_path: Path, watch: SamWatch) -> None:
    """In capitals or not; without a list nothing is."""
    assert watch.refusal(MINE) == SamWatch("", {}, watch.newest).refusal(MINE) == ""
    put(tmp_path, [OTHER.lower()])
    assert (watch.refusal(MINE), watch.refusal(OTHER)) == ("", BLOCKED)


@pytest.mark.parametrize("serials", [None, "x", [1], ["12"], [MINE, "G" * 20]])
def test_a_list_that_says_nothing_blocks_all(tmp_path: Path, watch: SamWatch, serials: object) -> None:
    """What is no list of serial numbers is no word of the agency's that a PSAM may be used."""
    put(tmp_path, serials)
    assert watch.refusal(OTHER) == UNUSABLE


def test_a_list_of_somebody_else_blocks_all(tmp_path: Path, watch: SamWatch) -> None:
    """Signed by a stranger, cut short, older than the one that was seen, or gone after there was one."""
    put(tmp_path, [OTHER], key=STRANGER)
    assert watch.refusal(MINE) == UNUSABLE
    put(tmp_path, [OTHER], version=9)
    assert watch.refusal(MINE) == ""
    put(tmp_path, [], version=8)
    assert watch.refusal(OTHER) == UNUSABLE
    put(tmp_path, [], version=9)
    assert watch.refusal(OTHER) == ""
    (tmp_path / FILE).write_bytes((tmp_path / FILE).read_bytes()[:-20])
    assert watch.refusal(MINE) == UNUSABLE
    (tmp_path / FILE).unlink()
    assert watch.refusal(MINE) == UNUSABLE


async def test_no_service_gets_it_and_it_is_taken_away(
    autojump_clock: MockClock, tmp_path: Path, watch: SamWatch
) -> None:
    """Out of order with the reason half a minute after a new list; a newer one without it brings it back."""
    told: list[Health] = []

    def find(name: str) -> object:
        def open_it(options: Mapping[str, object], context: DeviceContext) -> Device:
            return Psam(context)

        return open_it

    slots = {SLOT: SlotSettings("psam")}
    supervisor = Supervisor(
        slots,
        find,
        lambda *a, **b: None,
        tmp_path,
        "B",
        None,
        {SLOT: watch.attend},  # type: ignore[arg-type]  # a fake driver
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(supervisor.run)
        await supervisor.wait_tried()
        assert supervisor.device(SLOT).serial == MINE
        put(tmp_path, [MINE], version=1)
        await trio.sleep(LOOK_S + 1)
        told.append(supervisor.health(SLOT))
        assert supervisor.unusable((SLOT,)) == SLOT
        put(tmp_path, [OTHER], version=2)
        await trio.sleep(20)
        assert supervisor.device(SLOT).serial == MINE
        nursery.cancel_scope.cancel()
    assert [one.reason for one in told] == [BLOCKED]


@pytest.mark.parametrize(
    ("serials", "at", "verdict", "words"),
    [
        (None, NOW, "warn", "none"),
        ([MINE], NOW, "ok", "version 7, 1 blocked"),
        ([MINE], NOW + timedelta(days=31), "warn", "out of date"),
        (["nonsense"], NOW, "fail", "no PSAM is"),
    ],
)
def test_doctor_tells_of_the_list(
    tmp_path: Path, serials: list[str] | None, at: datetime, verdict: str, words: str
) -> None:
    """Whether there is one, how old, and whether it can be used; nothing where no PSAM is fitted."""
    if serials is not None:
        put(tmp_path, serials)
    rules = OfflineRules(documents=str(tmp_path))
    settings = Settings(run_dir="", data_dir="", slots={SLOT: SlotSettings("psam")}, offline=rules)
    (found,) = blocklist_findings(settings, KEYS, at)
    assert found.verdict == verdict and words in found.why
    assert not [*blocklist_findings(Settings(run_dir="", data_dir="", offline=rules), KEYS, at)]
