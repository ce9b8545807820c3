"""From a world and a settings file to a client that pays."""

from pathlib import Path

import pytest

from kiosk.hosts.bank.rules import debit_rules
from kiosk.settings.config import ConfigError, load_settings
from simulators.bank_settings import bank_host_settings, bank_settings
from simulators.kiosk_settings import as_toml
from simulators.pki import Pki
from simulators.worlds.world import WorldError, load_world
from tests.bank.stand import CA_KEY

WORLDS = Path(__file__).parents[2] / "simulators" / "worlds"


def test_the_sandbox_tells_a_kiosk_everything_about_its_bank(tmp_path: Path, pki: Pki) -> None:
    """What the simulators write is what the settings take, down to the authority of the cards."""
    tree = {
        "run_dir": "r",
        "data_dir": "d",
        "bank": bank_settings(),
        "hosts": {"bank": bank_host_settings(4433, pki)},
    }
    path = tmp_path / "settings.toml"
    path.write_text(as_toml(tree))
    settings = load_settings(path)
    assert debit_rules(settings.bank).ca_keys == (CA_KEY,)
    assert settings.hosts["bank"].url == "tls://127.0.0.1:4433"


@pytest.mark.parametrize(
    "line",
    ['tpdu = "60"', 'header = "zz"', 'mac_form = "cbc"', 'key_form = "005"', "pin_slot = 1", 'merchant_id = "1"'],
)
def test_a_wrong_setting_is_told(tmp_path: Path, line: str) -> None:
    """Before the kiosk starts, by its name."""
    path = tmp_path / "settings.toml"
    path.write_text(f'run_dir = "r"\ndata_dir = "d"\n[bank]\n{line}\n')
    with pytest.raises(ConfigError, match=line.split(" ")[0]):
        load_settings(path)


def test_the_demo_world_has_bank_cards_of_every_kind() -> None:
    """Dynamic and static data, both ways of issuer authentication, a script, a card that balks, an expired one."""
    accounts = load_world(WORLDS / "demo.toml").bank_accounts
    assert {one.authentication for one in accounts} >= {"dda", "sda"}
    assert {one.issuer_proof for one in accounts} == {"external", "second_ac"}
    assert any(one.balks for one in accounts) and any(one.script != "none" for one in accounts)
    assert all(one.pan.startswith("99") for one in accounts)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ('card = "a"\npan = "9990010000000000018"', "check digit"),
        ('card = "b"\npan = "9990010000000000019"', "not there"),
    ],
)
def test_a_mistake_in_an_account_is_told(tmp_path: Path, entry: str, words: str) -> None:
    """A wrong check digit, or a card that the world has not."""
    path = tmp_path / "world.toml"
    path.write_text(
        'name = "w"\n[[residents]]\nhandle = "r"\nname = "n"\nnumber = ""\n'
        f'[[cards]]\nhandle = "a"\ntitle = "t"\nresident = "r"\n[[bank_accounts]]\n{entry}\n'
    )
    with pytest.raises(WorldError, match=words):
        load_world(path)
