"""Settings are read whole or not at all."""

from pathlib import Path

import pytest

from kiosk.config import ConfigError, load_settings

MINIMAL = 'run_dir = "/run/kiosk"\ndata_dir = "/var/lib/kiosk"\n'


def settings_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(text, "utf-8")
    return path


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
