"""RAUC, asked by its own command, which speaks to its service over D-Bus: no path here goes around what it refuses.

Its facts (RAUC 1.8): ``status`` tells what was started and which slots may be; ``install`` writes the slot that does
not run and leaves it unbootable (system.conf: activate-installed=false); ``mark-active`` has it started from now on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

import msgspec
import trio

ASK_S_MAX = 60.0
INSTALL_S_MAX = 1800.0  # a root on the slowest disk that still works
BUSY_AGAIN_S = 10.0
BUSY = "Already processing"  # an installation goes on that a former life of this process began
WORDS_MAX = 160
Shape = TypeVar("Shape")
Mark = Literal["good", "bad", "active"]
Which = Literal["booted", "other"]


class RaucFailed(Exception):
    """It said no, or nothing. The message is its own last line."""


class _Bundle(msgspec.Struct, frozen=True):
    version: str | None = None


class _SlotStatus(msgspec.Struct, frozen=True):
    bundle: _Bundle = _Bundle()
    status: str = ""


class _Slot(msgspec.Struct, frozen=True):
    bootname: str | None
    state: str
    boot_status: str | None = None
    slot_status: _SlotStatus = _SlotStatus()


class _Status(msgspec.Struct, frozen=True):
    booted: str | None
    slots: list[dict[str, _Slot]]


@dataclass(frozen=True)
class Slot:
    """``good``: it may be started, and was well since it was last started. ``version``: of the bundle that was written
    into it whole, "" where none was."""

    good: bool
    version: str


@dataclass(frozen=True)
class Described:
    """What a bundle says of itself, its signature verified."""

    version: str
    description: str


class AsksRauc(Protocol):
    """Every verb raises RaucFailed."""

    async def slots(self) -> dict[str, Slot]:
        """By what the boot loader calls them."""
        ...

    async def describe(self, bundle: Path) -> Described:
        """Not signed by whom this machine believes, or for another kind of machine: RaucFailed."""
        ...

    async def install(self, bundle: Path) -> None:
        """Into the slot that does not run; it is not started before ``mark``."""
        ...

    async def mark(self, mark: Mark, which: Which) -> None:
        """Saying the same twice is harmless."""
        ...


@dataclass(frozen=True)
class Rauc:
    """Implements ``AsksRauc`` by its command. ``command``, ``environment``: with a bus of its own in tests."""

    command: tuple[str, ...] = ("rauc",)
    environment: Mapping[str, str] | None = None
    _one_at_a_time: trio.Lock = field(default_factory=trio.Lock)

    async def slots(self) -> dict[str, Slot]:
        told = await self._told(_Status, "status", "--detailed", "--output-format=json")
        found = [slot for named in told.slots for slot in named.values() if slot.bootname]
        return {str(one.bootname): _slot(one) for one in found}

    async def describe(self, bundle: Path) -> Described:
        told = await self._told(dict[str, Any], "info", "--output-format=json", str(bundle))
        return Described(str(told.get("version") or ""), str(told.get("description") or ""))

    async def install(self, bundle: Path) -> None:
        with trio.move_on_after(INSTALL_S_MAX):
            while True:
                try:
                    await self._run(INSTALL_S_MAX, "install", str(bundle))
                    return
                except RaucFailed as failed:
                    if BUSY not in str(failed):
                        raise
                await trio.sleep(BUSY_AGAIN_S)
        raise RaucFailed("it takes too long")

    async def mark(self, mark: Mark, which: Which) -> None:
        await self._run(ASK_S_MAX, "status", f"mark-{mark}", which)

    async def _told(self, shape: type[Shape], *arguments: str) -> Shape:
        told = await self._run(ASK_S_MAX, *arguments)
        try:
            return msgspec.json.decode(told, type=shape)
        except msgspec.MsgspecError as error:
            raise RaucFailed(f"{arguments[0]}: {error}"[:WORDS_MAX]) from None

    async def _run(self, s_max: float, *arguments: str) -> bytes:
        async with self._one_at_a_time:
            with trio.move_on_after(s_max):
                try:
                    done = await trio.run_process(
                        [*self.command, *arguments],
                        env=self.environment,
                        check=False,
                        capture_stdout=True,
                        capture_stderr=True,
                        stdin=b"",
                    )
                except OSError as error:
                    raise RaucFailed(f"rauc cannot be run: {error.strerror}") from error
                if done.returncode == 0:
                    return done.stdout
                raise RaucFailed(_why(done.stdout, done.stderr))
        raise RaucFailed(f"{arguments[0]}: no answer within {s_max:.0f} s")


def _slot(one: _Slot) -> Slot:
    whole = one.slot_status.status == "ok"
    return Slot(one.boot_status == "good", (one.slot_status.bundle.version or "") if whole else "")


def _why(stdout: bytes, stderr: bytes) -> str:
    """``install`` ends its progress with LastError; everything else says why in its last line."""
    lines = [line.strip() for line in (stderr + stdout).decode(errors="replace").splitlines() if line.strip()]
    last = [line for line in lines if line.startswith("LastError:")] or lines or ["it said nothing"]
    return last[-1].removeprefix("LastError:").strip()[:WORDS_MAX]
