"""The folder in which the agent wishes and root answers; its contract stands in ``provisioning.terminal.privileged``.

An answer stands before the wish goes, and a reboot is answered before it begins: so whenever the power is cut, what was
answered is not done again, and what was not is done at the next start.
"""

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from provisioning.privileged.plain_files import NotPlain, is_there, opened, read_in, remove_in, write_in

ORDER = ("clock", "stick", "network", "wipe", "reboot")  # what a reboot would cut off goes before it
WHY_CHARACTERS_MAX = 200


class Refused(Exception):
    """Nothing was done; the message says why, for the fleet."""


@dataclass(frozen=True)
class Wish:
    """``command``: what the agent gave with the word. ``age_s``: by the clock of now, since it was written."""

    command: str
    age_s: float


Act = Callable[[Wish], Callable[[], None] | None]  # what it returns is done once the answer stands


def answer_wishes(folder: Path, acts: Mapping[str, Act]) -> list[str]:
    """Carry out what waits in ``folder``; what was answered, as ``WHAT.done`` or ``WHAT.refused``.

    Raises:
        OSError: the folder is not there, or not ours to write.
    """
    answered = []
    with opened(folder) as descriptor:
        for what in (what for what in ORDER if is_there(descriptor, f"{what}.wish")):
            answer, then = _answer(descriptor, what, acts[what])
            remove_in(descriptor, f"{what}.wish")
            answered.append(answer)
            if then is not None:
                then()
    return answered


def _answer(folder: int, what: str, act: Act) -> tuple[str, Callable[[], None] | None]:
    for answer in (f"{what}.done", f"{what}.refused"):
        if is_there(folder, answer):  # and the power went before the wish was taken away
            return answer, None
    try:
        then = act(_read(folder, what))
    except Refused as refused:
        write_in(folder, f"{what}.refused", str(refused)[:WHY_CHARACTERS_MAX].encode())
        return f"{what}.refused", None
    write_in(folder, f"{what}.done", b"")
    return f"{what}.done", then


def _read(folder: int, what: str) -> Wish:
    name = f"{what}.wish"
    try:
        content = read_in(folder, name)
        command = json.loads(content)["command"]
        age_s = time.time() - os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime
    except (NotPlain, OSError, ValueError, KeyError, TypeError, RecursionError):
        raise Refused("this wish cannot be read") from None
    if not isinstance(command, str):
        raise Refused("this wish cannot be read")
    return Wish(command, age_s)
