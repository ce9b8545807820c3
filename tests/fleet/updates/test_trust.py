"""What a terminal takes for signed software, from a line that lies and a clock that is off."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provisioning.terminal.updates.refused import UpdateRefused
from provisioning.terminal.updates.trust import Trust
from tests.fleet.updates.office import Mirror, Office, mirror_of, new_signer, refreshed, resigned


async def refusal_of(trust: Trust, mirror: Mirror) -> str:
    with pytest.raises(UpdateRefused) as refused:
        await trust.refresh(mirror)
    assert str(refused.value), "a reason for people"
    return refused.value.code


async def test_signed_software_is_allowed(office: Office, tmp_path: Path) -> None:
    """What two people signed is allowed by its hash, again without asking anybody, and says when it was vouched for."""
    office.release("1.0.0", b"one")
    trust = office.trust(tmp_path / "tuf")
    allowed = await refreshed(trust, office)
    assert [target.name for target in allowed.targets] == ["application-1.0.0.tar.gz"]
    assert allowed.with_hash(allowed.targets[0].sha256) == trust.kept().targets[0]
    assert allowed.with_hash("00" * 32) is None
    assert allowed.signed_at == office.now()


async def test_unchanged_repository_costs_one_file(office: Office, tmp_path: Path) -> None:
    """Asking again where nothing changed fetches the timestamp, and asks whether there is a new root."""
    trust, mirror = office.trust(tmp_path / "tuf"), mirror_of(office)
    await trust.refresh(mirror)
    mirror.asked.clear()
    await trust.refresh(mirror)
    assert mirror.asked == ["2.root.json", "timestamp.json"]


async def test_roots_roll_over(office: Office, tmp_path: Path) -> None:
    """A terminal that slept through two changes of people follows them one by one and then trusts the new ones only."""
    trust = office.trust(tmp_path / "tuf")
    await refreshed(trust, office)
    for name in ("dora", "emil"):
        office.people[name] = new_signer()
    folder = office.stage_folder()
    office.stage_root(folder, ("bob", "carol", "dora"))
    office.sign_and_publish(folder, ("bob", "carol"))
    folder = office.stage_folder()
    office.stage_root(folder, ("carol", "dora", "emil"))
    office.sign_and_publish(folder, ("carol", "dora"))
    assert (await refreshed(trust, office)).root_version == 3
    assert trust.kept().root_version == 3


async def test_online_key_roll_over(office: Office, tmp_path: Path) -> None:
    """After the server's key was changed, what the stolen one signs is refused and the new one's is taken."""
    trust = office.trust(tmp_path / "tuf")
    await refreshed(trust, office)
    stolen, office.online = office.online, new_signer()
    folder = office.stage_folder()
    office.stage_root(folder)
    office.sign_and_publish(folder)
    assert (await refreshed(trust, office)).root_version == 2
    forged = resigned((office.repository.folder / "timestamp.json").read_bytes(), stolen)
    assert await refusal_of(trust, Mirror(office.repository.folder, {"timestamp.json": forged})) == "not_signed"


async def test_refused_root_of_one_person(office: Office, tmp_path: Path) -> None:
    """A root that only one of the people signed is refused."""
    trust, folder = office.trust(tmp_path / "tuf"), office.stage_folder()
    office.stage_root(folder)
    raw = resigned((folder / "root.json").read_bytes(), office.people["alice"])
    assert await refusal_of(trust, Mirror(office.repository.folder, {"2.root.json": raw})) == "not_signed"


async def test_refused_root_of_strangers(office: Office, tmp_path: Path) -> None:
    """A root that strangers signed for themselves is refused, however many they are."""
    trust, folder = office.trust(tmp_path / "tuf"), office.stage_folder()
    strangers = {name: new_signer() for name in ("alice", "bob", "carol")}
    Office(tmp_path / "elsewhere", people=strangers).stage_root(folder)
    raw = json.loads((folder / "root.json").read_bytes())
    raw["signed"]["version"] = 2
    forged = resigned(json.dumps(raw).encode(), *strangers.values())
    assert await refusal_of(trust, Mirror(office.repository.folder, {"2.root.json": forged})) == "not_signed"


async def test_refused_root_that_leaves_one_out(office: Office, tmp_path: Path) -> None:
    """A root with a number further on is refused: each follows the one before."""
    folder = office.stage_folder()
    office.stage_root(folder)
    raw = json.loads((folder / "root.json").read_bytes())
    raw["signed"]["version"] = 3
    forged = resigned(json.dumps(raw).encode(), *office.people.values())
    trust = office.trust(tmp_path / "tuf")
    assert await refusal_of(trust, Mirror(office.repository.folder, {"2.root.json": forged})) == "older"


async def test_refused_old_timestamp(office: Office, tmp_path: Path) -> None:
    """Rollback: yesterday's timestamp is refused once today's was seen."""
    yesterday = (office.repository.folder / "timestamp.json").read_bytes()
    office.refresh()
    trust = office.trust(tmp_path / "tuf")
    await refreshed(trust, office)
    assert await refusal_of(trust, Mirror(office.repository.folder, {"timestamp.json": yesterday})) == "older"


async def test_refused_frozen_repository(office: Office, tmp_path: Path) -> None:
    """Freeze: a line that tells the same for longer than the timestamp lasts is not believed any more."""
    trust = office.trust(tmp_path / "tuf")
    await refreshed(trust, office)
    office.pass_days(15)
    assert await refusal_of(trust, mirror_of(office)) == "expired"
    with pytest.raises(UpdateRefused, match="expired"):
        trust.kept()


async def test_refused_mix_of_two_states(office: Office, tmp_path: Path) -> None:
    """Mix and match: a snapshot of another day under today's timestamp is refused, and so are another day's targets."""
    office.release("1.0.0", b"one")
    repository, trust = office.repository.folder, office.trust(tmp_path / "tuf")
    other = {"3.snapshot.json": (repository / "2.snapshot.json").read_bytes()}
    office.release("1.0.1", b"two")
    assert await refusal_of(trust, Mirror(repository, other)) == "mixed"
    swapped = {"3.targets.json": (repository / "2.targets.json").read_bytes()}
    assert await refusal_of(office.trust(tmp_path / "t2"), Mirror(repository, swapped)) == "mixed"


@pytest.mark.parametrize("name", ["timestamp.json", "1.snapshot.json", "1.targets.json", "2.root.json"])
async def test_refused_endless_file(office: Office, tmp_path: Path, name: str) -> None:
    """Endless data: no file is read further than its kind may be long."""
    endless = Mirror(office.repository.folder, {name: b"{" * 3_000_000})
    assert await refusal_of(office.trust(tmp_path / "tuf"), endless) == "too_long"


@pytest.mark.parametrize("name", ["timestamp.json", "2.root.json"])
@pytest.mark.parametrize("raw", [b"", b"{}", b'{"signed": {"_type": "targets"}, "signatures": []}', b"[" * 9000])
async def test_refused_what_cannot_be_read(office: Office, tmp_path: Path, name: str, raw: bytes) -> None:
    """Truncated, foreign and nonsensical files are refused."""
    trust = office.trust(tmp_path / "tuf")
    assert await refusal_of(trust, Mirror(office.repository.folder, {name: raw})) == "broken"


async def test_refused_timestamp_of_a_signer(office: Office, tmp_path: Path) -> None:
    """People who sign software cannot vouch for freshness: each role has its own keys."""
    raw = (office.repository.folder / "timestamp.json").read_bytes()
    forged = {"timestamp.json": resigned(raw, office.people["alice"], office.people["bob"])}
    assert await refusal_of(office.trust(tmp_path / "tuf"), Mirror(office.repository.folder, forged)) == "not_signed"


async def test_refused_software_of_the_server_alone(office: Office, tmp_path: Path) -> None:
    """Whoever has the server and its key can list nothing: the list is the people's."""
    office.release("1.0.0", b"one")
    targets = json.loads((office.repository.folder / "2.targets.json").read_bytes())
    targets["signed"]["targets"]["application-9.9.9.tar.gz"] = {"length": 1, "hashes": {"sha256": "00" * 32}}
    raw = resigned(json.dumps(targets).encode(), office.online, office.people["alice"])
    forged = _forged_chain(office, raw)
    assert await refusal_of(office.trust(tmp_path / "tuf"), Mirror(office.repository.folder, forged)) == "not_signed"


