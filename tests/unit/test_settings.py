"""Settings are read whole or not at all."""

import json
from pathlib import Path

import pytest

from kiosk.domain.typed_keys import KeyPlace
from kiosk.settings.config import ConfigError, load_settings

MINIMAL = 'run_dir = "/run/kiosk"\ndata_dir = "/var/lib/kiosk"\n'


def settings_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(text, "utf-8")
    return path


def typed_key(name: str = "a", **settings: object) -> str:
    """A table of a key that custodians type."""
    told = {"domain": "bank", "custodians": ["1001", "1002"], **settings}
    return f"[typed_keys.{name}]\n" + "".join(f"{field} = {json.dumps(value)}\n" for field, value in told.items())


def test_keys_that_custodians_type_have_a_place(tmp_path: Path) -> None:
    """The master key itself where no slot is named, else a working key below it."""
    text = MINIMAL + typed_key(master=2) + typed_key(name="b", slot=3)
    keys = load_settings(settings_file(tmp_path, text)).typed_keys
    assert (keys["a"].place, keys["b"].place) == (KeyPlace(2), KeyPlace(0, 3))


def test_minimal_settings_have_sane_defaults(tmp_path: Path) -> None:
    """Two folders are enough to start; the PIN mode is then the one that says it is weaker."""
    settings = load_settings(settings_file(tmp_path, MINIMAL))
    assert settings.pin_mode == "B"
    assert settings.timing.question_s == 90


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (MINIMAL + "colour = 1\n", "colour"),
        (MINIMAL + "[timing]\nquestion_s = 'long'\n", "question_s"),
        (MINIMAL + "[timing]\nquestion_s = 10.0\n", "warning_s"),
        (MINIMAL + 'pin_mode = "C"\n', "pin_mode"),
        (MINIMAL + "production = true\n", "mode A"),
        (MINIMAL + "[pin]\ndigits_min = 3\n", "PIN lengths"),
        (MINIMAL + "[panel]\nmm_per_px = 0.0\n", "mm_per_px"),
        ("run_dir = ", "settings.toml"),
        (MINIMAL + typed_key(domain="water"), "domain is social or bank"),
        (MINIMAL + typed_key(name="Master-Key"), "a name is of"),
        (MINIMAL + typed_key(master=16), "master 0-15"),
        (MINIMAL + typed_key(slot=4), "slot to 3"),
        (MINIMAL + typed_key(custodians=["1001"]), "two custodians or more"),
        (MINIMAL + typed_key(custodians=["1001", "1001"]), "two custodians or more"),
        (MINIMAL + typed_key() + typed_key(name="b"), "the same place"),
        (MINIMAL + typed_key() + typed_key(name="b", master=1, domain="social"), "custodian of both domains"),
        (MINIMAL + "".join(typed_key(name=f"k{n}", master=n) for n in range(7)), "at most 6 keys"),
    ],
)
def test_wrong_settings_say_what_is_wrong(tmp_path: Path, text: str, why: str) -> None:
    """An unknown key, a wrong type or an impossible value names itself in the error."""
    with pytest.raises(ConfigError, match=why):
        load_settings(settings_file(tmp_path, text))


def test_missing_file_says_so(tmp_path: Path) -> None:
    """No file is a clear error for staff."""
    with pytest.raises(ConfigError, match="no such settings file"):
        load_settings(tmp_path / "none.toml")
