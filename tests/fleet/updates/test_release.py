"""Two people sign on machines of their own, and the server publishes nothing that they did not."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import peewee
import pytest
import trio

from provisioning.fleet.__main__ import main
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.audit import verify
from provisioning.fleet.chores import Chores
from provisioning.fleet.database import open_database
from provisioning.fleet.schema.audit import AuditRow
from provisioning.fleet.schema.places import PROVINCE, Tenant
from provisioning.fleet.settings import FleetSettings
from provisioning.fleet.updates import acts
from provisioning.fleet.updates.bundle import build
from provisioning.fleet.updates.expiry import expiring
from provisioning.fleet.updates.keys import TokenSigner, file_signer, make_key, online_key, read_public
from provisioning.fleet.updates.publish import publish, refresh
from provisioning.fleet.updates.staging import Signers, sign, stage_root, stage_targets
from provisioning.rules.releases import NotAllowed, Software
from provisioning.terminal.disk import Disk
from provisioning.terminal.updates.bundle import check_needs, read_bundle, unpack
from tests.fleet.conftest import CITY
from tests.fleet.updates.bundles import JOURNAL, bundle
from tests.fleet.updates.office import DAY_MS, Office, new_signer, refreshed, resigned

HOUSE = Path(__file__).parents[3]
PHRASES = {"alice": "correct horse battery", "bob": "staple of a bundle"}
SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")


def staged(office: Office, version: str = "1.0.0") -> Path:
    """A folder to be signed, with one release."""
    folder, made = office.stage_folder(), office.home / "made"
    made.write_bytes(bundle(version))
    stage_targets(office.repository, [(made, Software("application", version))], [], folder, office.now_ms)
    return folder


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    assert str(refused.value)
    return refused.value.code


def test_keys_under_a_passphrase(tmp_path: Path) -> None:
    """A key is a private file that opens with its passphrase only; its public half says whose it is."""
    path = tmp_path / "alice.key"
    key = make_key(path, "Alice", PHRASES["alice"])
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"ENCRYPTED" in path.read_bytes()
    signer = file_signer(path, PHRASES["alice"])
    assert signer.public_key.keyid == key.keyid == read_public(tmp_path / "alice.public.json").keyid
    assert refusal(lambda: file_signer(path, "another")) == "wrong_passphrase"
    assert refusal(lambda: make_key(path, "Mallory", PHRASES["bob"])) == "key_exists"
    assert refusal(lambda: make_key(tmp_path / "x", "x", "short")) == "short_passphrase"


@pytest.mark.skipif(not SOFTHSM.exists() or not shutil.which("pkcs11-tool"), reason="softhsm2 and opensc are packages")
def test_key_in_a_token(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A P-256 key that never leaves its token signs a release beside a key in a file, and terminals believe both."""
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm.conf").write_text(f"directories.tokendir = {tmp_path}/tokens\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm.conf"))  # the library's own way to be told
    init = ["softhsm2-util", "--init-token", "--free", "--label", "bob", "--so-pin", "0000", "--pin", "1234"]
    subprocess.run(init, check=True, capture_output=True, timeout=30)
    make = ["pkcs11-tool", "--module", str(SOFTHSM), "--token-label", "bob", "--login", "--pin", "1234"]
    made = ["--keypairgen", "--key-type", "EC:prime256v1", "--id", "01", "--usage-sign"]
    subprocess.run([*make, *made], check=True, capture_output=True, timeout=30)
    office.people["bob"] = TokenSigner.open(SOFTHSM, "bob", "01", lambda: "1234")
    folder = office.stage_folder()
    office.stage_root(folder)
    stage_targets(office.repository, [], [], folder, office.now_ms)
    office.people["bob"].public_key.unrecognized_fields["x-yikatong-name"] = "Bob"
    sign(folder, office.people["carol"])
    office.sign_and_publish(folder)
    office.release("1.0.0", b"by a token and a file")
    trust = office.trust(tmp_path / "tuf")
    assert [one.version for one in trio.run(refreshed, trust, office).targets] == ["1.0.0"]
    wrong = TokenSigner(SOFTHSM, "bob", "01", lambda: "9999", office.people["bob"].public_key)
    assert refusal(lambda: sign(staged(office, "1.0.1"), wrong)) == "not_signed"


