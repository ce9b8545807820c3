"""The desk between services and the world: asks questions and watches time, card and keypad while it waits.

Everything that races is here, so that a service reads as the resident lives it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import NoReturn, TypeVar

import trio

from kiosk.basics.race import first_of
from kiosk.domain.receipt import Receipt
from kiosk.l10n import on_paper
from kiosk.ports import (
    HELP,
    Back,
    Chose,
    DeviceFault,
    HostRefused,
    OutcomeUnknown,
    Question,
    ResidentLeft,
    Role,
    Stars,
    Visit,
)
from kiosk.visit.card_slot import CardSlot
from kiosk.visit.fittings import Fittings
from kiosk.visit.opening import Opening
from kiosk.visit.questions import help_called, nobody_there

KEYS_AGAIN_S = 5.0
PLACE_CHARACTERS_MAX = 80  # docs/hosts/agency_duty.yaml

Result = TypeVar("Result")


@dataclass
class Desk(Fittings):
    """Implements ``ports.Kiosk`` for the life of the process; ``visit`` is of one card."""

    visit: Visit = field(init=False)
    card_slot: CardSlot = field(init=False)
    opening: Opening = field(init=False)

    def __post_init__(self) -> None:
        self.card_slot = CardSlot(self.supervisor)
        self.opening = Opening(self.journal, self.clock, self.settings.hours)

    @property
    def live_case(self) -> str:
        """Of the visit that is going on; empty between visits."""
        visit: Visit | None = getattr(self, "visit", None)
        return visit.case_code if visit else ""

    @property
    def live_card(self) -> str:
        visit: Visit | None = getattr(self, "visit", None)
        return visit.identity.card_number if visit else ""

    async def print_receipt(self, receipt: Receipt) -> None:
        paper = on_paper(receipt, self.screen.preferences.language, self.clock.new_key())
        await self.supervisor.device("receipt_printer").print_receipt(paper)
        self.visit.papers += 1
        self.visit.receipts += 1

    async def ask(
        self,
        question: Question,
        *,
        card_needed: bool = True,
        next_card_ends: bool = False,
        patience_s: float | None = None,
    ) -> str:
        watchers: list[Callable[[], Awaitable[object]]] = [self._feed_keys, partial(self._watch_idle, patience_s)]
        if card_needed:
            watchers.append(self.card_slot.end_when_pulled)
        elif next_card_ends:
            watchers.append(self.card_slot.end_when_next_in)
        value = await self._answered(question, watchers)
        if question.answer(value).role is Role.BACK:
            raise Back
        return value

    async def ask_anyone(self, question: Question) -> str:
        """Ask whoever stands there: no visit, no time-out, no card."""
        return await self._answered(question, [self._feed_keys])

    async def wait(
        self, question: Question, job: Callable[[], Awaitable[Result]], *, to_the_end_s: float | None = None
    ) -> Result:
        if to_the_end_s is not None:
            return await self._to_the_end(question, job, to_the_end_s)
        keys_are_ours = not isinstance(question.body, Stars)

        async def answered() -> str:
            return await self._answered(question, [self._feed_keys] if keys_are_ours else [])

        index, ended = await first_of(job, answered, self.card_slot.end_when_pulled)
        if index == 0:
            result: Result = ended
            return result
        if question.answer(ended).role is Role.BACK:
            raise Back
        raise Chose(ended)

    async def wait_same_card(self, question: Question, seconds: float) -> bool:
        self.screen.show(question)
        return await self.card_slot.same_again(self.visit.identity, seconds)

    async def _to_the_end(self, question: Question, job: Callable[[], Awaitable[Result]], seconds: float) -> Result:
        self.screen.show(question)
        with trio.CancelScope(shield=True, deadline=trio.current_time() + seconds):
            return await job()
        raise OutcomeUnknown(question.name, "no end in time")

    async def _answered(self, question: Question, watchers: list[Callable[[], Awaitable[object]]]) -> str:
        while True:
            index, value = await first_of(lambda: self.screen.ask(question), *watchers)
            assert index == 0, "watchers only end by raising"
            if value != HELP:
                return str(value)
            await first_of(lambda: self.help(question), *watchers)

    async def help(self, question: Question) -> None:
        """The resident asked for a person: say truthfully whether one is coming."""
        code = self.clock.new_case_code()
        minutes = await self.call_staff(question.name, code, "help_button")
        await self.screen.ask(help_called(minutes, code) if minutes is not None else nobody_there(self.settings, code))

    async def call_staff(self, screen_name: str, code: str, reason: str) -> int | None:
        """Minutes until staff come, as they acknowledged; None when nobody did."""
        self.journal.record("staff_called", code, question=screen_name, reason=reason)
        terminal = self.settings.terminal
        place = f"{terminal.place_zh} {terminal.terminal_id}"[:PLACE_CHARACTERS_MAX]  # a hall has several machines
        try:
            answer = await self.duty.call_staff(place, screen_name, code, reason)
        except (HostRefused, OutcomeUnknown):
            self.journal.record("staff_silent", code)
            return None
        self.journal.record("staff_acknowledged", code, minutes=answer.minutes)
        return answer.minutes

    # Watchers: each runs until something ends the visit, and then raises.

    async def _feed_keys(self) -> NoReturn:
        """Hand the pad's keys to the screen; a pad that is out of order only costs the keys."""
        while True:
            try:
                pad = self.supervisor.device("pin_pad")
                pad.forget_keys()
                while True:
                    self.screen.key(await pad.next_key())
            except DeviceFault:
                with trio.move_on_after(KEYS_AGAIN_S):  # it may have refused once and be in service all the same
                    await self.supervisor.wait_change()

    async def _watch_idle(self, patience_s: float | None) -> NoReturn:
        timing = self.settings.timing
        began = trio.current_time()
        try:
            while True:
                slow = self.screen.preferences.large or self.screen.preferences.spoken
                allowed = patience_s or (timing.question_slow_s if slow else timing.question_s)
                left = max(began, self.screen.activity) + allowed - trio.current_time()
                if left <= 0:
                    raise ResidentLeft("timeout")
                if left > timing.warning_s:
                    self.screen.warn_idle(None)
                    await trio.sleep(left - timing.warning_s)
                else:
                    self.screen.warn_idle(int(left) + 1)
                    await trio.sleep(min(1.0, left))
        finally:
            self.screen.warn_idle(None)

    async def unattended(self) -> None:
        """Return when nobody has touched anything for as long as a question may stand. No warning: nobody is asked."""
        began = trio.current_time()
        allowed = self.settings.timing.question_slow_s
        while (left := max(began, self.screen.activity) + allowed - trio.current_time()) > 0:  # noqa: ASYNC110 - as _watch_idle
            await trio.sleep(left)
