"""Sticks from the first key to the terminal that believes them, as people type it."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from provisioning.fleet import ca
from provisioning.fleet.__main__ import main
from provisioning.fleet.schema.enrolment import ClaimKey
from provisioning.terminal.enrolment.claim import judge
from tests.fleet.conftest import CITY
from tests.fleet.enrolment.asking import NOW, Desk

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def settings(desk: Desk, tmp_path: Path) -> Path:
    """The desk's fleet as a settings file."""
    path = tmp_path / "fleet.toml"
    database = f"sqlite:///{tmp_path}/fleet.db"
    path.write_text(f'home = "{desk.home}"\npublic = "{desk.home}/public"\ndatabase = "{database}"\n')
    return path


def test_two_people_sign_a_delivery(
    settings: Path, hall: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Keys, trust, drafts, two signatures on two machines: what comes out a terminal takes, not after the first. The
    same keys sign trust lists and epochs."""
    monkeypatch.setenv("CLAIM_PASSPHRASE", "a long one")
    public: dict[str, Ed25519PublicKey] = {}
    city = ["--tenant", CITY, "--by", "administrator"]
    for name in ("ann", "bob"):
        assert main(["claim", "key", "--out", str(tmp_path / f"{name}.key"), "--name", name]) == 0
        told = capsys.readouterr().out.strip()
        public[name] = Ed25519PublicKey.from_public_bytes(bytes.fromhex(told))
        assert main(["--settings", str(settings), "claim", "trust", "--name", name, "--public", told, *city]) == 0
    (tmp_path / "rows.csv").write_text("SN-0000001,T0000001\nSN-0000002,T0000002,village\n")
    (tmp_path / "net.json").write_text('{"vlan": 7}')
    out, wanted = tmp_path / "claims", ["--rows", str(tmp_path / "rows.csv"), "--network", str(tmp_path / "net.json")]
    place = ["--place", str(hall), *city]
    assert main(["--settings", str(settings), "claim", "draft", "--out", str(out), *wanted, *place]) == 0
    for name in ("ann", "bob"):
        assert main(["claim", "sign", str(out), "--key", str(tmp_path / f"{name}.key")]) == 0
    assert "SN-0000002 -> T0000002" in capsys.readouterr().out
    brought = judge((out / "SN-0000002.json").read_bytes(), "SN-0000002", public, NOW.replace(year=2020))
    assert (brought.claim.profile, brought.claim.network and brought.claim.network.vlan) == ("village", 7)
    assert main(["claim", "sign", str(out), "--key", str(tmp_path / "ann.key")]) == 1
    for act in ("trust", "epoch"):
        paper, by = str(tmp_path / f"{act}.json"), ["--tenant", CITY, "--by", "administrator"]
        assert main(["--settings", str(settings), act, "new", paper, *by]) == 0
        assert main([act, "sign", paper]) == 66, "whose key?"
        assert main([act, "sign", paper, "--key", str(tmp_path / "ann.key")]) == 0
        assert main(["--settings", str(settings), act, "publish", paper, *by]) == 1, "one signature is not enough"
        assert main([act, "sign", paper, "--key", str(tmp_path / "bob.key")]) == 0
        assert main(["--settings", str(settings), act, "publish", paper, *by]) == 0
    assert main(["--settings", str(settings), "claim", "retire", "--name", "ann", "--why", "left", *city]) == 0
    assert ClaimKey.get_by_id("ann").retired_ms is not None


def test_drafts_that_cannot_be_are_refused(
    settings: Path, hall: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A number that is none, a network without a prefix, a place of nobody, a stranger who trusts a key."""
    city = ["--tenant", CITY, "--by", "administrator"]
    (tmp_path / "rows.csv").write_text("SN-0000001,a terminal\n")
    (tmp_path / "good.csv").write_text("SN-0000001,T0000001\n")
    (tmp_path / "net.json").write_text(json.dumps({"static": {"address": "10.1.2.3"}}))
    draft = ["--settings", str(settings), "claim", "draft", "--out", str(tmp_path / "out"), *city]
    good = ["--rows", str(tmp_path / "good.csv")]
    assert main([*draft, "--rows", str(tmp_path / "rows.csv"), "--place", str(hall)]) == 1
    assert main([*draft, *good, "--place", str(hall), "--network", str(tmp_path / "net.json")]) == 1
    assert main([*draft, *good, "--place", "999999"]) == 1
    trust = ["claim", "trust", "--name", "eve", "--public", "00" * 32, "--tenant", CITY, "--by", "installer"]
    assert main(["--settings", str(settings), *trust]) == 1
    assert "not yours" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_authority_is_added_retired_and_dropped(
    settings: Path, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last one that gives certificates cannot be retired, and none is dropped that still gives them."""
    ca.issuing(desk.home)
    run = ["--settings", str(settings), "ca"]
    assert main([*run, "retire", "fleet-1", "--by", "administrator"]) == 1
    assert main([*run, "add", "fleet-2"]) == 0
    assert main([*run, "drop", "fleet-1"]) == 1
    assert main([*run, "retire", "fleet-1", "--by", "administrator"]) == 0
    capsys.readouterr()
    assert main([*run, "list"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.endswith(", retired") for line in listed] == [True, False]
    assert main([*run, "drop", "fleet-1"]) == 0
    assert [one.name for one in ca.authorities(desk.home)] == ["fleet-2"]
