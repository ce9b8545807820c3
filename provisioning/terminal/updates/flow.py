"""One update from the first word of it to its end, over any number of power cuts: each step can be done again.

What may be installed TUF says, when DDI says, and whether now the house says: its books, its residents, its hours.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import msgspec
import trio

from provisioning.rules.update_window import Answer, Window, may_install, may_load, share_of
from provisioning.terminal.disk import Disk
from provisioning.terminal.updates.ddi import Feedback
from provisioning.terminal.updates.download import Download, Paused
from provisioning.terminal.updates.installer import Installer
from provisioning.terminal.updates.refused import SourceSilent, UpdateRefused
from provisioning.terminal.updates.state import PAST_RECALL, Closed, Event, Installed, State, StateFile, Step, Update
from provisioning.terminal.updates.trust import Allowed, Target

# What may be done beside anything else that happens to the terminal.
BESIDE: frozenset[Step] = frozenset({"load", "write"})
DID_NOT_COME_UP = "it did not come up"


@dataclass
class House:
    """What the agent's root gives: ports of this terminal.

    ``rest``: have the kiosk serve nobody for a moment, "" when it does, else why not (somebody is served, something is
    under way, nobody answers: money-rules 28). ``look``: how it is, kept as text until the new version is compared
    with it. ``restart``: the program of this kind starts anew, unless it did since that look. ``healthy``: judges it,
    "" or why not. ``metered``: the line is paid by the byte; None: not known. ``record``: one line of the log.
    ``program``: version of the agent that this is. ``hands``: held by whatever changes the terminal, one at a time; a
    download holds nobody up.
    """

    now: Callable[[], datetime]
    rest: Callable[[], Awaitable[str]]
    look: Callable[[str], Awaitable[str]]
    restart: Callable[[str, str], Awaitable[None]]
    healthy: Callable[[str, str], Awaitable[str]]
    metered: Callable[[], Awaitable[bool | None]]
    program: str
    record: Callable[[Event], None] = field(default=lambda event: None)
    hands: trio.Lock = field(default_factory=trio.Lock)


@dataclass
class Flow:
    """``installers`` by kind of release."""

    terminal_id: str
    state: StateFile
    disk: Disk
    house: House
    installers: Mapping[str, Installer]
    window: Callable[[], Window]
    download: Download
    starts_anew: bool = field(default=False, init=False)  # other software runs now than this process was started with

    @property
    def now_state(self) -> State:
        return self.state.state

    def begin(self, update: Update) -> None:
        """Take an update on. Nothing else is under way, or something that may still be dropped."""
        self.download.forget_others(update.sha256)
        self.state.change(update=update)
        self._owe(update, "proceeding", "none", f"begun: {update.name}")

    async def go_on(self, allowed: Callable[[], Allowed]) -> None:
        """As far as it goes now: to its end, or until something must be waited for.

        ``allowed``: what TUF allows at this moment; asked anew before anything of it is installed.
        """
        while (update := self.now_state.update) is not None:
            if update.step in BESIDE:
                more = await self._one(update, allowed)
            else:
                async with self.house.hands:
                    more = await self._in_hand(allowed)
            if not more:
                return

    async def _in_hand(self, allowed: Callable[[], Allowed]) -> bool:
        """From the rest of the kiosk to the end of the trial nothing else changes the terminal."""
        while (update := self.now_state.update) is not None and update.step not in BESIDE:
            if not await self._one(update, allowed):
                return False
        return True

    async def _one(self, update: Update, allowed: Callable[[], Allowed]) -> bool:
        try:
            return await self._step(update, allowed)
        except UpdateRefused as refused:
            await self._refused(update, refused)
            return True
        except SourceSilent as silent:
            return self._wait(update, str(silent))

    def recall(self) -> bool:
        """Drop what is under way; whether it still could be."""
        update = self.now_state.update
        if update is None or update.step in PAST_RECALL:
            return update is None
        self._event("canceled", update, "")
        self.state.change(update=None)
        self.download.forget_others("")
        return True

    def refuse(self, update: Update, refused: UpdateRefused) -> None:
        """Of an update that never began, or may still be dropped."""
        self._failed(update, "refused", f"{refused.code}: {refused}")

    async def _step(self, update: Update, allowed: Callable[[], Allowed]) -> bool:
        """Whether there is more to do at once."""
        steps: dict[Step, Callable[[Update], Awaitable[bool]]] = {
            "load": self._load,
            "write": self._write,
            "ready": self._ready,
            "switch": self._switch,
            "trial": self._trial,
            "prove": self._prove,
            "keep": self._keep,
            "back": self._back,
        }
        if update.step not in PAST_RECALL:
            try:
                listed = allowed().with_hash(update.sha256)
            except UpdateRefused as stale:  # nothing newer was heard; whoever asks the repository hears why
                return self._wait(update, stale.code)
            if listed != update.target:
                raise UpdateRefused("not_listed", f"{update.name}: two people do not sign it any more")
        return await steps[update.step](update)

    async def _load(self, update: Update) -> bool:
        installer = self._installer(update)
        if installer.running() == update.version and installer.trial() is None:
            return self._done(update, "it runs already")
        if not installer.has(update.target):
            answer = await self._may_load(update)
            if not answer.may:
                return self._wait(update, answer.why)
            self.download.may_go_on = self._goes_on
            try:
                await self.download.load(update.target, update.path, installer.unpacked_bytes(update.target))
            except Paused:
                return self._wait(update, "paused")
        self._event("loaded", update, "")
        self._owe(update, "downloaded", "none", f"loaded: {update.name}")
        return self._next(update, "write")

    async def _write(self, update: Update) -> bool:
        if update.install == "skip":
            return self._wait(update, "skip")
        await self._installer(update).write(self.download.part_of(update.target), update.target)
        self.download.forget(update.target)  # it lies in its place, and may be hundreds of megabytes
        return self._next(update, "ready")

    async def _ready(self, update: Update) -> bool:
        why = await self._not_yet(update)
        if why:
            return self._wait(update, why)
        self._owe(update, "proceeding", "none", f"installing: {update.name}")
        before = await self.house.look(update.kind)
        return self._next(msgspec.structs.replace(update, before=before), "switch")

    async def _switch(self, update: Update) -> bool:
        """After a cut here the link has turned, or has not: then the hour and the books are asked again."""
        installer = self._installer(update)
        trial = installer.trial()
        if trial is None or trial.version != update.version:
            if await self._not_yet(update):
                return self._next(update, "ready")
            await installer.switch()
        return self._next(update, "trial")

    async def _trial(self, update: Update) -> bool:
        """After a cut here: it came up and is on trial still, or its starts were used up and it went back."""
        installer = self._installer(update)
        if installer.trial() is None:
            if installer.running() == update.version:
                return self._done(update, "")
            return await self._gone(update)
        await self.house.restart(update.kind, update.before)
        why = await self.house.healthy(update.kind, update.before)
        if installer.trial() is None:
            return await self._gone(update)
        return self._next(update, "back" if why else "prove", why)

    async def _prove(self, update: Update) -> bool:
        """A version whose kiosk is well and whose agent never starts could not be reached any more. So this one ends,
        and the new one keeps it; while it does not come up, its starts are counted, and the one before returns."""
        installer = self._installer(update)
        program = installer.running() if installer.full_image else self.house.program  # an image brings its agent
        if installer.trial() is not None and program != update.version:
            self.starts_anew = True
            return False
        return self._next(update, "keep")

    async def _keep(self, update: Update) -> bool:
        installer = self._installer(update)
        await installer.keep()
        if installer.running() != update.version:
            return await self._gone(update)
        return self._done(update, "")

    async def _gone(self, update: Update) -> bool:
        """Its starts were used up while it was judged: what was judged is the version before. Whatever of the new one
        still runs starts anew."""
        await self.house.restart(update.kind, "")
        return self._failed(update, "returned", DID_NOT_COME_UP)

    async def _back(self, update: Update) -> bool:
        installer = self._installer(update)
        await installer.go_back(update.why)
        await self.house.restart(update.kind, "")
        return self._failed(update, "returned", update.why)

    async def _may_load(self, update: Update) -> Answer:
        full_image = self._installer(update).full_image
        metered = await self.house.metered() if full_image and not update.over_metered else False
        now, share = self.house.now(), share_of(self.terminal_id, update.sha256)
        return may_load(update.load, now, self.window(), share, full_image, metered)

    async def _goes_on(self) -> bool:
        update = self.now_state.update
        return update is not None and (await self._may_load(update)).may

    async def _not_yet(self, update: Update) -> str:
        """Why it is not installed now, "" where it may be: then the kiosk rests already."""
        now, share = self.house.now(), share_of(self.terminal_id, update.sha256)
        answer = may_install(update.install, update.maintenance, now, self.window(), share)
        return await self.house.rest() if answer.may else answer.why

    def _installer(self, update: Update) -> Installer:
        installer = self.installers.get(update.kind)
        if installer is None:
            raise UpdateRefused("not_for_us", f"nothing here installs {update.kind}"[:120])
        return installer

    def _next(self, update: Update, step: Step, why: str = "") -> Literal[True]:
        self.state.change(update=msgspec.structs.replace(update, step=step, why=why))
        return True

    def _wait(self, update: Update, why: str) -> Literal[False]:
        if update.why != why:
            self.state.change(update=msgspec.structs.replace(update, why=why))
        return False

    def _done(self, update: Update, why: str) -> Literal[True]:
        self._event("installed", update, why)
        if not update.action:
            self.state.change(by_stick=Installed(name=update.name, version=update.version))
        self._close(update, "success", [f"installed: {update.name}", *([why] if why else [])])
        return True

    def _failed(self, update: Update, what: str, why: str) -> Literal[True]:
        self._event(what, update, why)
        self._close(update, "failure", [f"{what}: {why}"])
        return True

    async def _refused(self, update: Update, refused: UpdateRefused) -> None:
        """An update that is refused after its switch goes back first."""
        if update.step in PAST_RECALL and self._installer(update).trial() is not None:
            self._next(update, "back", f"{refused.code}: {refused}")
            return
        self._failed(update, "refused", f"{refused.code}: {refused}")

    def _close(self, update: Update, finished: Literal["success", "failure"], details: list[str]) -> None:
        """In one write: what it came to, that it is owed to the fleet, and that nothing is under way."""
        state = self.now_state
        if update.action:
            at_ms = self._at_ms()
            told = Feedback(
                about="deploymentBase",
                action=update.action,
                execution="closed",
                finished=finished,
                details=details,
                at_ms=at_ms,
            )
            state = state.with_feedback(told)
            state = state.with_closed(Closed(action=update.action, finished=finished, details=details))
        self.state.put(msgspec.structs.replace(state, update=None))
        self.download.forget_others("")

    def _owe(self, update: Update, execution: str, finished: Literal["none"], words: str) -> None:
        if update.action:
            told = Feedback(
                about="deploymentBase",
                action=update.action,
                execution=execution,
                finished=finished,
                details=[words],
                at_ms=self._at_ms(),
            )
            self.state.put(self.now_state.with_feedback(told))

    def _event(self, what: str, update: Update, why: str) -> None:
        self.note(what, update.version, why)

    def note(self, what: str, version: str, why: str) -> None:
        """For the terminal's own record."""
        event = Event(at_ms=self._at_ms(), what=what, version=version, why=why)
        self.house.record(event)
        self.state.put(self.now_state.with_event(event))

    def _at_ms(self) -> int:
        return int(self.house.now().timestamp() * 1000)


def update_of(target: Target, action: str, path: str) -> Update:
    return Update(
        action=action,
        step="load",
        name=target.name,
        kind=target.kind,
        version=target.version,
        sha256=target.sha256,
        bytes_long=target.bytes_long,
        path=path,
    )
