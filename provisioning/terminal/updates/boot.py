"""What starts the software of the generation that is in force: a file of the image's own, run before anything of it.

    python3 boot.py FOLDER count                   before kiosk or agent starts: count the starts of a trial
    python3 boot.py FOLDER run COMMAND ...         COMMAND with the generation's code, "python -m kiosk run" for one
    python3 boot.py FOLDER start COMMAND ...       both

``run`` looks the link up once and hands the folder behind it on: a process that imports late, after the link turned,
still finds its own version. ``count``: new software that does not come up cannot take itself back. So every start of
kiosk and agent counts, and when a trial has none left the link goes back to the version before, also where both of the
new one are dead. Needs the standard library only.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

IMAGE_OF = ".image"  # beside a generation: the image that it was installed on
OS_RELEASE = Path("/etc/os-release")
CURRENT, TRIAL, RETURNED = "current", "trial.json", "returned.json"
STARTS = 6  # of kiosk and agent together; a good version uses two, and two more at each power cut


def count_start(folder: Path) -> str:
    """What was done: "" without a trial, ``counted``, ``returned`` or ``settled`` (a switch or return was cut off)."""
    trial = _read(folder / TRIAL)
    if trial is None:
        return ""
    if runs(folder, running_image()) != trial["generation"]:
        (folder / TRIAL).unlink()
        _flush(folder)
        return "settled"
    if trial["starts_left"] > 0:
        _write(folder / TRIAL, {**trial, "starts_left": trial["starts_left"] - 1})
        return "counted"
    _write(folder / RETURNED, {"version": trial["version"], "why": "did not come up"})
    beside = folder / f".{CURRENT}.new"
    beside.unlink(missing_ok=True)
    if trial["previous"]:
        beside.symlink_to(trial["previous"])
        beside.replace(folder / CURRENT)
    else:
        (folder / CURRENT).unlink()  # the image's own copy runs where there is no generation
    _flush(folder)
    (folder / TRIAL).unlink()
    _flush(folder)
    return "returned"


def runs(folder: Path, image: str) -> str:
    """The generation in force, "" for the image's own copy: also where another image runs than it was made for."""
    link = folder / CURRENT
    generation = str(link.readlink()) if link.is_symlink() else ""
    return generation if generation and image_of(folder, generation) == image else ""


def image_of(folder: Path, generation: str) -> str:
    try:
        return (folder / f"{generation}{IMAGE_OF}").read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def running_image(told_in: Path = OS_RELEASE) -> str:
    """IMAGE_VERSION of os-release(5), "" where the machine was not installed as an image of ours."""
    try:
        lines = told_in.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    told = [line.partition("=")[2].strip().strip('"') for line in lines if line.startswith("IMAGE_VERSION=")]
    return told[0] if told else ""


def _read(path: Path) -> dict[str, Any] | None:
    """What cannot be read is a trial of nothing: it is whole, or was never written."""
    try:
        told = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    assert isinstance(told, dict) and isinstance(told["starts_left"], int), "written whole, by us"
    return told


def _write(path: Path, told: dict[str, Any]) -> None:
    beside = path.with_name(f".{path.name}.new")
    with beside.open("w", encoding="utf-8") as file:
        json.dump(told, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    _flush(path.parent)


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def environment(folder: Path, before: Mapping[str, str]) -> dict[str, str]:
    """``before`` with the generation's code first, before the folder that it is started in, too. Without a generation
    the image's own copy runs."""
    running = runs(folder, running_image())
    if not running:
        return dict(before)
    return {**before, "PYTHONPATH": str((folder / running).resolve()), "PYTHONSAFEPATH": "1"}


def main(arguments: list[str]) -> None:
    folder, act, *command = arguments
    if act in ("count", "start"):
        count_start(Path(folder))
    if act in ("run", "start"):
        os.execvpe(command[0], command, environment(Path(folder), os.environ))  # noqa: S606 - systemd's own command line


if __name__ == "__main__":
    main(sys.argv[1:])