def _forged_chain(office: Office, targets: bytes) -> dict[str, bytes | None]:
    """Snapshot and timestamp that fit these targets, by the server's real key."""
    from tuf.api.metadata import Metadata, MetaFile

    folder = office.repository.folder
    snapshot = Metadata.from_bytes((folder / "2.snapshot.json").read_bytes())
    snapshot.signed.meta["targets.json"] = MetaFile.from_data(2, targets, ["sha256"])
    wire = resigned(snapshot.to_bytes(), office.online)
    timestamp = Metadata.from_bytes((folder / "timestamp.json").read_bytes())
    timestamp.signed.snapshot_meta = MetaFile.from_data(2, wire, ["sha256"])
    told = resigned(timestamp.to_bytes(), office.online)
    return {"2.targets.json": targets, "2.snapshot.json": wire, "timestamp.json": told}


async def test_refused_missing_file(office: Office, tmp_path: Path) -> None:
    """A repository that hides one of its files is refused, not taken for one without news."""
    hidden = Mirror(office.repository.folder, {"1.snapshot.json": None})
    assert await refusal_of(office.trust(tmp_path / "tuf"), hidden) == "missing"


async def test_refused_withdrawn_software(office: Office, tmp_path: Path) -> None:
    """What was taken off the list is not allowed any more, even to who has it still."""
    office.release("1.0.0", b"one")
    trust = office.trust(tmp_path / "tuf")
    (old,) = (await refreshed(trust, office)).targets
    office.release("1.0.1", b"two", withdraw=(old.name,))
    assert (await refreshed(trust, office)).with_hash(old.sha256) is None


async def test_a_clock_of_1970_lets_nothing_old_pass(office: Office, tmp_path: Path) -> None:
    """A terminal whose clock went back still refuses what is older than what it saw: numbers, not hours, tell."""
    before = (office.repository.folder / "timestamp.json").read_bytes()
    office.refresh()
    trust = office.trust(tmp_path / "tuf")
    await refreshed(trust, office)
    trust.now = lambda: datetime(1970, 1, 2, tzinfo=UTC)
    assert (await refreshed(trust, office)).root_version == 1
    assert await refusal_of(trust, Mirror(office.repository.folder, {"timestamp.json": before})) == "older"
