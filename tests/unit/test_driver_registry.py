"""Drivers are found by name, and a wrong name is told with the right ones."""

import pytest

from drivers.options import OptionError
from drivers.pin_pad.kmy.driver import open_device
from drivers.registry import NoSuchDriver, find_driver, known_drivers


def test_a_driver_is_found_by_its_entry_point() -> None:
    """``kmy`` is the function that opens a KMY pad."""
    assert find_driver("kmy") is open_device


def test_an_unknown_name_is_told_with_all_known_ones() -> None:
    """Whoever mistyped a name reads what is installed."""
    with pytest.raises(NoSuchDriver) as caught:
        find_driver("kym")
    assert "kym" in str(caught.value)
    assert all(name in str(caught.value) for name in known_drivers())


@pytest.mark.parametrize(
    "options",
    [{}, {"path": 1}, {"path": "x", "bauds": 9600}, {"path": "x", "tries": 0}, {"path": "x", "expand": "base64"}],
)
def test_wrong_options_are_refused_when_the_settings_are_read(options: dict[str, object]) -> None:
    """Missing, mistyped, unknown and out of range: all before anything is opened."""
    with pytest.raises(OptionError):
        find_driver("kmy")(options, None)  # type: ignore[arg-type] # not reached
