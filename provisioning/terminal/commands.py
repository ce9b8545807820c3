"""Commands from the fleet: proved, done once, answered once, on record in the journal.

What was begun is written down before it is done, and its answer before it is told. After a power cut in between, only
what is harmless to do again is done again; everything else is answered as what it is: begun, and not known to be done.
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

import msgspec

from kiosk.basics.control import ControlSilent
from kiosk.basics.signed import NotTrusted, read_signed
from kiosk.ports import Log
from provisioning.rules.commands import KIND, Command, NotObeyed, read_command
from provisioning.rules.poll import CommandAnswer
from provisioning.terminal.desired import Identity
from provisioning.terminal.disk import Disk
from provisioning.terminal.house import House

KEPT_MAX = 400
KEPT_AFTER = timedelta(days=7)  # behind the end of its time, for clocks that are wrong
ANSWERS_AT_ONCE = 16
ANSWERS_BYTES = 24 * 1024  # with one question, whose most is 64 KiB with all that it tells of health
NAME = re.compile(r"[0-9a-f-]{36}")
# Done twice they leave the same behind as done once.
REPEATABLE = frozenset({"out_of_service", "back_in_service", "logs", "doctor", "decommission", "wipe"})
Act = Callable[[Command], Awaitable[dict[str, Any]]]


class Taken(msgspec.Struct, kw_only=True):
    """One command from its beginning to its end. ``answer`` None: it was begun. ``boot``: the machine's start at which
    it was. ``document``: its content; ``until``: the end of its time, None of one that nobody signed. ``told``: the
    fleet has the answer; ``noted``: the journal has."""

    command: str
    act: str
    at: datetime
    boot: str = ""
    document: dict[str, Any] = {}
    until: datetime | None = None
    answer: CommandAnswer | None = None
    told: bool = False
    noted: bool = False


class CommandBook:
    """What this terminal has to do with commands, in one file."""

    def __init__(self, path: Path, disk: Disk, kept_max: int = KEPT_MAX) -> None:
        self._path, self._disk, self._kept_max = path, disk, kept_max
        self.taken: dict[str, Taken] = {one.command: one for one in self._read()}

    @property
    def full(self) -> bool:
        return len(self.taken) >= self._kept_max

    def keep(self, one: Taken) -> None:
        """Durable when it returns."""
        self.taken[one.command] = one
        self._disk.write(self._path, msgspec.json.encode([*self.taken.values()]))

    def forget(self, now: datetime) -> None:
        """What was heard, and of which nothing comes if it is told again: its time is over, or nobody had signed it."""
        for one in [*self.taken.values()]:
            over = one.at < now - KEPT_AFTER if one.until is None else one.until < now - KEPT_AFTER
            if one.told and (over or (self.full and one.until is None)):
                del self.taken[one.command]

    def untold(self) -> list[CommandAnswer]:
        """As many as one question takes, the oldest first; the others go with the next."""
        waiting = [one.answer for one in self.taken.values() if one.answer and not one.told][:ANSWERS_AT_ONCE]
        lengths = accumulate(len(msgspec.json.encode(answer)) for answer in waiting)
        fitting = sum(length <= ANSWERS_BYTES for length in lengths)
        return waiting[: max(fitting, 1)]

    def told(self, answers: list[CommandAnswer]) -> None:
        """The fleet has them: each is told once."""
        for answer in answers:
            self.taken[answer.command].told = True
        if answers:
            self._disk.write(self._path, msgspec.json.encode([*self.taken.values()]))

    def _read(self) -> list[Taken]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=list[Taken])
        except (OSError, msgspec.MsgspecError):
            return []


@dataclass
class Commands:
    """``acts``: what each command does; it returns facts for the answer, or raises NotObeyed or ControlSilent.
    ``boot``: id of the machine's start. ``after``: what follows once the fleet has heard the answer."""

    identity: Identity
    book: CommandBook
    house: House
    acts: Mapping[str, Act]
    now: Callable[[], datetime]
    log: Log
    boot: str = ""
    after: Mapping[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)

    async def settle(self) -> None:
        """At the agent's start: end what the power interrupted."""
        for one in [taken for taken in self.book.taken.values() if taken.told and taken.answer]:
            await self._end(one)
        for one in [taken for taken in self.book.taken.values() if taken.answer is None]:
            if one.act in REPEATABLE and one.document:
                await self._do(one, msgspec.convert(one.document, Command))
            elif one.act == "reboot" and one.boot and one.boot != self.boot:
                self._answer(one, CommandAnswer(command=one.command, result="done"))
            else:
                why = "the power went, or the agent ended, while it was being done: look at the terminal"
                self._answer(one, CommandAnswer(command=one.command, result="failed", why=why))

    async def take(self, documents: list[dict[str, Any]]) -> bool:
        """Obey what is new among them, in their order. Whether there is an answer to tell."""
        self.book.forget(self.now())
        for document in documents:
            await self._take(document)
        await self.note()
        return bool(self.book.untold())

    async def note(self) -> None:
        """Tell the journal what it was not told yet; a kiosk that does not answer is told later."""
        for one in [taken for taken in self.book.taken.values() if taken.answer and not taken.noted]:
            assert one.answer is not None
            told = {"command": one.command, "act": one.act, "result": one.answer.result, "why": one.answer.why[:100]}
            try:
                said = await self.house.ask_kiosk(f"command_note {json.dumps(told)}")
            except ControlSilent:
                return
            if said == "noted":
                one.noted = True
                self.book.keep(one)

    async def heard(self, answers: list[CommandAnswer]) -> None:
        """The fleet has these answers."""
        self.book.told(answers)
        for answer in answers:
            await self._end(self.book.taken[answer.command])

    async def _end(self, one: Taken) -> None:
        """What follows an answer that was heard. It is harmless to do again."""
        ends = self.after.get(one.act)
        if ends is not None and one.answer is not None and one.answer.result == "done":
            await ends()

    async def _take(self, document: dict[str, Any]) -> None:
        inner = document.get("document")
        told = inner if isinstance(inner, dict) else {}
        name = told.get("command")
        if not isinstance(name, str) or not NAME.fullmatch(name) or name in self.book.taken or self.book.full:
            return  # answered before, or being told again because the answer was lost on the way
        one = Taken(command=name, act=str(told.get("act", ""))[:24], at=self.now(), boot=self.boot)
        try:
            command, one.until = self._proved(document)
        except NotObeyed as refused:
            self._answer(one, CommandAnswer(command=name, result=refused.result, why=str(refused)[:200]))
            return
        one.document = msgspec.to_builtins(command)
        self.book.keep(one)
        await self._do(one, command)

    def _proved(self, document: dict[str, Any]) -> tuple[Command, datetime]:
        who = self.identity
        try:
            trusted = read_signed(json.dumps(document).encode(), KIND, who.keys)
        except NotTrusted as refused:
            raise NotObeyed(str(refused)) from None
        return read_command(trusted, who.tenant, who.terminal_id, self.now()), trusted.expires_at

    async def _do(self, one: Taken, command: Command) -> None:
        self.log("command_begun", act=command.act, key=command.command)
        try:
            facts = await self.acts[command.act](command)
            answer = CommandAnswer(command=one.command, result="done", facts=facts)
        except NotObeyed as refused:
            answer = CommandAnswer(command=one.command, result=refused.result, why=str(refused)[:200])
        except ControlSilent:
            answer = CommandAnswer(command=one.command, result="failed", why="the kiosk does not answer")
        self._answer(one, answer)

    def _answer(self, one: Taken, answer: CommandAnswer) -> None:
        one.answer = answer
        self.book.keep(one)
        self.log("command_answered", act=one.act, key=one.command, result=answer.result, why=answer.why)
