"""Somebody in front of the terminal: puts the card in, answers what is asked, feeds notes, takes what comes out.

What they do is their habits; when they do it is the seed.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

import trio

from kiosk.domain.card import PinPrompt
from kiosk.ports import Number, Question, Role, Stars, Waiting
from simulators.deterministic.terminal import Life, Terminal
from simulators.devices.ccnet_recycler import CcnetBillToBill

THINK_S = (0.4, 3.0)
LOOK_S = 0.25
DONE = "insert_card"
STEADY_S = 2.0  # the welcome page stands this long: the visit is over


@dataclass(frozen=True)
class Habits:
    """``script`` answers pages by name, over what the page itself suggests; a value may be a tuple: one each time."""

    service: str = "settle_medical_bill"
    script: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    pin: str = "246810"
    new_pin: str = ""
    notes: tuple[int, ...] = ()  # yuan, in the order in which they are fed
    walks_away_at: str = ""  # a page that gets no answer, and nothing is taken any more
    pulls_card_at: str = ""
    after_notes: int = 0  # pulls it only once so many are stacked
    card_comes_back: bool = False
    leaves_card: bool = False


class Resident:
    """One visit of one person with one card."""

    def __init__(self, terminal: Terminal, card: str, habits: Habits, chance: random.Random) -> None:
        self._terminal, self._habits, self._chance = terminal, habits, chance
        self._chip = terminal.cards[card]
        self.pocket = list(habits.notes)
        self.fed: list[int] = []
        self.taken: list[int] = []
        self.gone = False
        self._served = False
        self._asked: dict[str, int] = {}
        self._pulled = False

    # --- the mind -----------------------------------------------------------------------------------------------------

    async def answers(self, question: Question) -> str:
        """What they touch, after a moment; never, when they have gone."""
        await trio.sleep(self._chance.uniform(*THINK_S))
        if self.gone or question.name == self._habits.walks_away_at:
            self.gone = self.gone or question.name != DONE
            await trio.sleep_forever()
        wanted = self._wanted(question)
        if wanted is None:
            await trio.sleep_forever()
        assert wanted is not None
        return wanted

    def _wanted(self, question: Question) -> str | None:
        scripted = self._habits.script.get(question.name)
        if isinstance(scripted, tuple):
            turn = self._asked.get(question.name, 0)
            self._asked[question.name] = turn + 1
            scripted = scripted[min(turn, len(scripted) - 1)]
        offered = [one.value for one in question.answers if one.unavailable is None]
        if question.name == "menu":
            return self._from_menu(question, offered)
        if scripted is not None:
            return scripted if scripted in offered else None
        hands_do_it = question.name in (DONE, "feed_notes") or isinstance(question.body, Stars | Number | Waiting)
        return None if hands_do_it else _suggested(question)

    def _from_menu(self, question: Question, offered: list[str]) -> str | None:
        if not self._served and self._habits.service in offered:
            self._served = True
            return self._habits.service
        return next((one.value for one in question.answers if one.role is Role.BACK), None)

    async def types(self, prompt: PinPrompt) -> str | None:
        await trio.sleep(self._chance.uniform(1.0, 4.0))
        if self.gone:
            await trio.sleep_forever()
        return self._habits.pin if prompt is PinPrompt.CURRENT else self._habits.new_pin or None

    # --- the hands ----------------------------------------------------------------------------------------------------

    async def visit(self, life: Life) -> None:
        """From the card put in until the welcome page stands again; whoever walked away is not waited for."""
        slot = self._terminal.slot
        if slot.chip is None:
            slot.insert(self._chip)
        steady_s = 0.0
        while steady_s < STEADY_S:
            await trio.sleep(LOOK_S)
            page = life.screen.standing.name if life.screen.standing else ""
            if not self.gone:
                self._act(page)
            elif page in ("card_left", "take_card") and not self._habits.leaves_card:
                self._terminal.slot.pull()  # somebody kind, or staff
            steady_s = steady_s + LOOK_S if page == DONE and slot.chip is None else 0.0

    def _act(self, page: str) -> None:
        due = page == self._habits.pulls_card_at and self._terminal.cash.counter >= self._habits.after_notes
        if due and not self._pulled:
            self._pulled = True
            self._terminal.slot.pull()
        elif page == "card_out_while_paying" and self._habits.card_comes_back:
            if self._terminal.slot.chip is None:
                self._terminal.slot.insert(self._chip)
        elif page == "feed_notes":
            self._feed()
        elif page in ("take_card", "card_left"):
            self._terminal.slot.pull()
        self.take_notes()

    def _feed(self) -> None:
        cash = self._terminal.cash
        if self.pocket and cash.accepts:
            before = inside_yuan(cash)
            if cash.insert(self.pocket[0]) and inside_yuan(cash) != before:
                self.fed.append(self.pocket.pop(0))

    def take_notes(self) -> None:
        self.taken += self._terminal.cash.take_notes()


def _suggested(question: Question) -> str | None:
    """What the page itself would have pressed: its main answer, else the first in the list, else the way out."""
    free = [one for one in question.answers if one.unavailable is None]
    for roles in ((Role.MAIN,), (Role.TILE, Role.ROW), (Role.BACK,), (Role.SECOND,)):
        for one in free:
            if one.role in roles:
                return one.value
    return None


def inside_yuan(cash: CcnetBillToBill) -> int:
    """All that is behind the flap of a recycler: box, cassettes, what is on its way in or out."""
    stored = sum(cash.types[kind] * count for kind, count in cash.cassettes)
    moving = [*cash.dispenser, *([] if cash._note is None else [cash._note])]
    return stored + sum(cash.box) + sum(cash.types[kind] for kind in moving)
