"""The agent's one question, again and again: docs/fleet.md, "The poll". What it brings is done beside the next one.

Nothing piles up: a terminal that was dark for a week tells how it is now, and the answers that the fleet has not heard.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import trio

from kiosk.ports import HostLink, HostRefused, Log, OutcomeUnknown
from provisioning.rules.poll import CommandAnswer, Health, PollAnswer, PollQuestion
from provisioning.rules.presence import Life
from provisioning.terminal.commands import Commands
from provisioning.terminal.desired import DesiredState
from provisioning.terminal.health import HealthTeller

POLL_S_MAX = 30.0
SLEEP_S_MIN, SLEEP_S_MAX = 1.0, 3600.0
BACK_OFF_S_MIN, BACK_OFF_S_MAX = 5.0, 900.0
REFUSED_S = 900.0  # a fleet that does not know us is not asked more often by being asked in vain
JITTER = 0.1
NOT_KNOWN = "not_found"

# What another part of the agent does with an answer; each is told of every answer, and runs beside the others, one at
# a time.
Errand = Callable[[PollAnswer], Awaitable[None]]


@dataclass
class Heard:
    """For staff and doctor. ``at``: the fleet's newest answer, "" before the first; ``trouble``: of the newest try."""

    at: str = ""
    trouble: str = ""
    polls: int = 0
    failures: int = 0  # one after the other
    refused: str = ""  # the fleet's code, where the newest try was refused
    away: int = 0  # tries in a row that were answered "not known": the certificate is nobody's any more
    renew: bool = False  # the newest answer wants the certificate renewed


@dataclass
class Polling:
    """``hands``: held by whatever changes the terminal, one at a time. ``chance``: between 0 and 1. ``first``: is done
    with an answer before anything else of it is judged."""

    link: HostLink
    life: Life
    health: HealthTeller
    desired: DesiredState
    commands: Commands
    now: Callable[[], datetime]
    chance: Callable[[], float]
    log: Log
    errands: Sequence[Errand] = ()
    first: Errand | None = None
    hands: trio.Lock = field(default_factory=trio.Lock)
    heard: Heard = field(default_factory=Heard)
    epoch: int = 0
    sleep_s_max: float = SLEEP_S_MAX
    memo: int = 0
    _sooner: trio.Event = field(default_factory=trio.Event)
    _busy: set[Errand] = field(default_factory=set)
    _wanted: int = 0

    async def run(self) -> None:
        """For ever."""
        async with trio.open_nursery() as nursery:
            while True:
                answer, wait_s = await self.once()
                if answer is not None:
                    if self.first is not None:
                        await self.first(answer)
                    self._see_to(answer, nursery)
                self._sooner = trio.Event()
                with trio.move_on_after(wait_s):
                    await self._sooner.wait()

    def sooner(self) -> None:
        """There is something to tell: the next question comes at once."""
        self._sooner.set()

    async def once(self) -> tuple[PollAnswer | None, float]:
        """Ask. The answer, and seconds until the next question."""
        health = await self.health.news()
        answers, changed = self.commands.book.untold(), self.desired.changed
        try:
            answer = await self._asked(self._question(health, answers))
        except (OutcomeUnknown, HostRefused) as error:
            return None, self._failed(error)
        if health is not None:
            self.health.heard()
        self._note_time(answer)
        await self.commands.heard(answers)
        if self.desired.changed is changed:  # else others came while the fleet thought
            self.desired.changed = []
        if self.heard.failures:
            self.log("fleet_heard", count=self.heard.failures)
        self.heard.at, self.heard.trouble, self.heard.failures = answer.time, "", 0
        self.heard.refused, self.heard.away, self.heard.renew = "", 0, answer.renew_certificate
        self.heard.polls += 1
        sleep_s = max(min(answer.sleep_s, self.sleep_s_max), SLEEP_S_MIN)
        return answer, sleep_s * (1 + JITTER * (2 * self.chance() - 1))

    def _question(self, health: Health | None, answers: list[CommandAnswer]) -> bytes:
        question = PollQuestion(
            boot=self.life.boot,
            run=self.life.run,
            epoch=self.epoch,
            memo=self.memo,
            desired_version=self.desired.version,
            desired_trouble=self.desired.trouble,
            desired_changed=self.desired.changed,
            health=health,
            answers=answers,
        )
        return msgspec.json.encode(question)

    async def _asked(self, question: bytes) -> PollAnswer:
        path = f"{self.desired.identity.base}/poll"
        told = await self.link.call("POST", path, body=question, deadline_s=POLL_S_MAX)
        try:
            return msgspec.convert(told.body, PollAnswer, strict=False)
        except msgspec.ValidationError as error:
            raise OutcomeUnknown("fleet", f"not an answer: {error}") from None

    def _failed(self, error: HostRefused | OutcomeUnknown) -> float:
        """Seconds until the next try: what was asked for at least, and some more by chance."""
        self.heard.failures += 1
        self.heard.trouble = str(error)
        self.heard.refused = error.code if isinstance(error, HostRefused) else ""
        self.heard.away = self.heard.away + 1 if self.heard.refused == NOT_KNOWN else 0
        if self.heard.failures == 1:
            self.log("fleet_silent", why=str(error))
        grown = min(BACK_OFF_S_MIN * 2 ** min(self.heard.failures - 1, 10), BACK_OFF_S_MAX)
        least = max(error.retry_after_s, REFUSED_S if isinstance(error, HostRefused) else grown)
        return float(least) * (1 + self.chance() / 2)

    def _note_time(self, answer: PollAnswer) -> None:
        try:
            told = datetime.fromisoformat(answer.time)
        except ValueError:
            return
        self.health.clock_offset_ms = round((told - self.now()).total_seconds() * 1000)

    def _see_to(self, answer: PollAnswer, nursery: trio.Nursery) -> None:
        """Everything that it brought, each kind one at a time."""
        self._wanted = answer.desired_version
        for errand in (self._follow, self._obey, *self.errands):
            if errand not in self._busy:
                nursery.start_soon(self._alone, errand, answer)

    async def _alone(self, errand: Errand, answer: PollAnswer) -> None:
        self._busy.add(errand)
        try:
            await errand(answer)
        finally:
            self._busy.discard(errand)

    async def _follow(self, answer: PollAnswer) -> None:
        """Until the settings that are wanted are in force, or are refused."""
        before = (self.desired.version, self.desired.trouble)
        while True:
            async with self.hands:
                again_s = await self.desired.follow(self._wanted)
            if again_s is None:
                break
            await trio.sleep(again_s)
        if (self.desired.version, self.desired.trouble) != before:
            self.sooner()

    async def _obey(self, answer: PollAnswer) -> None:
        async with self.hands:
            if await self.commands.take(answer.commands):
                self.sooner()
