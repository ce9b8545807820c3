"""Starts the peers of the queue's bench: a virtual environment of their own under build/, versions pinned here."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from simulators.bench.queue_peers import PEERS

PINNED = ("persist-queue==1.1.0", "huey==3.5.4", "litequeue==0.9", "lmdb==3.0.0")
PLACE = Path(__file__).parents[2] / "build" / "queue-peers"
WORKER = Path(__file__).with_name("queue_peers.py")
MAKE_S_MAX = 300.0


class Rival:
    """One peer, in a process that lives through the bench."""

    def __init__(self, name: str, process: "subprocess.Popen[str]") -> None:
        self.name = name
        self._process = process

    def times(self, act: str, count: int) -> list[float]:
        """Microseconds of each of ``count`` acts, "put" or "take".

        Raises:
            ValueError: it ended.
        """
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps([act, count]) + "\n")
        self._process.stdin.flush()
        times: list[float] = json.loads(self._process.stdout.readline())
        return times


@contextmanager
def rivals(folder: Path, record_bytes: int) -> Iterator[list[Rival]]:
    """Every peer, each in a folder of its own; none where they cannot be had (no network): that is said on stderr."""
    python = _made()
    with ExitStack() as ending:
        yield [_started(ending, python, folder / name, name, record_bytes) for name in PEERS] if python else []


def _made() -> Path | None:
    python, stamp = PLACE / "bin" / "python", PLACE / "made-of"
    if stamp.exists() and stamp.read_text() == "\n".join(PINNED):
        return python
    try:
        PLACE.parent.mkdir(exist_ok=True)
        _run("/usr/bin/python3", "-m", "venv", "--clear", str(PLACE))
        _run(str(python), "-m", "pip", "install", "--quiet", "--no-deps", *PINNED)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"peers cannot be installed, they are not measured: {error}", file=sys.stderr)
        return None
    stamp.write_text("\n".join(PINNED))
    return python


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=MAKE_S_MAX, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)


def _started(ending: ExitStack, python: Path, folder: Path, name: str, record_bytes: int) -> Rival:
    folder.mkdir()
    command = [str(python), str(WORKER), name, str(folder), str(record_bytes)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    ending.enter_context(process)
    ending.callback(process.terminate)
    assert process.stdout
    process.stdout.readline()  # "ready"
    return Rival(name, process)