def test_refused_with_one_signature(office: Office) -> None:
    """What one person signed, even twice, is not published."""
    folder = staged(office)
    sign(folder, office.people["alice"])
    sign(folder, office.people["alice"])
    assert refusal(lambda: publish(office.repository, folder, office.online, office.now_ms)) == "too_few_signatures"
    assert office.repository.releases() == []


def test_refused_signature_of_a_stranger(office: Office) -> None:
    """Somebody whom the root does not name cannot sign, and is told so."""
    assert refusal(lambda: sign(staged(office), new_signer())) == "not_a_signer"
    assert refusal(lambda: sign(staged(office), office.people["carol"])) == "not_a_signer"  # keeps the root only


def test_refused_software_that_changed_between_signatures(office: Office) -> None:
    """Whoever swaps the file between two signatures is found by the second person, and by the server."""
    folder = staged(office)
    sign(folder, office.people["alice"])
    (folder / "targets" / "application-1.0.0.tar.gz").write_bytes(bundle("6.6.6"))
    assert refusal(lambda: sign(folder, office.people["bob"])) == "other_content"
    (folder / "targets" / "application-1.0.0.tar.gz").write_bytes(bundle("1.0.0"))
    sign(folder, office.people["bob"])
    (folder / "targets" / "evil").write_bytes(b"x")
    assert refusal(lambda: publish(office.repository, folder, office.online, office.now_ms)) == "not_listed"


def test_refused_list_that_changed_after_signing(office: Office) -> None:
    """A list that was changed after both signed it is signed by nobody."""
    folder = staged(office)
    for name in ("alice", "bob"):
        sign(folder, office.people[name])
    path = folder / "targets.json"
    path.write_bytes(path.read_bytes().replace(b"1.0.0", b"1.0.1"))
    assert refusal(lambda: publish(office.repository, folder, office.online, office.now_ms)) == "too_few_signatures"


def test_refused_second_list_from_the_same_start(office: Office) -> None:
    """Two lists that were staged at one time do not both get in: the second does not follow the first."""
    one, other = staged(office), staged(office, "1.0.1")
    office.sign_and_publish(one)
    assert refusal(lambda: office.sign_and_publish(other)) == "not_next"


def test_refused_version_with_other_content(office: Office) -> None:
    """A version is made once: the same name with other bytes cannot even be staged."""
    office.sign_and_publish(staged(office))
    (office.home / "again").write_bytes(b"other")
    again = [(office.home / "again", Software("application", "1.0.0"))]
    code = refusal(lambda: stage_targets(office.repository, again, [], office.stage_folder(), office.now_ms))
    assert code == "other_content"


@pytest.mark.parametrize("software", [Software("firmware", "1.0"), Software("application", "latest")])
def test_refused_names(office: Office, software: Software) -> None:
    """A release is of a kind that terminals install, and has numbers."""
    made = office.home / "made"
    made.write_bytes(b"x")
    with pytest.raises(NotAllowed, match="no release is called"):
        stage_targets(office.repository, [(made, software)], [], office.stage_folder(), office.now_ms)


def test_refused_root_of_too_few(office: Office) -> None:
    """Nobody sets up a root that one person could change alone."""
    alice = office.people["alice"].public_key
    signers = Signers([alice, alice], [alice], office.online.public_key)
    code = refusal(lambda: stage_root(office.repository, signers, office.stage_folder(), office.now_ms))
    assert code == "too_few_signers"


