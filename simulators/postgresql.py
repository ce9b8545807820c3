"""A private PostgreSQL for tests and measurements: on a UNIX socket only, gone with its folder.

The server refuses to run as root, so root hands it to the user that Debian's package made for it.
"""

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

START_S_MAX = 60.0
USER = "postgres"
# Durable as in production: what is measured is what a province has.
OPTIONS = ("-c", "listen_addresses=", "-c", "max_connections=100", "-c", "shared_buffers=128MB")


class PostgresqlError(Exception):
    """It did not start; the message has the end of its log."""


@contextmanager
def open_postgresql(folder: Path) -> Iterator[str]:
    """The URL of an empty database ``fleet``, for as long as the block. ``folder``: short, at most 90 characters.

    Raises:
        PostgresqlError: not installed, or it does not start.
    """
    programs = _programs()
    data, sockets = folder / "data", folder / "s"
    for made in (folder, sockets):
        made.mkdir(parents=True, exist_ok=True)
    _give_away(folder)
    _must(
        [str(programs / "initdb"), "-N", "-D", str(data), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
    )
    with (folder / "log").open("ab") as log:
        server = subprocess.Popen(
            [*_as_user(), str(programs / "postgres"), "-D", str(data), "-k", str(sockets), *OPTIONS],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            _wait_ready(server, programs, sockets, folder / "log")
            _must([str(programs / "createdb"), "-h", str(sockets), "-U", USER, "fleet"])
            yield f"postgresql://{USER}@/fleet?host={sockets}"
        finally:
            server.send_signal(signal.SIGQUIT)  # at once, without a last checkpoint: the data goes, too
            server.wait(30)
            shutil.rmtree(data, ignore_errors=True)


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        raise PostgresqlError("there is no PostgreSQL here (Debian package postgresql)")
    return found[-1]


def _as_user() -> list[str]:
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--pdeathsig", "KILL"] if _root() else []


def _root() -> bool:
    return os.geteuid() == 0


def _give_away(folder: Path) -> None:
    if _root():
        owner = pwd.getpwnam(USER)
        for path in (folder, *folder.iterdir()):
            os.chown(path, owner.pw_uid, owner.pw_gid)


def _must(command: Sequence[str]) -> None:
    answer = subprocess.run([*_as_user(), *command], capture_output=True, text=True, check=False, cwd="/")
    if answer.returncode:
        raise PostgresqlError(answer.stderr[-1000:])


def _wait_ready(server: "subprocess.Popen[bytes]", programs: Path, sockets: Path, log: Path) -> None:
    ends = time.monotonic() + START_S_MAX
    asked = [str(programs / "pg_isready"), "-q", "-h", str(sockets)]
    while subprocess.run(asked, check=False).returncode:
        if server.poll() is not None or time.monotonic() > ends:
            raise PostgresqlError(log.read_text(errors="replace")[-1000:])
        time.sleep(0.05)
