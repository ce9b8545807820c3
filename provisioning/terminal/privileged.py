"""What needs more rights than the agent has: it wishes, by a file, and a unit of its own carries the wish out.

INVENTED: FOLDER/WHAT.wish holds {"command": id}, for a clock the moment in ISO 8601, for a network the name of its set
("" for the image's own), for a stick ``write`` or ``done``; the unit (a systemd path unit, systemd/README.md) answers
by FOLDER/WHAT.done, or FOLDER/WHAT.refused with a sentence. It takes no argument from the agent but the word itself.
"""

import json
from pathlib import Path
from typing import Literal, Protocol

import trio

from provisioning.rules.commands import NotObeyed
from provisioning.terminal.disk import Disk

WISH_S_MAX = 300.0
LOOK_S = 0.5

What = Literal["reboot", "wipe", "network", "clock", "stick"]


class Privileged(Protocol):
    @property
    def is_there(self) -> bool: ...

    def asked(self, what: What, command: str) -> bool:
        """Whether just this was wished for before, and the power went before anybody answered."""
        ...

    async def wish(self, what: What, command: str) -> None:
        """Returns when it is done; of a reboot, when it was taken. Raises NotObeyed: nothing was done, and why."""
        ...


class NoPrivileged:
    is_there = False

    def asked(self, what: What, command: str) -> bool:
        return False

    async def wish(self, what: What, command: str) -> None:
        raise NotObeyed(f"nothing here may {what} the machine")


class PrivilegedFolder:
    is_there = True

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._folder, self._disk = folder, disk

    def asked(self, what: What, command: str) -> bool:
        try:
            return (self._folder / f"{what}.wish").read_bytes() == _told(command)
        except OSError:
            return False

    async def wish(self, what: What, command: str) -> None:
        answers = {name: self._folder / f"{what}.{name}" for name in ("done", "refused")}
        wish = self._folder / f"{what}.wish"
        if not self.asked(what, command):
            for path in answers.values():
                self._disk.remove(path)
            self._disk.write(wish, _told(command))
        with trio.move_on_after(WISH_S_MAX):
            while not answers["done"].exists():
                if answers["refused"].exists():
                    raise NotObeyed(answers["refused"].read_text()[:200])
                await trio.sleep(LOOK_S)
            return
        self._disk.remove(wish)
        raise NotObeyed("nobody took the wish")


def _told(command: str) -> bytes:
    return json.dumps({"command": command}).encode()
