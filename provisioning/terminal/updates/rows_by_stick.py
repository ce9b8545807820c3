"""The journal's rows out to a stick and the agency's answer in from it: the agent carries, the forwarder does the rest.

The agent's user may not open the journal. Rows go onto no stick that does not bear the fleet's word: software that two
people signed, or the agency's answer to this terminal. It is judged while the stick can only be read, and once more
after it was opened, because between the two it is another mount. What does not work must not keep an update from
coming.
"""

import errno
import os
import shutil
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import trio

from kiosk.basics.control import ControlSilent, agencys_answer_path, ask_control, forward_path, rows_out_path
from kiosk.ports import Log
from provisioning.rules.commands import NotObeyed
from provisioning.terminal.updates.refused import SourceSilent, UpdateRefused
from provisioning.terminal.updates.sources import open_plain, read_plain

ANSWER_SUFFIX = ".acknowledgement.json"
ANSWER_BYTES_MAX = 1 << 20
BUNDLES_MAX = 200  # of 20,000 rows each: more than a terminal does in its life
FOR_THE_GROUP = 0o640
_WHY = {errno.ENOSPC: "full", errno.EROFS: "read_only", errno.EACCES: "read_only"}


class Door(Protocol):
    def opened(self) -> AbstractAsyncContextManager[None]:
        """Within, the stick can be written to; after it all of that is on it. Raises NotObeyed, as ``StickDoor``."""
        ...


class NotOurs(Exception):
    """No word of the fleet is on this stick, or none that holds."""


@dataclass
class RowsByStick:
    """``run_dir``: of kiosk and forwarder. ``signed``: whether two people signed what is on a stick. ``files``: bundles
    that the last stick took, with rows ``first`` to ``last``; ``why``: what kept others from it: "" | silent |
    refused | foreign | full | read_only | broken. ``answer``: "" | kept | refused | silent. ``ended``: it is so."""

    run_dir: str
    terminal_id: str
    log: Log
    signed: Callable[[Path], Awaitable[bool]]
    door: Door
    files: int = field(default=0, init=False)
    first: int = field(default=0, init=False)
    last: int = field(default=0, init=False)
    why: str = field(default="", init=False)
    answer: str = field(default="", init=False)
    ended: bool = field(default=False, init=False)

    def begin(self) -> None:
        """What was said of the last stick is not true of the next."""
        self.files, self.first, self.last, self.why, self.answer, self.ended = 0, 0, 0, "", "", False

    async def swap(self, stick: Path) -> None:
        """What did not work is told and stands in the log; the next stick does it again."""
        self.begin()
        try:
            await self._carry_out(stick)
        except ControlSilent:
            self.why = "silent"
        except NotOurs:
            self.why = "foreign"
        except NotObeyed as refused:
            self.files, self.why = 0, "broken"
            self.log("wish_refused", step="stick", why=str(refused)[:100])
        except (OSError, UpdateRefused) as error:
            self.why = _WHY.get(getattr(error, "errno", 0), "broken")
        self.log("stick_rows", act="export", count=self.files, why=self.why)
        self.ended = True

    async def _carry_out(self, stick: Path) -> None:
        """Raises ControlSilent, NotOurs, NotObeyed, OSError, UpdateRefused."""
        ours = await self._is_ours(stick)
        told = await self._laid(0)
        if not told.get("file"):
            return
        if not ours:
            raise NotOurs
        async with self.door.opened():
            if not await self._is_ours(stick):
                raise NotOurs
            await self._copy_all(stick, told)

    async def _copy_all(self, stick: Path, told: dict[str, Any]) -> None:
        """``told``: the first that is laid ready."""
        for _ in range(BUNDLES_MAX):
            if not told.get("file"):
                return
            await trio.to_thread.run_sync(_copied, rows_out_path(self.run_dir), stick, Path(str(told["file"])).name)
            self.files, self.first, self.last = self.files + 1, self.first or int(told["first"]), int(told["last"])
            told = await self._laid(self.last)

    async def _laid(self, after: int) -> dict[str, Any]:
        """The forwarder's word for the next bundle. Raises ControlSilent."""
        told = await self._asked(f"row_bundle {after}")
        if "refused" in told:
            self.why = "refused"
        return told

    async def _is_ours(self, stick: Path) -> bool:
        await self._take_in(stick)
        return self.answer == "kept" or await self.signed(stick)

    async def _take_in(self, stick: Path) -> None:
        name, laid = f"{self.terminal_id}{ANSWER_SUFFIX}", agencys_answer_path(self.run_dir)
        if not (stick / name).exists():
            return
        try:
            content = await trio.to_thread.run_sync(read_plain, stick, name, ANSWER_BYTES_MAX)
            laid.write_bytes(content)
            laid.chmod(FOR_THE_GROUP)
            told = await self._asked("take_answer")
            self.answer = "refused" if "refused" in told else "kept"
            why = str(told.get("refused", ""))
        except ControlSilent:
            self.answer, why = "silent", "the forwarder does not answer"
        except (UpdateRefused, SourceSilent, OSError) as refused:
            self.answer, why = "refused", str(refused)
        finally:
            laid.unlink(missing_ok=True)
        self.log("stick_rows", act="acknowledge", outcome=self.answer, why=why[:120])

    async def _asked(self, word: str) -> dict[str, Any]:
        """Raises ControlSilent: also of one that is older than this word."""
        told = await ask_control(forward_path(self.run_dir), word)
        if not isinstance(told, dict) or "error" in told:
            raise ControlSilent(word)
        return told


def _copied(bundle: Path, stick: Path, name: str) -> None:
    """Whole on the stick, or not under its name. Raises OSError, UpdateRefused."""
    beside = stick / f"{name}.part"
    try:
        with os.fdopen(open_plain(bundle.parent, bundle.name), "rb") as source, beside.open("wb") as file:
            shutil.copyfileobj(source, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(stick / name)
    except OSError:
        with suppress(OSError):
            beside.unlink()  # half of it would only fill the stick
        raise
