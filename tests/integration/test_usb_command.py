"""The command that plays everything at an emulated terminal's USB ports, with its hands on standard input."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import trio

from simulators.usb import vscard
from simulators.usb.vscard import Kind
from simulators.waiting import until

READY_S_MAX = 60.0

pytestmark = pytest.mark.slow


async def test_typed_words_move_cards_and_cables() -> None:
    """A card goes in and out, an unplugged cable hangs up; the box has what a terminal needs."""
    with tempfile.TemporaryDirectory(prefix="yk-") as place:
        folder = Path(place)
        reader, line = [await _listener(folder / name) for name in ("card", "pin-pad")]
        command = [sys.executable, "-m", "simulators", "usb", str(folder)]
        pipe = subprocess.PIPE
        process = await trio.lowlevel.open_process(command, stdin=pipe)
        try:
            assert process.stdin is not None
            await until((folder / "box" / "settings.toml").exists, READY_S_MAX, "ready")
            with trio.fail_after(READY_S_MAX):
                cards, pad = await reader.accept(), await line.accept()
                await process.stdin.send_all(b"card wang_xiulan\n")
                decoder, heard = vscard.Decoder(), []
                while Kind.ATR not in heard:
                    heard += [one.kind for one in decoder.receive(bytes(await cards.receive_some(4096)))]
                await process.stdin.send_all(b"pull\nnonsense\nunplug pin-pad\n")
                while Kind.CARD_REMOVE not in heard:
                    heard += [one.kind for one in decoder.receive(bytes(await cards.receive_some(4096)))]
                assert await pad.receive_some(1) == b""
            assert (folder / "box" / "pki" / "terminal.key").exists()
            assert "10.0.2.2" in (folder / "box" / "settings.toml").read_text()
        finally:
            process.terminate()
            with trio.CancelScope(shield=True):
                await process.wait()


async def _listener(path: Path) -> trio.SocketListener:
    sock = trio.socket.socket(trio.socket.AF_UNIX)
    await sock.bind(str(path))
    sock.listen(1)
    return trio.SocketListener(sock)
