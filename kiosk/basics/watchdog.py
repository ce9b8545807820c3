"""What systemd hears of this process (sd_notify(3)): that it is ready, and then that its event loop turns.

The sign of life is a task beside all others: a device that hangs holds its own thread or task and does not silence it;
a loop that hangs does, and systemd ends and starts the process anew. Where no systemd asks, nothing is told.
"""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import trio

SIGNS_EACH = 3  # in the time after which systemd gives up: one that comes late harms nothing


async def feed_watchdog(ready: Path | None = None) -> None:
    """Tell that we are ready, and then live for as long as the loop turns. ``ready``: a file that says so, too, to
    whoever started us without systemd; its content is our process id.

    Raises:
        OSError: systemd named a socket that is not there.
    """
    if ready is not None:
        ready.write_text(str(os.getpid()))
    notify("READY=1")
    period_s = watchdog_s()
    while period_s:
        notify("WATCHDOG=1")
        await trio.sleep(period_s / SIGNS_EACH)


async def tell_of_first_page(stands: trio.Event, log: Callable[..., None]) -> None:
    """The end of the start, for whoever measures it: by this line the glass shows what somebody can act on."""
    await stands.wait()
    log("first_page")


def watchdog_s() -> float:
    """After how long a silence systemd ends this process; 0: it does not watch."""
    meant = os.environ.get("WATCHDOG_PID", str(os.getpid()))  # a child inherits the words, and is not meant
    return int(os.environ.get("WATCHDOG_USEC", "0")) / 1_000_000 if meant == str(os.getpid()) else 0.0


def notify(words: str) -> None:
    """Raises OSError."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
        line.setblocking(False)
        try:
            line.sendto(words.encode(), f"\0{path[1:]}" if path.startswith("@") else path)
        except BlockingIOError:
            return  # it has so much unread that one sign more would tell it nothing
