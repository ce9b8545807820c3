"""Somebody in front of the terminal: puts the card in, answers what is asked, feeds notes, takes what comes out.

What they do is their habits; when they do it is the seed.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

import trio

from kiosk.domain.card import PinPrompt
from kiosk.ports import Number, Question, Role, Stars, Waiting, number_given
from simulators.deterministic.terminal import Life, Terminal

THINK_S = (0.4, 3.0)
LOOK_S = 0.4  # hands at work look so often; otherwise eyes wait for another page
GLANCE_S = 20.0
PATIENCE_S = 60.0  # with a terminal that does not take notice of the card
DONE = "insert_card"
OUTSIDE = (DONE, "out_of_order")
FEED_PAGES = ("feed_notes", "feed_deposit", "feed_contribution", "feed_order_notes")
CARD_PAGES = ("take_card", "card_left", "card_inside")
HAND_PAGES = (*FEED_PAGES, "card_out_while_paying", "bank_pin")
STEADY_S = 2.0  # the welcome page stands this long: the visit is over
ANSWERS_MAX = 60  # whoever presses just anything has had enough then
KIND_S, STAFF_S = 15.0, 150.0  # how long a forgotten card waits for somebody kind, or for staff
VISIT_S_MAX = 3600.0
IN_VAIN_MAX = 12
KEYS = (*"0123456789", "enter", "cancel", "clear")
YUAN = (1, 5, 10, 20, 50, 100)


@dataclass(frozen=True)
class Habits:
    """``script`` answers pages by name, over what the page itself suggests; a value may be a tuple: one each time.

    ``notes``: yuan, in the order in which they are fed. Counts of pages: 0 is never.
    """

    service: str = "settle_medical_bill"
    script: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    pin: str = "246810"
    new_pin: str = ""
    bank_pin: str = "852963"
    wrong_pins: int = 0  # typed before the right one
    never_types: bool = False
    notes: tuple[int, ...] = ()
    walks_after: int = 0  # pages answered, then nothing is touched or taken any more
    leaves_card: bool = False  # and nobody kind comes by, only staff
    pulls_card_at: str = ""
    pulls_after: int = 0  # pages seen
    after_notes: int = 0  # pulls it only once so many are stacked
    card_comes_back: bool = False
    stranger: str = ""  # a card that somebody else puts in while this one is out
    presses_anything: float = 0.0  # chance of an answer, a key or a note at the wrong moment


class Resident:
    """One visit of one person with one card."""

    def __init__(self, terminal: Terminal, card: str, habits: Habits, chance: random.Random) -> None:
        self._terminal, self._habits, self._chance = terminal, habits, chance
        self._chip = terminal.chip_of(card)
        self.pocket = list(habits.notes)
        self.fed: list[int] = []
        self.taken: list[int] = []
        self.gone = False
        self.endless = False  # whether the terminal never came back to its first page
        self._served = False
        self._asked: dict[str, int] = {}
        self._answered = 0
        self._typed = 0
        self._in_vain = 0  # how often the same note was not taken
        self._pulled = False

    # --- the mind -----------------------------------------------------------------------------------------------------

    async def answers(self, question: Question) -> str:
        """What they touch, after a moment; never, when they have gone."""
        await trio.sleep(self._chance.uniform(*THINK_S))
        habits = self._habits
        self.gone = self.gone or self._answered > ANSWERS_MAX
        if habits.walks_after and self._answered >= habits.walks_after:
            self.gone = True
        wanted = None if self.gone else self._wanted(question)
        if wanted is None:
            await trio.sleep_forever()
        assert wanted is not None
        self._answered += 1
        self._terminal.tell(f"touches {wanted!r} on {question.name}")
        return wanted

    def _wanted(self, question: Question) -> str | None:
        offered = [one.value for one in question.answers if one.unavailable is None]
        if offered and self._chance.random() < self._habits.presses_anything:
            if isinstance(question.body, Number):
                return number_given(str(self._chance.randrange(10 ** min(6, question.body.digits_max))))
            return self._chance.choice(offered)
        turn = self._asked.get(question.name, 0)
        self._asked[question.name] = turn + 1
        scripted = self._habits.script.get(question.name)
        if isinstance(scripted, tuple):
            scripted = scripted[min(turn, len(scripted) - 1)]
        if question.name == "menu":
            return self._from_menu(question, offered)
        if scripted is not None:
            return scripted if scripted in offered else None
        hands_do_it = question.name in (DONE, *FEED_PAGES) or isinstance(question.body, Stars | Number | Waiting)
        return None if hands_do_it else _suggested(question, seen=turn > 0)

    def _from_menu(self, question: Question, offered: list[str]) -> str | None:
        if not self._served and self._habits.service in offered:
            self._served = True
            return self._habits.service
        return next((one.value for one in question.answers if one.role is Role.BACK), None)

    async def types(self, prompt: PinPrompt) -> str | None:
        await trio.sleep(self._chance.uniform(1.0, 4.0))
        if self.gone or self._habits.never_types:
            await trio.sleep_forever()
        if prompt is not PinPrompt.CURRENT:
            return self._habits.new_pin or None
        self._typed += 1
        return "999999" if self._typed <= self._habits.wrong_pins else self._habits.pin

    # --- the hands ----------------------------------------------------------------------------------------------------

    async def visit(self, life: Life) -> None:
        """From the card put in until the welcome page stands again, or until the card was fetched by somebody."""
        slot, began = self._terminal.slot, trio.current_time()
        if slot.chip is None:
            slot.insert(self._chip)
        while trio.current_time() - began < VISIT_S_MAX:
            steady = await self._looked(life)
            page = life.page
            if steady and page == DONE and slot.chip is None:
                return
            if self.gone:
                await self._fetched_by_others(life)
            elif steady and page in OUTSIDE and trio.current_time() - began > PATIENCE_S:
                slot.pull()
            else:
                self._act(life, page)
        self._terminal.tell("the visit does not end")
        self.endless = True
        slot.pull()

    async def _looked(self, life: Life) -> bool:
        """Until there is something to do; whether the page stood still meanwhile."""
        page, habits = life.page, self._habits
        busy = not self.gone and (page in HAND_PAGES or habits.presses_anything > 0)
        at_most_s = STEADY_S if page == DONE and self._terminal.slot.chip is None else LOOK_S if busy else GLANCE_S
        with trio.move_on_after(at_most_s) as limit:
            await life.screen.changed.wait()
        return limit.cancelled_caught

    async def _fetched_by_others(self, life: Life) -> None:
        """A card that its holder forgot: somebody kind, or staff, takes it out after a while."""
        if life.page in CARD_PAGES and self._terminal.slot.chip is not None:
            await trio.sleep(STAFF_S if self._habits.leaves_card else KIND_S)
            self._terminal.slot.pull()

    def _act(self, life: Life, page: str) -> None:
        if self._pulls_now(life, page):
            self._pulled = True
            self._terminal.tell("pulls the card")
            self._terminal.slot.pull()
        elif page == "card_out_while_paying":
            self._put_back()
        elif page in FEED_PAGES:
            self._feed(self.pocket)
        elif page == "bank_pin" and self._terminal.pad.lit:
            self._type_bank_pin()
        elif page in CARD_PAGES:
            self._terminal.slot.pull()
        if self._chance.random() < self._habits.presses_anything:
            self._fumble()
            self.gone = self._answered > ANSWERS_MAX
        self.taken += self._terminal.till.take_notes()

    def _type_bank_pin(self) -> None:
        """At the real pad: the driver takes its PIN block over the line."""
        for key in (*self._habits.bank_pin, "enter"):
            self._terminal.press(key)

    def _pulls_now(self, life: Life, page: str) -> bool:
        habits = self._habits
        if self._pulled or self._terminal.till.notes_in < habits.after_notes:
            return False
        return page == habits.pulls_card_at or 0 < habits.pulls_after <= len(life.screen.told) - life.pages_before

    def _put_back(self) -> None:
        if self._terminal.slot.chip is not None:
            return
        if self._habits.stranger:
            self._terminal.slot.insert(self._terminal.cards[self._habits.stranger])
        elif self._habits.card_comes_back:
            self._terminal.slot.insert(self._chip)

    def _feed(self, pocket: list[int], kind: str = "good") -> None:
        till = self._terminal.till
        if pocket and till.accepts:
            before = till.inside_yuan
            if till.insert(pocket[0], kind) and till.inside_yuan != before:
                self._terminal.tell(f"feeds {pocket[0]} yuan")
                self.fed.append(pocket.pop(0))
                self._in_vain = 0
                return
            self._in_vain += 1
            if self._in_vain >= IN_VAIN_MAX:
                self._in_vain = 0
                pocket.pop(0)  # back into the purse

    def _fumble(self) -> None:
        """A key, a note or a bad note, whatever the page says."""
        self._answered += 1
        what = self._chance.randrange(3)
        if what == 0:
            self._terminal.press(self._chance.choice(KEYS))
        else:
            self._feed(
                [self._chance.choice(YUAN)], "good" if what == 1 else self._chance.choice(("fake", "torn", "two"))
            )


def _suggested(question: Question, *, seen: bool) -> str | None:
    """What the page itself would have pressed: its main answer, else the first in the list, else the way out.

    ``seen``: a list that was looked at before is left.
    """
    free = [one for one in question.answers if one.unavailable is None]
    lists = (Role.BACK, Role.TILE, Role.ROW) if seen else (Role.TILE, Role.ROW, Role.BACK)
    for role in (Role.MAIN, *lists, Role.SECOND):
        for one in free:
            if one.role is role:
                return one.value
    return None
