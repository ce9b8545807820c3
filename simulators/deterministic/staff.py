"""Staff in front of the terminal: the cash box, the end of the day, a case, a refund; two people where rules want two.

Each duty is one visit or two, one after another, and sometimes the holder's. Any may end half way: then the next
pair finds what the journal says, and the notes that were taken out in the same bag.
"""

import random
from collections.abc import Iterator

from kiosk.domain.entries import StoredEntry
from kiosk.ports import Number, Question, Role, number_given
from simulators.cards.chip import build_number
from simulators.deterministic.resident import Habits, Resident
from simulators.deterministic.terminal import Life, Terminal

CLERK, SUPERVISOR = "staff_jia", "staff_yi"
STICK = ("stick", "stick")  # where there is a place for one
DUTIES = ("cash_box", "cash_box", "end_of_day", "case", "refund", "refund")
SEAL_DIGITS = 6
GIVEN_BACK_OF = ("settled", "settled_late", "deposited", "deposited_late", "deposit_refused", "refunded_late")
REFUSES_CHANCE = 0.1  # of an approval
BY_CHANCE = ("staff_cases", "staff_close_reason")  # pages of which any row may be chosen
Visit = tuple[str, Habits]


class Staff(Resident):
    """One visit of one of them."""

    async def visit(self, life: Life) -> None:
        try:
            await super().visit(life)
        finally:
            self._terminal.hands.put_box_in()

    def _wanted(self, question: Question) -> str | None:
        name = question.name
        self._terminal.hands.put_box_in()  # an empty one, as soon as the hands are free again
        if isinstance(question.body, Number) and name in self._habits.script:
            return number_given(str(self._habits.script[name]))
        if isinstance(question.body, Number):
            return number_given(self._typed_for(name))
        if name == "staff_open":
            self._terminal.hands.take_box()
        rows = [one.value for one in question.answers if one.role is Role.ROW and one.unavailable is None]
        if name in BY_CHANCE and rows and not self._asked.get(name):
            self._asked[name] = 1
            return self._chance.choice([row for row in rows if row != "split"])
        refuses = any(one.value == "refuse" for one in question.answers)
        if refuses and self._chance.random() < REFUSES_CHANCE:
            return "refuse"
        return super()._wanted(question)

    def _typed_for(self, name: str) -> str:
        """What was counted of the notes in the bag, by hand and without a mistake; else the number of a seal."""
        value = name.removeprefix("staff_count_")
        if value != name:
            return str(self._terminal.hands.bag[int(value) // 100])
        return str(self._chance.randrange(10**SEAL_DIGITS))


def duty(terminal: Terminal, life: Life, chance: random.Random) -> Iterator[Visit]:
    """The visits of one duty, one after another; what the second one does may depend on what the first one did."""
    kind = chance.choice((*DUTIES, *(STICK if terminal.media else ())))
    if kind in ("end_of_day", "stick"):
        yield _visit(chance, CLERK, kind)
        if kind == "stick" and terminal.media:
            terminal.media.carried_to_town(terminal.world, terminal.hosts.get("agency_ledger"), terminal.now)
        return
    about: dict[str, str] = {}
    holder = ""
    if kind == "refund":
        found = _refundable(terminal, life)
        if not found:
            return
        paid = chance.choice(found)
        about, holder = {"staff_refund_number": paid.case_code}, _handle(terminal, paid)
    yield _visit(chance, CLERK, {"case": "cases"}.get(kind, kind), **about)
    yield _visit(chance, SUPERVISOR, "approve")
    if holder:
        yield holder, Habits(service="take_refund", pin="")


def _visit(chance: random.Random, who: str, wanted: str, **script: str) -> Visit:
    walks = chance.randrange(2, 9) if chance.random() < 0.15 else 0
    habits = Habits(service="", pin="135790", walks_after=walks, script={"staff_menu": (wanted, "finish"), **script})
    return who, habits


def _refundable(terminal: Terminal, life: Life) -> list[StoredEntry]:
    return [one for one in life.journal.entries() if one.act in GIVEN_BACK_OF and _handle(terminal, one)]


def _handle(terminal: Terminal, entry: StoredEntry) -> str:
    number = str((entry.facts or {}).get("card_number", ""))
    cards = (card.handle for card in terminal.world.cards if number and build_number(card) == number)
    return next(cards, "")
