"""Settings of printers, and the memory of what they printed."""

import io
from pathlib import Path

import pytest

from drivers.printer.printed import PRINTED, STARTED, PrintedKeys
from drivers.registry import find_driver
from kiosk.basics.log import JsonLog
from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceContext, DeviceFault


@pytest.mark.parametrize(
    ("driver", "options"),
    [
        ("escpos", {"collumns": 48}),
        ("escpos", {"columns": "48"}),
        ("escpos", {"transport": "parallel"}),
        ("escpos", {"dots": 100}),
        ("escpos", {"batch_bytes": 4096}),
        ("ipp", {}),
        ("ipp", {"uri": "http://printer/"}),
        ("ipp", {"uri": "ipp://printer/", "ca": 1}),
    ],
)
def test_settings_that_cannot_be_used_are_a_fault_of_the_slot(
    driver: str, options: dict[str, object], tmp_path: Path
) -> None:
    """The kiosk goes on without the printer, and the log names the setting."""
    log = io.StringIO()
    context = DeviceContext("a_printer", lambda health: None, JsonLog(log), tmp_path)
    with pytest.raises(DeviceFault) as caught:
        find_driver(driver)(options, context)
    assert caught.value.health == Health(Condition.FAULT, "bad_settings")
    assert "bad_settings" in log.getvalue()


def test_what_was_printed_is_known_to_the_next_process(tmp_path: Path) -> None:
    """Keys survive the driver; what surely did not print is forgotten."""
    path = tmp_path / "slot.printed.json"
    keys = PrintedKeys(path)
    keys.note("a", STARTED)
    keys.note("b", PRINTED)
    keys.note("c", STARTED)
    keys.forget("c")
    again = PrintedKeys(path)
    assert [again.state(key) for key in "abc"] == [STARTED, PRINTED, None]


def test_the_memory_is_bounded_and_forgets_the_oldest(tmp_path: Path) -> None:
    """After a thousand receipts the file holds the last ones only."""
    keys = PrintedKeys(tmp_path / "slot.printed.json")
    for number in range(1000):
        keys.note(f"job-{number}", PRINTED)
    assert keys.state("job-999") == PRINTED
    assert keys.state("job-0") is None
    assert (tmp_path / "slot.printed.json").stat().st_size < 10_000


def test_a_damaged_file_is_an_empty_memory(tmp_path: Path) -> None:
    """A power failure that cut the file emptied the printer too."""
    path = tmp_path / "slot.printed.json"
    path.write_text('{"a": "prin')
    assert PrintedKeys(path).state("a") is None