def test_refused_root_without_the_old_people(office: Office) -> None:
    """New people cannot take the root over by themselves."""
    office.people |= {"mallory": new_signer(), "eve": new_signer()}
    folder = office.stage_folder()
    office.stage_root(folder, ("mallory", "eve"))
    assert refusal(lambda: office.sign_and_publish(folder, ("mallory", "eve"))) == "too_few_signatures"


def test_refused_after_the_date(office: Office) -> None:
    """A list that lay about for a year is not published any more; it is signed anew."""
    folder = staged(office)
    office.pass_days(366)
    assert refusal(lambda: office.sign_and_publish(folder)) == "expired"


def test_refused_online_key_of_another_server(office: Office) -> None:
    """A server whose key the root does not name can publish and refresh nothing."""
    folder = staged(office)
    for name in ("alice", "bob"):
        sign(folder, office.people[name])
    stranger = new_signer()
    assert refusal(lambda: publish(office.repository, folder, stranger, office.now_ms)) == "unknown_online_key"
    office.pass_days(2)
    assert refusal(lambda: refresh(office.repository, stranger, office.now_ms)) == "unknown_online_key"


def test_publishing_twice_is_harmless(office: Office) -> None:
    """After a cut in the middle the same folder is published again, and nothing is there twice."""
    folder = staged(office)
    office.sign_and_publish(folder)
    publish(office.repository, folder, office.online, office.now_ms)
    assert [release.version for release in office.repository.releases()] == ["1.0.0"]
    targets = office.repository.targets()
    assert targets is not None and targets.signed.version == 2


def test_timestamp_is_kept_fresh(office: Office) -> None:
    """The server renews its timestamp once a day, and people's roles end in the order that the page shows."""
    assert not refresh(office.repository, office.online, office.now_ms)
    office.pass_days(1)
    assert refresh(office.repository, office.online, office.now_ms)
    found = expiring(office.repository, office.now_ms)
    assert [one.role for one in found][:2] == ["timestamp", "snapshot"]
    assert {one.role for one in found if one.signed_by_people} == {"root", "targets"}
    assert 13 < found[0].days_left <= 14
    assert found[0].expires_ms - office.now_ms == pytest.approx(14 * DAY_MS, abs=1000)


def test_a_running_server_keeps_the_timestamp_fresh(office: Office, database: peewee.Database) -> None:
    """One process of the fleet renews it by itself; before the first release it does nothing, and no key is made."""
    settings = FleetSettings(home=str(office.home / "private"), public=str(office.home / "nothing-yet"))
    chores = Chores(lambda: office.now_ms, settings=settings)
    (freshen,) = (chore for chore in chores.all() if chore.name == "releases")
    assert chores.do_once(freshen)
    assert not Path(settings.home).exists()
    office.online = online_key(Path(settings.home) / acts.ONLINE_KEY)
    folder = office.stage_folder()
    office.stage_root(folder)
    office.sign_and_publish(folder)
    chores.settings = FleetSettings(home=settings.home, public=str(office.home / "public"))
    office.pass_days(1)
    assert chores.do_once(freshen)
    timestamp = office.repository.timestamp()
    assert timestamp is not None and timestamp.signed.version == 3


def test_release_is_on_the_trail(office: Office, database: peewee.Database) -> None:
    """Publishing, and being refused, stand on the province's audit trail with who signed; a city has no say in it."""
    settings = FleetSettings(home=str(office.home / "private"), public=str(office.home / "public"))
    actor = Actor(PROVINCE, "person:wei")
    office.online = online_key(Path(settings.home) / acts.ONLINE_KEY)
    folder = office.stage_folder()
    office.stage_root(folder)
    sign(folder, office.people["alice"])
    assert refusal(lambda: acts.publish_release(actor, settings, folder, office.now_ms)) == "too_few_signatures"
    sign(folder, office.people["bob"])
    acts.publish_release(actor, settings, folder, office.now_ms)
    told = [(row.act, row.facts.get("code"), row.facts.get("root")) for row in AuditRow.select()]
    assert told == [("release_refused", "too_few_signatures", None), ("release_published", None, 2)]
    assert verify(PROVINCE).broken_at == 0
    with pytest.raises(NotFound):
        acts.publish_release(Actor(CITY, "person:li"), settings, folder, office.now_ms)


