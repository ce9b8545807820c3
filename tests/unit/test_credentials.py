"""Keys that systemd hands over, named in the settings."""

from pathlib import Path

import pytest

from kiosk.settings.config import load_settings
from kiosk.settings.credentials import OF_KIOSK

SETTINGS = """
run_dir = "/run/yikatong"
data_dir = "/var/lib/yikatong/journal"
[hosts.agency]
url = "https://agency.example"
private_key = "credential:hosts.key"
[agent.token]
module = "/usr/lib/libtpm2_pkcs11.so"
label = "terminal"
pin_file = "credential:token.pin"
"""


def test_a_credential_is_a_path_of_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In any part of the settings, and the sum by which agent and kiosk know the file is that of the file."""
    path = tmp_path / "settings.toml"
    path.write_text(SETTINGS)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/some.service")
    settings = load_settings(path)
    assert settings.hosts["agency"].private_key == "/run/credentials/some.service/key_hosts.key"
    assert settings.agent.token is not None
    assert settings.agent.token.pin_file == "/run/credentials/some.service/key_token.pin"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/other.service")
    assert load_settings(path).sum == settings.sum


def test_a_person_at_the_command_line_looks_at_the_kiosks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``kiosk doctor`` is started by nobody's unit."""
    path = tmp_path / "settings.toml"
    path.write_text(SETTINGS)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert load_settings(path).hosts["agency"].private_key == f"{OF_KIOSK}/key_hosts.key"
