"""What the serial drivers cost beside the wire: time that is ours, over the time the same bytes take at 9600 baud.

The driver talks over a pty to a pad that answers at once (canned replies, from a thread). What passes between sending
and having the reply is then all ours: codec, event loop, pty and the answering thread, so the figure is an upper bound.
"""

import io
import os
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import trio

from drivers.pin_pad.kmy import codec
from drivers.pin_pad.kmy.codec import Command, Framing
from drivers.pin_pad.kmy.conversation import Conversation
from drivers.pin_pad.kmy.settings import PadSettings
from drivers.registry import find_driver
from drivers.transport.serial_port import open_serial_line
from kiosk.basics.log import JsonLog
from kiosk.ports import DeviceContext
from simulators.bench import Measurement
from simulators.devices.kmy import KmyPad
from simulators.pty_line import PtyLine

BAUD = 9600
BITS_PER_BYTE = 10
ROUNDS = 200
OVERHEAD_MAX_PERCENT = 3.0
IDLE_S = 6.0  # holds one heartbeat
IDLE_CPU_MAX_PERCENT = 0.3
FRAMING = Framing()
COMMANDS = {
    "short": (codec.keypad(codec.Keypad.ASK), b"\x02" + b"02040006" + b"\x03"),
    "mac_64": (codec.mac(bytes(64)), b"\x02" + b"0904" + b"00" * 8 + b"0D" + b"\x03"),
}


def run() -> Iterator[Measurement]:
    for name, (command, reply) in COMMANDS.items():
        ours_s = median(_timed(command, reply))
        wire_s = (len(codec.encode(command, FRAMING)) + len(reply)) * BITS_PER_BYTE / BAUD
        yield Measurement(f"kmy_{name}_overhead_of_wire", 100 * ours_s / wire_s, "%", OVERHEAD_MAX_PERCENT)
    yield Measurement("kmy_idle_cpu", trio.run(_idle_percent), "%", IDLE_CPU_MAX_PERCENT)


def _timed(command: Command, reply: bytes) -> list[float]:
    """Seconds of each exchange."""
    with _canned_pad(reply) as path:
        return trio.run(_exchanges, path, command)


async def _exchanges(path: str, command: Command) -> list[float]:
    line = open_serial_line(path)
    talk = Conversation(line, PadSettings(path), lambda key: None, lambda status: None, lambda: None)
    taken: list[float] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(talk.listen)
        for _ in range(ROUNDS):
            began = time.perf_counter()
            await talk.ask(command)
            taken.append(time.perf_counter() - began)
        nursery.cancel_scope.cancel()
    line.close()
    return taken


@contextmanager
def _canned_pad(reply: bytes) -> Iterator[str]:
    """The path of a pty behind which every closing 03 is answered with ``reply``."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)

    def answer() -> None:
        while True:
            heard = os.read(ours, 4096)
            if b"Q" in heard:  # no byte of a hex-expanded frame: the bench is over
                return
            os.write(ours, reply * heard.count(b"\x03"))

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield os.ttyname(theirs)
    finally:
        os.write(theirs, b"Q")
        thread.join()
        os.close(ours)
        os.close(theirs)


async def _idle_percent() -> float:
    """CPU of this process while a driver and its simulated pad wait for a key."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "pad"
        context = DeviceContext("pin_pad", lambda health: None, JsonLog(io.StringIO()), Path(folder))
        pad = find_driver("kmy")({"path": str(path)}, context)
        async with trio.open_nursery() as nursery:
            await nursery.start(PtyLine(path, KmyPad({})).run)
            await nursery.start(pad.run)
            began = time.process_time()
            await trio.sleep(IDLE_S)
            used_s = time.process_time() - began
            nursery.cancel_scope.cancel()
    return 100 * used_s / IDLE_S