def test_the_same_tree_makes_the_same_bundle(quick: Path) -> None:
    """Two builds of this source, one of them a copy with other times, are the same bytes, and fit this machine."""
    copy = quick / "copy"
    copy.mkdir()
    for name in ("kiosk", "drivers", "screens", "offline_queue", "provisioning"):
        shutil.copytree(HOUSE / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(HOUSE / name, copy / name)
    here, there = build(HOUSE, "1.2.3"), build(copy, "1.2.3")
    assert hashlib.sha256(here).hexdigest() == hashlib.sha256(there).hexdigest()
    (quick / "bundle").write_bytes(here)
    manifest = read_bundle(quick / "bundle")
    check_needs(manifest, JOURNAL)
    assert "provisioning/terminal/updates/boot.py" in manifest.files
    assert not any(name.startswith(("provisioning/fleet", "simulators", "tests")) for name in manifest.files)
    unpack(quick / "bundle", quick / "b", Disk(), lambda manifest: None)
    points = (quick / "b" / "yikatong-1.2.3.dist-info" / "entry_points.txt").read_text()
    assert "[yikatong.drivers]\n" in points and "pcsc = drivers.card_reader.pcsc.driver:open_device" in points


def test_commands_of_two_people_and_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From two keys to a stick by the command line alone: keys, root, bundle, two signatures, publish, list, stick."""
    url = f"sqlite:///{tmp_path}/fleet.db"
    settings = tmp_path / "fleet.toml"
    settings.write_text(f'home = "{tmp_path}/private"\npublic = "{tmp_path}/public"\ndatabase = "{url}"\n')
    database = open_database(url)
    Tenant.create(code=PROVINCE, name_zh="省", name_en="Province", created_ms=0)
    database.close()
    server = ["--settings", str(settings), "release"]

    def as_person(name: str, *arguments: str) -> int:
        monkeypatch.setenv("RELEASE_PASSPHRASE", PHRASES[name])
        return main(["release", *arguments])

    for name in PHRASES:
        assert as_person(name, "key", "--out", str(tmp_path / f"{name}.key"), "--name", name) == 0
    publics = [str(tmp_path / f"{name}.public.json") for name in PHRASES]
    first, second, stick = (str(tmp_path / name) for name in ("first", "second", "stick"))
    assert main([*server, "root", "--out", first, "--root", *publics, "--targets", *publics]) == 0
    assert main([*server, "publish", first, "--by", "wei"]) == 1  # nobody signed
    for folder in (first, second):
        if folder == second:
            made = str(tmp_path / "app.tar.gz")
            assert main(["bundle", "build", "--tree", str(HOUSE), "--version", "1.4.0", "--out", made]) == 0
            assert main([*server, "new", "--out", second, "--bundle", made, "--version", "1.4.0"]) == 0
        for name in PHRASES:
            assert as_person(name, "sign", folder, "--key", str(tmp_path / f"{name}.key")) == 0
        assert main([*server, "publish", folder, "--by", "wei"]) == 0
    assert main([*server, "expire-check"]) == 0
    assert main([*server, "stick", "--out", stick]) == 0
    assert main([*server, "list"]) == 0
    told = capsys.readouterr()
    assert "too" in told.err or "signed by 2" in told.err
    assert "application-1.4.0.tar.gz" in told.out
    assert list((Path(stick) / "yikatong" / "tuf" / "targets").iterdir())


def test_a_signature_is_about_bytes(office: Office) -> None:
    """Signing again what is published changes no byte of the software that was signed."""
    office.sign_and_publish(staged(office))
    path = office.repository.folder / "2.targets.json"
    raw = path.read_bytes()
    assert resigned(raw, office.people["alice"], office.people["bob"]) == raw
