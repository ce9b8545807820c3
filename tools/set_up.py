"""Brings a bare Debian 12 to the point where `make run` and `make test` can start; does nothing that is already done.

Standard library only: this runs with Debian's own python3, before there is a virtual environment. Each step is
stamped in .setup/ with a hash of what it was made from, so a second run takes well under a second. Which mirror or
registry is asked is the machine's own apt and pip configuration; this project names none.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOUSE = Path(__file__).resolve().parent.parent
STATE = HOUSE / ".setup"
VENV = HOUSE / ".venv"
PYTHON = VENV / "bin" / "python"
PROGRESS_S = 10.0
STEP_S_MAX = 3600.0
PACKAGES = ("packages.txt", "packages-test.txt", "packages-image.txt")
OPTIONS = ("", "--tests", "--image")  # which list each adds to those before it
SERVICE_POLICY = Path("/usr/sbin/policy-rc.d")

# What is made from the sources once the packages are there: name, module to run, what it is made from, what comes out.
BUILDERS: list[tuple[str, list[str], list[str], str]] = [
    ("message catalog", ["kiosk.l10n.build"], ["kiosk/l10n/*.po", "kiosk/l10n/*.py"], "kiosk/l10n/*.mo"),
    (
        "message catalog of the console",
        ["provisioning.fleet.l10n.build"],
        ["provisioning/fleet/l10n/*.po", "provisioning/fleet/l10n/*.py"],
        "provisioning/fleet/l10n/*.mo",
    ),
    (
        "voice pack",
        ["simulators.voices", ".setup/voices"],
        ["kiosk/l10n/*.po", "simulators/voices.py"],
        ".setup/voices/zh/*.opus",
    ),
    # Also where PYTHONDONTWRITEBYTECODE is set: compiling anew costs each start of the kiosk 0.07 s.
    (
        "bytecode",
        ["compileall", "-q", "drivers", "kiosk", "offline_queue", "screens", "simulators"],
        [f"{folder}/**/*.py" for folder in ("drivers", "kiosk", "offline_queue", "screens", "simulators")],
        "kiosk/__pycache__/*.pyc",
    ),
]


class SetUpFailed(Exception):
    """A step failed; the message is for the person at the terminal."""


def main(arguments: list[str] | None = None) -> int:
    """Do every step that is not done. ``--tests``: also what only tests and figures need. ``--image``: also what image,
    package and containers are made with.

    Returns:
        The exit status: 0 ready, 1 a step failed.
    """
    lists = lists_for(sys.argv[1:] if arguments is None else arguments)
    STATE.mkdir(exist_ok=True)
    with (STATE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two `make` at once must not build one .venv together
        try:
            check_python()
            install_debian_packages(lists)
            make_venv()
            install_python_packages()
            install_house()
            for name, module, inputs, output in BUILDERS:
                build(name, module, inputs, output)
        except SetUpFailed as failure:
            say(f"failed: {failure}")
            return 1
        except KeyboardInterrupt:
            say("interrupted")
            return 130
    return 0


def say(text: str) -> None:
    print(f"set-up: {text}", flush=True)


def check_python() -> None:
    if sys.version_info[:2] != (3, 11):
        raise SetUpFailed("this is made for Debian 12 and its python 3.11; /usr/bin/python3 is another version")


# Debian packages


def lists_for(arguments: list[str]) -> tuple[str, ...]:
    """The package lists of the furthest option given: each option brings those before it."""
    furthest = max((OPTIONS.index(one) for one in arguments if one in OPTIONS), default=0)
    return PACKAGES[: furthest + 1]


def read_package_list(text: str) -> list[str]:
    """The package names of packages.txt: one a line, `#` starts a comment."""
    names = (line.partition("#")[0].strip() for line in text.splitlines())
    return [name for name in names if name]


def missing_debian_packages(names: list[str]) -> list[str]:
    if shutil.which("dpkg-query") is None:
        raise SetUpFailed("no dpkg here: install what packages.txt lists in your system's own way")
    answer = subprocess.run(
        ["dpkg-query", "-W", "-f=${Package} ${db:Status-Status}\n", *names], capture_output=True, text=True, check=False
    )
    installed = {line.split()[0] for line in answer.stdout.splitlines() if line.endswith(" installed")}
    return [name for name in names if name not in installed]


def install_debian_packages(lists: tuple[str, ...]) -> None:
    wanted = [name for one in lists for name in read_package_list((HOUSE / one).read_text())]
    missing = missing_debian_packages(wanted)
    if not missing:
        return
    say(f"Debian packages to install: {' '.join(missing)}")
    root = become_root(missing)
    apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", "-o", "Dpkg::Use-Pty=0"]
    do("apt update", [*apt, "update"])
    with no_service_starts(root):
        do("apt install", [*apt, "install", "--no-install-recommends", *missing])


@contextmanager
def no_service_starts(root: list[str]) -> Iterator[None]:
    """What some packages would start at once listens on every address; we start our own, on loopback, when needed.

    Debian's maintainer scripts ask this file first (invoke-rc.d(8)). One that is there already is somebody's choice.
    """
    if SERVICE_POLICY.exists():
        yield
        return
    forbid = f"printf '#!/bin/sh\\nexit 101\\n' > {SERVICE_POLICY} && chmod 755 {SERVICE_POLICY}"
    subprocess.run([*root, "sh", "-c", forbid], check=True)
    try:
        yield
    finally:
        subprocess.run([*root, "rm", "-f", str(SERVICE_POLICY)], check=True)


def become_root(missing: list[str]) -> list[str]:
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        raise SetUpFailed(
            f"neither root nor sudo; as root: apt-get install --no-install-recommends {' '.join(missing)}"
        )
    # Without a terminal nobody can type a password: fail at once instead of waiting for one.
    return ["sudo"] if sys.stdin.isatty() else ["sudo", "-n"]


# Python packages


def make_venv() -> None:
    made_from = digest([], sys.version, str(VENV))
    if is_stamped("venv", made_from) and PYTHON.exists():
        return
    for stale in ("python", "house"):
        (STATE / f"{stale}.stamp").unlink(missing_ok=True)
    # One that we made for another Python or another path is of no use; one that somebody else made is completed.
    clear = ["--clear"] if (STATE / "venv.stamp").exists() else []
    do("virtual environment", ["/usr/bin/python3", "-m", "venv", *clear, str(VENV)])
    stamp("venv", made_from)


def install_python_packages() -> None:
    lock = HOUSE / "requirements.lock"
    made_from = digest([lock])
    if is_stamped("python", made_from):
        return
    pip = [str(PYTHON), "-m", "pip", "install", "--require-hashes", "--no-deps", "--progress-bar", "off"]
    first = STATE / "build-tools.lock"
    first.write_text(build_tools_of(lock.read_text()))
    do("Python build tools", [*pip, "-r", str(first)])
    do("Python packages", [*pip, "--no-build-isolation", "-r", str(lock)])
    stamp("python", made_from)


def build_tools_of(lock: str) -> str:
    """The entries of setuptools and wheel, hashes included: pyscard comes as source and is built with exactly these."""
    kept: list[str] = []
    inside = False
    for line in lock.splitlines():
        if line and not line.startswith((" ", "#")):
            inside = line.split("==")[0] in ("setuptools", "wheel")
        if inside and not line.lstrip().startswith("#"):
            kept.append(line)
    return "\n".join(kept) + "\n"


def install_house() -> None:
    made_from = digest([HOUSE / "pyproject.toml", HOUSE / "requirements.lock"])
    if is_stamped("house", made_from):
        return
    command = [str(PYTHON), "-m", "pip", "install", "--no-deps", "--no-build-isolation", "-e", str(HOUSE)]
    do("this project into .venv", command)
    stamp("house", made_from)


def build(name: str, module: list[str], inputs: list[str], output: str) -> None:
    files = sorted(path for pattern in inputs for path in HOUSE.glob(pattern) if path.is_file())
    made_from = digest(files, *module)
    if is_stamped(name, made_from) and any(HOUSE.glob(output)):
        return
    do(name, [str(PYTHON), "-m", *module])
    stamp(name, made_from)


# Stamps and the running of one step


def digest(files: list[Path], *words: str) -> str:
    total = hashlib.sha256()
    for word in words:
        total.update(word.encode() + b"\0")
    for path in files:
        total.update(path.relative_to(HOUSE).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def is_stamped(name: str, made_from: str) -> bool:
    path = STATE / f"{name}.stamp"
    return path.exists() and path.read_text() == made_from


def stamp(name: str, made_from: str) -> None:
    (STATE / f"{name}.stamp").write_text(made_from)


def do(name: str, command: list[str]) -> None:
    """Run one command, its output in .setup/NAME.log; progress every ten seconds, the end of the log if it fails.

    Raises:
        SetUpFailed: it could not be started, ended with a status other than 0, or took longer than an hour.
    """
    log = STATE / f"{name.replace(' ', '-')}.log"
    started = time.monotonic()
    say(f"{name} ...")
    with log.open("wb") as out:
        # A terminal stays attached only for sudo's password; everything else must ask nothing.
        stdin = None if command[0] == "sudo" and sys.stdin.isatty() else subprocess.DEVNULL
        process = subprocess.Popen(command, cwd=HOUSE, stdin=stdin, stdout=out, stderr=subprocess.STDOUT)
        status = watch(process, log, name, started)
    if status != 0:
        print(last_lines(log, 25), file=sys.stderr)
        raise SetUpFailed(f"{name} ended with status {status}; all of it is in {log.relative_to(HOUSE)}")
    say(f"{name}: done in {time.monotonic() - started:.0f} s")


def watch(process: "subprocess.Popen[bytes]", log: Path, name: str, started: float) -> int:
    try:
        while time.monotonic() - started < STEP_S_MAX:
            try:
                return process.wait(PROGRESS_S)
            except subprocess.TimeoutExpired:
                say(f"{name}: {time.monotonic() - started:.0f} s  {last_lines(log, 1)[:100]}")
        raise SetUpFailed(f"{name} did not end within {STEP_S_MAX:.0f} s")
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


def last_lines(path: Path, count: int) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-count:])


if __name__ == "__main__":
    sys.exit(main())
