"""A fleet that burned, brought back by the commands of the runbook, one after another, as people type them."""

from pathlib import Path

import pyrage
import pytest

from provisioning.fleet.__main__ import main
from provisioning.fleet.schema.people import Person
from tests.fleet.conftest import CITY


def settings_file(folder: Path, name: str) -> str:
    path = folder / f"{name}.toml"
    path.write_text(f'home = "{folder / name}"\npublic = "{folder / name}-public"\n')
    return str(path)


def test_a_burned_fleet_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Backup, restore into nothing, an epoch that takes two keys made by `claim key`, and an end of listening."""
    identity = pyrage.x25519.Identity.generate()
    monkeypatch.setenv("CLAIM_PASSPHRASE", "a long one")
    monkeypatch.setenv("AGE_IDENTITY", str(identity))
    by = ["--tenant", CITY, "--by", "li"]
    before = ["--settings", settings_file(tmp_path, "before")]
    after = ["--settings", settings_file(tmp_path, "after")]
    assert main([*before, "city", "add", "--code", CITY, "--name-zh", "示例市", "--name-en", "Sample City"]) == 0
    who = ["--city", CITY, "--login", "li", "--name", "李", "--role", "system_admin"]
    assert main([*before, "person", "add", *who]) == 0
    capsys.readouterr()
    for name in ("ann", "bob"):
        assert main(["claim", "key", "--out", str(tmp_path / name), "--name", name]) == 0
        public = capsys.readouterr().out.strip()
        assert main([*before, "claim", "trust", "--name", name, "--public", public, *by]) == 0
    backup = str(tmp_path / "backup.age")
    assert main([*before, "backup", "--to", backup, "--recipient", str(identity.to_public())]) == 0
    assert main([*after, "restore", "--from", backup, "--by", "li"]) == 0
    assert Person.get().login == "li"
    assert main([*after, "restore", "--from", backup, "--by", "li"]) == 65, "only into an empty fleet"
    epoch = str(tmp_path / "epoch.json")
    assert main([*after, "epoch", "new", epoch, *by]) == 0
    assert main(["epoch", "sign", epoch, "--key", str(tmp_path / "ann")]) == 0
    assert main([*after, "epoch", "publish", epoch, *by]) == 1, "one signature is none"
    assert main(["epoch", "sign", epoch, "--key", str(tmp_path / "bob")]) == 0
    assert main([*after, "epoch", "publish", epoch, *by]) == 0
    assert main([*after, "epoch", "end", *by, "--why", "every terminal was heard"]) == 0
    assert main([*after, "verify"]) == 0


def test_another_passphrase_signs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file of the epoch stays as it was, and the status says that the key could not be used."""
    monkeypatch.setenv("CLAIM_PASSPHRASE", "a long one")
    assert main(["claim", "key", "--out", str(tmp_path / "ann"), "--name", "ann"]) == 0
    (tmp_path / "epoch.json").write_text("{}")
    monkeypatch.setenv("CLAIM_PASSPHRASE", "another one")
    assert main(["epoch", "sign", str(tmp_path / "epoch.json"), "--key", str(tmp_path / "ann")]) == 66
    assert (tmp_path / "epoch.json").read_text() == "{}"
