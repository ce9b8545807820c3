"""The demo stack around a stand-in for the kiosk: everything comes up, acts reach the devices, nothing is left."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from simulators.front_panel.front import NotPossible
from simulators.kiosk_settings import as_toml
from simulators.run import size_px
from simulators.stack import Plan, Stack, last_spoken, open_stack

WORLD = Path(__file__).parents[2] / "simulators" / "worlds" / "tiny.toml"
# Stands for a kiosk: says that it is ready, in its run directory, and stays.
STAND_IN = ["/bin/sh", "-c", "touch ready; exec sleep 600"]


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    plan = Plan(WORLD, tmp_path / "run", (320, 480), command=STAND_IN)
    async with open_stack(plan) as running:
        yield running


def _loopback_only(port: int) -> bool:
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:] + Path("/proc/net/tcp6").read_text().splitlines()[1:]
    fields = [row.split() for row in rows]
    places = [one[1].split(":")[0] for one in fields if one[3] == "0A" and int(one[1].split(":")[1], 16) == port]
    return bool(places) and set(places) <= {"0100007F", "00000000000000000000000001000000"}


async def test_everything_is_up_and_for_this_machine_only(stack: Stack) -> None:
    """Front panel, screen and virtual reader listen on loopback; the lines are there; the settings name them."""
    for port in (stack.panel_port, stack.vnc_port, stack.hardware.pcscd.card_port):
        assert _loopback_only(port), port
    assert stack.state().ready
    assert stack.hardware.pad_line.path.is_char_device()
    settings = (stack.plan.run_dir / "settings.toml").read_text()
    assert str(stack.hardware.pad_line.path) in settings
    assert (await stack.screen_png()).startswith(b"\x89PNG")


async def test_hands_move_cards(stack: Stack) -> None:
    """A card goes in once, is seen there, and comes out once."""
    handle = stack.world.cards[0].handle
    await stack.insert(handle)
    assert [card.handle for card in stack.state().cards if card.inserted] == [handle]
    with pytest.raises(NotPossible):
        await stack.insert(handle)
    await stack.pull()
    with pytest.raises(NotPossible):
        await stack.pull()
    with pytest.raises(LookupError):
        await stack.insert("nobody")


async def test_switches_change_the_world_and_back(stack: Stack) -> None:
    """Each switch shows its state; a pulled cable takes the line's name away, the network's switch the hosts."""
    lasting = [switch.name for switch in stack.state().switches if not switch.momentary]
    for name in lasting:
        await stack.fault(name, on=True)
    assert all(switch.on for switch in stack.state().switches if not switch.momentary)
    assert not stack.hardware.printer_line.path.exists()
    assert stack.weather.down
    for name in lasting:
        await stack.fault(name, on=False)
    assert not any(switch.on for switch in stack.state().switches)
    assert stack.hardware.printer_line.path.exists()
    with pytest.raises(LookupError):
        await stack.fault("earthquake", on=True)


async def test_a_power_cut_brings_another_kiosk(stack: Stack) -> None:
    """The kiosk is killed, its run directory is emptied as tmpfs would be, and a new one is ready."""
    before = stack.kiosk.pid
    trace = stack.kiosk_dir / "secret"
    trace.write_text("gone with the power")
    await stack.fault("power_cut", on=True)
    with trio.fail_after(20):
        state = None
        while state is None or not (state.ready and state.kiosk_restarts):
            state = await stack.changed(state)
    assert stack.kiosk.pid not in (0, before)
    assert not trace.exists()


async def test_a_pcscd_restart_leaves_the_card_in(stack: Stack) -> None:
    """pcscd is another process afterwards, and the card is still in the slot."""
    await stack.insert(stack.world.cards[0].handle)
    before = stack.hardware.pcscd.pid
    await stack.fault("pcscd_restart", on=True)
    assert stack.hardware.pcscd.pid not in (0, before)
    assert stack.hardware.inserted is not None


def test_the_page_is_served_and_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    """``python -m simulators run`` says ready, answers its page, and ends without a process left."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "simulators",
        "run",
        "--world",
        str(WORLD),
        "--port",
        str(port),
        "--size",
        "320x480",
    ]
    command += ["--run-dir", str(tmp_path / "run"), "--kiosk", shlex.join(STAND_IN)]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert run.stdout is not None
    try:
        said = []
        for line in run.stdout:
            said.append(line.strip())
            if line.startswith("ready"):
                break
        assert said[-1] == f"ready http://127.0.0.1:{port}"
        with socket.create_connection(("127.0.0.1", port), 5) as page:
            page.sendall(b"GET /api/state HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: page.recv(65536), b""))
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["ready"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as second:
            assert second.stderr is not None
            assert "already running" in second.stderr.read()
        assert second.returncode == 69
    finally:
        os.kill(run.pid, signal.SIGINT)
        assert run.wait(20) == 0
        run.stdout.close()
    assert _processes_naming(str(tmp_path)) == []


def _processes_naming(words: str) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if words in line:
                found.append(line)
    return found


@pytest.mark.parametrize(("words", "size"), [("1080x1920", (1080, 1920)), ("1280x800", (1280, 800))])
def test_a_panel_size_is_read(words: str, size: tuple[int, int]) -> None:
    """Width and height in pixels."""
    assert size_px(words) == size


@pytest.mark.parametrize("words", ["", "1080", "10x10", "1080x1920x24", "9999x10"])
def test_no_panel_has_such_a_size(words: str) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match=r"panel|literal|unpack"):
        size_px(words)


def test_settings_are_toml() -> None:
    """Nested tables, texts with quotes and numbers come back as they were."""
    import tomllib

    tree = {"a": 'x"\\y\n', "b": 3, "c": {"d": True, "e": {"f": 0.25, "g": "社保卡"}, "h": {}}}
    assert tomllib.loads(as_toml(tree)) == tree


def test_the_last_words_are_read(tmp_path: Path) -> None:
    """The last line of the speech log counts; no log is silence."""
    log = tmp_path / "speech.jsonl"
    assert last_spoken(log) == ()
    log.write_text('{"words": "请插卡"}\n{"words": "请取走卡"}\n')
    assert last_spoken(log) == ("请取走卡",)
