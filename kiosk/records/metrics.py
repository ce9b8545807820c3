"""The terminal's sums and ages as Prometheus reads them (text exposition format 0.0.4), on loopback only.

Nothing listens on the terminal's network side: a collector on the terminal, or the agent, asks here.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import trio

from kiosk.domain.cases import OpenCase, Unsent
from kiosk.ports import Log

ASK_BYTES_MAX = 8192
ASK_S_MAX = 10.0

# Name -> what it is, in the words of whoever reads the graphs. Every one is a gauge.
HELP: Mapping[str, str] = {
    "unsent_notices": "Notices that hosts must still be told, put aside ones included",
    "unsent_fen": "Money that these notices are about, in fen",
    "unsent_oldest_age_seconds": "How long the oldest of them waits",
    "notices_put_aside": "Notices that their host refused too often: a person must look",
    "open_effects": "Acts that have not come to their end, bills that were left among them",
    "under_way": "What an update waits for: money in motion, and acts whose outcome is not known",
    "open_cases": "Cases that a person must close",
    "suspense_fen": "Money that nobody can explain yet, in fen",
    "suspense_oldest_age_seconds": "How long the oldest of it waits",
    "journal_rows": "Rows of the journal",
}


@dataclass(frozen=True)
class Books:
    """What the figures are made of. ``cases``: oldest first."""

    unsent: Unsent
    put_aside: int
    open_effects: int
    under_way: int
    cases: tuple[OpenCase, ...]
    rows: int


def figures(books: Books, now: datetime) -> dict[str, int]:
    """By the names of ``HELP``. A clock that was set back shows no age, never a negative one."""
    suspense = [case for case in books.cases if case.suspense_fen]
    return {
        "unsent_notices": books.unsent.count,
        "unsent_fen": books.unsent.sum_fen,
        "unsent_oldest_age_seconds": _age_s(books.unsent.oldest_at, now),
        "notices_put_aside": books.put_aside,
        "open_effects": books.open_effects,
        "under_way": books.under_way,
        "open_cases": len(books.cases),
        "suspense_fen": abs(sum(case.suspense_fen for case in suspense)),
        "suspense_oldest_age_seconds": _age_s(suspense[0].since if suspense else "", now),
        "journal_rows": books.rows,
    }


def exposition(shown: Mapping[str, int], terminal_id: str) -> str:
    """The text that a collector reads."""
    lines: list[str] = []
    for name, value in shown.items():
        full = f"yikatong_{name}"
        lines += [f"# HELP {full} {HELP[name]}", f"# TYPE {full} gauge", f'{full}{{terminal="{terminal_id}"}} {value}']
    return "\n".join(lines) + "\n"


async def serve_metrics(
    port: int, text: Callable[[], Awaitable[str]], task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED
) -> None:
    """Answer ``GET /metrics`` for ever; 0 picks a free port. One answer a connection.

    Raises:
        OSError: the port is taken.
    """
    listeners = await trio.open_tcp_listeners(port, host="127.0.0.1")
    task_status.started(listeners[0].socket.getsockname()[1])
    await trio.serve_listeners(partial(_answer, text), listeners)


async def show_figures(nursery: trio.Nursery, port: int, text: Callable[[], Awaitable[str]], log: Log) -> None:
    """In ``nursery`` from now on. A port that is taken is one log line: what residents did goes on without figures."""
    try:
        await nursery.start(serve_metrics, port, text)
    except OSError as error:
        log("metrics_not_served", reason=error.strerror or "")


async def _answer(text: Callable[[], Awaitable[str]], stream: trio.SocketStream) -> None:
    with suppress(trio.BrokenResourceError), trio.move_on_after(ASK_S_MAX):
        async with stream:
            asked = await _head(stream)
            if asked.startswith((b"GET /metrics ", b"GET /metrics?")):
                await stream.send_all(_reply("200 OK", await text()))
            else:
                await stream.send_all(_reply("404 Not Found", "ask for /metrics\n"))


async def _head(stream: trio.SocketStream) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received and len(received) < ASK_BYTES_MAX:
        chunk = await stream.receive_some(4096)
        if not chunk:
            break
        received += chunk
    return received


def _reply(status: str, body: str) -> bytes:
    content = body.encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


def _age_s(since: str, now: datetime) -> int:
    return max(0, int((now - datetime.fromisoformat(since)).total_seconds())) if since else 0
