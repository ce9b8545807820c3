"""What the short-lived PIN process is made of, and what does not come into it."""

import resource
from pathlib import Path

import pytest
import trio

from kiosk.domain.card import PinResult, PinVerdict
from tests.cards.stand import make_card
from tests.cards.test_pin_mode_b import SIX, PinStand, _pin_processes, pins

__all__ = ["pins"]


async def test_nothing_of_the_environment_comes_into_the_pin_process(
    pins: PinStand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module that PYTHONPATH puts before the real one, and a hook that every other Python runs, are not run by it."""
    trap = tmp_path / "ran"
    planted = f"open({str(trap)!r}, 'w').close()\n"
    for name in ("json.py", "sitecustomize.py", "usercustomize.py"):
        (tmp_path / name).write_text(planted)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "json.py"))
    identity = await pins.insert(make_card())
    assert await pins.verify(identity, "246810") == PinVerdict(PinResult.OK)
    assert not trap.exists()


async def test_the_pin_process_is_locked_into_memory_before_a_digit_comes(pins: PinStand) -> None:
    """While the pad is lit, all that the process has is locked, where the machine's limits let it."""
    identity = await pins.insert(make_card())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pins.entry.verify_chip_pin, identity, SIX, pins.seen.append)
        await pins.pad.until(lambda: pins.pad.pad.lit)
        sizes = dict(line.split(":") for line in Path(f"/proc/{_pin_processes()[0]}/status").read_text().splitlines())
        nursery.cancel_scope.cancel()
    locked_kb = int(sizes["VmLck"].split()[0])
    may_lock = (
        resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY or sizes["Uid"].split()[1] == "0"
    )
    assert locked_kb >= int(sizes["VmRSS"].split()[0]) // 2 if may_lock else locked_kb == 0
