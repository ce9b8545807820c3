"""The kiosk's control socket: one JSON line asks, one JSON line answers. Only this terminal's own users reach it."""

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import trio

from kiosk.domain.entries import JournalBusy
from kiosk.domain.ledger import SILENT, SecondCopy

ASK_BYTES_MAX = 4096
ANSWER_BYTES_MAX = 1024 * 1024
ASK_S_MAX = 30.0
# The folder decides who comes near: its user alone, or the group of the terminal's own users (systemd/tmpfiles.d).
GROUP_SOCKET = 0o660


def kiosk_path(run_dir: str) -> Path:
    return Path(run_dir) / "kiosk.sock"


def forward_path(run_dir: str) -> Path:
    """In a folder of its own: the kiosk's is emptied at its every start."""
    return Path(run_dir) / "forward" / "forward.sock"


def agent_path(run_dir: str) -> Path:
    return Path(run_dir) / "agent" / "agent.sock"


def rows_out_path(run_dir: str) -> Path:
    """Where the forwarder lays a bundle of rows that the agent carries to a stick."""
    return forward_path(run_dir).parent / "rows.bundle"


def agencys_answer_path(run_dir: str) -> Path:
    """Where the agent lays the agency's answer from a stick, for the forwarder to judge."""
    return agent_path(run_dir).parent / "stick-answer.json"


Answerer = Callable[[], Awaitable[Any]]
Told = Callable[[str], Any]


class ControlSilent(Exception):
    """No kiosk answers on this socket."""


async def serve_control(
    path: Path,
    answers: dict[str, Answerer],
    told: Mapping[str, Told] = MappingProxyType({}),
    ask_bytes_max: int = ASK_BYTES_MAX,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Answer for ever. ``answers`` maps the word asked to what answers it; an unknown word gets an error.

    ``told``: what takes a word with something behind it ("case_viewed 451207").
    """
    path.unlink(missing_ok=True)
    listener = trio.socket.socket(trio.socket.AF_UNIX, trio.socket.SOCK_STREAM)
    await listener.bind(str(path))
    path.chmod(GROUP_SOCKET)
    listener.listen(8)

    async def answer(stream: trio.SocketStream) -> None:
        # Whoever hangs up before the answer must not take the kiosk along. Of a journal that is busy nothing is said:
        # silence is unknown.
        with suppress(trio.BrokenResourceError, JournalBusy), trio.move_on_after(ASK_S_MAX):
            async with stream:
                reply = await _reply(await _line(stream, ask_bytes_max), answers, told)
                await stream.send_all(json.dumps(reply, ensure_ascii=False).encode() + b"\n")

    task_status.started()
    await trio.serve_listeners(answer, [trio.SocketListener(listener)])


async def _reply(line: bytes, answers: dict[str, Answerer], told: Mapping[str, Told]) -> Any:
    try:
        word, _, about = json.loads(line)["ask"].partition(" ")
        if about:
            reply = told[word](about)
            return await reply if inspect.isawaitable(reply) else reply
        answerer = answers[word]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {"error": "ask one of " + ", ".join(sorted(answers))}
    return await answerer()


async def ask_control(path: Path, word: str) -> Any:
    """Ask the running kiosk.

    Raises:
        ControlSilent: nobody listens, or no answer in time.
    """
    try:
        with trio.fail_after(ASK_S_MAX):
            async with await trio.open_unix_socket(str(path)) as stream:
                await stream.send_all(json.dumps({"ask": word}).encode() + b"\n")
                return json.loads(await _line(stream, ANSWER_BYTES_MAX))
    except (OSError, RuntimeError, trio.TooSlowError, trio.BrokenResourceError, ValueError) as error:
        raise ControlSilent(str(path)) from error


async def ask_second_copy(run_dir: str) -> SecondCopy:
    """How the second medium is, by the forwarder, which writes it."""
    try:
        told = await ask_control(forward_path(run_dir), "second_medium")
        return SecondCopy(int(told["up_to"]), str(told["why"]))
    except (ControlSilent, KeyError):
        return SecondCopy(why=SILENT)


@dataclass(frozen=True)
class FleetWord:
    """What the terminal's agent says of the fleet. ``heard``: ISO time of its newest answer, "" before the first;
    ``settings``: version in force; ``trouble``: "" or why it is not heard, or its newest settings are not in force."""

    enrolled: bool = False
    heard: str = ""
    settings: int = 0
    trouble: str = "silent"


async def ask_fleet(run_dir: str) -> FleetWord:
    try:
        told = await ask_control(agent_path(run_dir), "fleet")
        trouble = str(told["trouble"] or told["waits"])
        return FleetWord(bool(told["enrolled"]), str(told["heard"]), int(told["settings"]), trouble)
    except (ControlSilent, KeyError, TypeError):
        return FleetWord()


@dataclass(frozen=True)
class SoftwareWord:
    """What the agent says of this terminal's software. ``version``, ``step`` and ``waits``: of what is under way, ""
    where nothing is. ``stick``: of the last one: "" none since the agent's start | reading | taken | nothing_new | the
    code of why not, with ``stick_words``. ``rows``: files that it took of the journal's, -1 none was tried;
    ``rows_why``: not more. ``events``: milliseconds, what, version, why; oldest first."""

    running: tuple[str, ...] = ()
    version: str = ""
    step: str = ""
    waits: str = ""
    stick: str = ""
    stick_version: str = ""
    stick_words: str = ""
    rows: int = -1
    rows_why: str = ""
    events: tuple[tuple[int, str, str, str], ...] = ()


async def ask_software(run_dir: str) -> SoftwareWord | None:
    """None: no agent answers, or one that tells something else."""
    try:
        return _software(await ask_control(agent_path(run_dir), "updates"))
    except (ControlSilent, KeyError, TypeError, ValueError, AttributeError):
        return None


def _software(told: dict[str, Any]) -> SoftwareWord:
    way, rows, stick = told.get("under_way") or {}, told.get("rows") or {}, told.get("stick") or ""
    running = told["running"]
    if isinstance(stick, str):
        stick = {"why": stick} if stick else {}
    elif not stick.get("why"):
        stick = {**stick, "why": "taken" if stick.get("version") else "nothing_new"}
    return SoftwareWord(
        running=tuple(map(str, running.values())) if isinstance(running, dict) else (str(running),),
        version=str(way.get("version", "")),
        step=str(way.get("step", "")),
        waits=str(way.get("waits", "")),
        stick=str(stick.get("why", "")),
        stick_version=str(stick.get("version", "")),
        stick_words=str(stick.get("words", "")),
        rows=int(rows.get("files", -1)),
        rows_why=str(rows.get("why", "")),
        events=tuple((int(at), str(what), str(version), str(why)) for at, what, version, why in told.get("last", ())),
    )


async def _line(stream: trio.SocketStream, bytes_max: int) -> bytes:
    received = b""
    while b"\n" not in received and len(received) < bytes_max:
        chunk = await stream.receive_some(4096)
        if not chunk:
            break
        received += chunk
    return received
