"""One history: twelve residents one after another, faults and power cuts, and then every book is judged."""

import hashlib
import random
import tempfile
import traceback
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import trio

from kiosk.domain.card import PinPrompt
from kiosk.ports import Question
from kiosk.settings.config import Settings
from simulators.deterministic.busy_world import PAYERS, busy_world
from simulators.deterministic.chance import run_seeded
from simulators.deterministic.checks import violations
from simulators.deterministic.cuts import Cuts
from simulators.deterministic.faults import CLOCKS, FAULTS, HARM_CASH, Trouble
from simulators.deterministic.fitting import Pace
from simulators.deterministic.kept import (
    CAUGHT_UP_S,
    Words,
    acknowledged_is_kept,
    last_words,
    nothing_is_reset_unacknowledged,
    second_medium_holds,
)
from simulators.deterministic.known import not_known_yet
from simulators.deterministic.office import staff_office
from simulators.deterministic.quirks import with_quirk
from simulators.deterministic.resident import Habits, Resident
from simulators.deterministic.staff import Staff, duty
from simulators.deterministic.strikes import STRIKES
from simulators.deterministic.terminal import MORNING, Life, Terminal
from simulators.deterministic.tills import FITTINGS
from simulators.deterministic.years_later import years_later

SESSIONS = 12
CALM = Pace(cash_s=0.8, printer_s=20.0, pad_s=60.0)
# Of a hundred sessions.
MIX = (
    ("query_account", 64),
    ("report_loss", 1),
    ("print_certificate", 15),
    ("change_pin", 5),
    ("settle_medical_bill", 7),
    ("pay_inpatient_deposit", 2),
    ("pay_contributions", 2),
    ("collect_money", 2),
    ("collect_receipt", 1),
    ("take_refund", 1),
)
MONEY = (
    "settle_medical_bill",
    "pay_inpatient_deposit",
    "pay_contributions",
    "collect_money",
    "collect_receipt",
    "take_refund",
)
BY_MEANS, BY_NOTES = ("settle_medical_bill", "pay_inpatient_deposit"), ("pay_contributions",)
LOADED = {1: 24, 10: 18, 50: 6}
PAUSE_S = (2.0, 16.0)
FAULT_PAUSE_S = (6.0, 18.0, 70.0)  # between faults on average: a bad day, a usual one, a good one
CUT_CHANCE, CUT_CHANCE_MONEY = 0.15, 0.4  # of a session; where all are about money
KILLED_CHANCE = 0.25  # of a cut: the process alone, and everything else keeps its power
DIFFERENTLY_CHANCE, NO_BATTERY_CHANCE = 0.15, 0.25  # of a history
# Hosts of which nothing is heard until the end: the whole village, the insurance alone, nobody.
ALL_HOSTS = ("social_insurance", "card_platform", "agency", "hospital", "medical_insurance", "agency_ledger", "bank")
NOBODY_KNOWS_CARDS = ("card_platform", "medical_insurance", "social_insurance")
DARK_DAYS: tuple[tuple[str, ...], ...] = (
    ALL_HOSTS,
    ("medical_insurance", "social_insurance"),
    NOBODY_KNOWS_CARDS,
    *[()] * 6,
)
CLOCKS_IN_THE_DARK = 4  # times as often
MEDIA_CHANCE = 0.25  # of a history: whether it has a second medium, and a place for a stick
LEDGER_CHANCE = 0.25  # of a history: whether its rows are copied to the agency
HARM_CHANCE = 0.1  # of a history
ON_REPEAT = ("dedupe", "dedupe", "dedupe", "refuse", "book_twice")  # how platforms take a message that they know
QUIET_S_MAX = 150.0
SLOTS_S_MAX = 120.0
WANT_STAFF = ("notes_in_dispenser",)  # somebody must put it right by hand
SERVED_S_MAX = 400.0  # after the last fault has ended
STAFF_CHANCE = 0.06  # before a session: staff come first
FEW_KINDS_CHANCE, FEW_KINDS = 0.4, 10  # of a history: the same few things go wrong again and again
REGULAR_CHANCE, REGULARS = 0.5, 2  # of a session about money: somebody of the same household comes once more
FORGETS_EVERY = 5  # seeds: it takes two looks at all months
TAKES_BACK_CHANCE = 0.5  # of a session: whoever finds that they left something here takes it back
# Of who reported a card: it is found again by the next time. Of the others, where nobody knows cards: it is missed.
FOUND_AGAIN_CHANCE, MISSED_CHANCE = 0.6, 0.06
ODD_CHANCE, LISTED_CHANCE = 0.06, 0.25  # of a session; of one where nobody but the list knows the card
ORDINARY = ("wang_xiulan", "li_jianguo", "zhao_min", "long_name", "rare_xi", "spec_1", "spec_3", "child", "initial_pin")
ODD = ("expired", "locked", "one_try", "lost", "sealed", "counterfeit", "mute", "paused", "unknown_state")
LISTED = ("lost", "temporarily_lost", "sealed")
IN_THE_DARK = ("pay_contributions", "pay_contributions", "report_loss")
NEW_PIN = "314159"
LAST = "rare_ji"  # comes when all is over, and must be served


@dataclass(frozen=True)
class Limits:
    """What a shorter telling of the same seed leaves out.

    ``only_money``: every resident comes about money. ``disk_lies``: a sync does nothing, and the checks must find it.
    """

    sessions: int = SESSIONS
    kinds: tuple[str, ...] | None = None  # of faults; None: all
    cuts: bool = True
    only_money: bool = False
    disk_lies: bool = False


@dataclass
class Told:
    """How a history went. ``digest`` is over its whole story: the same on every machine."""

    seed: int
    sessions: Counter[str] = field(default_factory=Counter)
    power_cuts: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)  # of the journal
    violations: list[str] = field(default_factory=list)
    story: list[str] = field(default_factory=list)

    @property
    def digest(self) -> str:
        return hashlib.sha256("\n".join(self.story).encode()).hexdigest()


def live_history(seed: int, limits: Limits = Limits()) -> Told:
    """Live it in a new world, in virtual time."""
    staff_office(MORNING)
    scratch = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a scratch folder in memory
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        history = _History(seed, Path(folder), limits)
        try:
            return run_seeded(seed, history.live)
        except ExceptionGroup as group:
            # A programmer's error ends the process in the field, too; a history that ends so is a finding, not a crash.
            return history.ended_by(group)


class _History:
    def __init__(self, seed: int, folder: Path, limits: Limits) -> None:
        self._limits, self._folder = limits, folder
        self._seed = seed
        self._chance = random.Random(f"{seed} residents")
        self._told = Told(seed)
        self._left = limits.sessions
        self._pins: dict[str, str] = {}
        self._resident: Resident | None = None
        self._words: tuple[Words, Settings] | None = None  # the agency's, where its copies are judged
        self._regulars = self._chance.sample(PAYERS, REGULARS)
        self._mind_changes = random.Random(f"{seed} minds")
        self._reported = ""  # the card of whoever came last, if it was to report it

    async def live(self) -> Told:
        fitting = random.Random(f"{self._seed} fitting")
        till, ledger = fitting.choice(FITTINGS)(), fitting.random() < LEDGER_CHANCE
        media = fitting.random() < MEDIA_CHANCE
        terminal = self._terminal = Terminal(
            self._seed,
            busy_world(),
            self._folder,
            CALM,
            bank=True,
            till=till,
            ledger=ledger,
            office=staff_office(MORNING),
            media=media,
        )
        often = CUT_CHANCE_MONEY if self._limits.only_money else CUT_CHANCE
        self._cuts = Cuts(self._seed, terminal.fuse, self._chance, often, ever=self._limits.cuts)
        platform = terminal.hosts["medical_insurance"].behaviour
        platform.on_repeat = fitting.choice(ON_REPEAT)
        platform.settles_differently = fitting.random() < DIFFERENTLY_CHANCE
        terminal.network.dark_hosts = frozenset(fitting.choice(DARK_DAYS))
        terminal.clock_has_battery = fitting.random() >= NO_BATTERY_CHANCE
        try:
            terminal.load_cash(LOADED)
            terminal.fuse.armed = True
            terminal.disk.lies = self._limits.disk_lies
            async with trio.open_nursery() as world:
                world.start_soon(terminal.run_world)
                await self._days(self._trouble())
                await self._judgement()
                world.cancel_scope.cancel()
        finally:
            terminal.close()
        self._told.story = terminal.story
        return self._told

    def ended_by(self, group: BaseExceptionGroup[BaseException]) -> Told:
        first: BaseException = group
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        where = traceback.extract_tb(first.__traceback__)[-1]
        self._told.violations.append(f"process_ended: {first!r} at {Path(where.filename).name}:{where.lineno}")
        self._told.story = self._terminal.story
        return self._told

    def _trouble(self) -> Trouble:
        chance = random.Random(f"{self._seed} faults")
        harm = chance.random() < HARM_CHANCE
        # Where no host says what time it is, nothing holds a clock.
        clocks = CLOCKS * CLOCKS_IN_THE_DARK if self._terminal.network.dark_hosts else ()
        kinds = (*FAULTS, *STRIKES, *clocks, "dark", *(HARM_CASH if harm else ()))
        if self._terminal.hosts["medical_insurance"].behaviour.on_repeat == "book_twice":
            # What the wire says twice such a platform books twice, and only its day's detail tells (money-rules 2).
            kinds = tuple(kind for kind in kinds if kind != "questions repeated")
        kinds = tuple(chance.sample(kinds, FEW_KINDS)) if chance.random() < FEW_KINDS_CHANCE else kinds
        chosen = self._limits.kinds
        return Trouble(self._terminal, chance, kinds if chosen is None else tuple(k for k in kinds if k in chosen))

    async def _days(self, trouble: Trouble) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trouble.run, self._chance.choice(FAULT_PAUSE_S))
            while self._left:
                if await self._terminal.live(self._answers, self._types, partial(self._sessions, trouble)):
                    self._power_was_cut()
            nursery.cancel_scope.cancel()
        trouble.clear()
        self._told.faults = trouble.counted + Counter(self._terminal.network.happened)

    def _power_was_cut(self) -> None:
        """Whoever stood there goes, most with their card; the next one may be another (rule 17)."""
        self._told.power_cuts += 1
        self._cuts.light_again()
        if self._chance.random() < 0.8:
            self._terminal.slot.pull()

    # --- residents ----------------------------------------------------------------------------------------------------

    async def _answers(self, question: Question) -> str:
        if self._resident is None:
            await trio.sleep_forever()
        assert self._resident is not None
        return await self._resident.answers(question)

    async def _types(self, prompt: PinPrompt) -> str | None:
        assert self._resident is not None
        return await self._resident.types(prompt)

    async def _sessions(self, trouble: Trouble, life: Life) -> None:
        while self._left:
            self._resident = None
            self._terminal.slot.pull()
            self._terminal.hands.put_box_in()
            await trio.sleep(self._chance.uniform(*PAUSE_S))
            self._left -= 1
            if self._chance.random() < STAFF_CHANCE:
                await self._duty(life)
            card, habits = self._somebody()
            self._told.sessions[habits.service] += 1
            in_notes = habits.service in (BY_MEANS if habits.script["choose_means"] == "cash" else ()) + BY_NOTES
            self._cuts.light_for_session(in_notes=in_notes)
            self._terminal.kiosk_dies_alone = self._chance.random() < KILLED_CHANCE and not self._cuts.of_power
            self._terminal.tell(f"{card} comes for {habits.service}")
            await self._visit(life, card, habits)
            self._cuts.put_out()
        trouble.clear()
        await self._slots_come_back(life)

    async def _slots_come_back(self, life: Life) -> None:
        """Whatever ended a driver in this life: its slot is filled again, without any restart of the kiosk. A jam is no
        such end, and lasts as long as its note is where it is: somebody is sent there first."""
        self._terminal.slot.pull()
        if self._terminal.till.free_jam():
            self._terminal.tell("a jam is freed")
        supervisor = life.desk.supervisor
        with trio.move_on_after(SLOTS_S_MAX):
            while supervisor.unusable(tuple(supervisor.slots)):
                await supervisor.wait_change()
        for slot in supervisor.slots.values():
            if not slot.usable and slot.health.reason not in WANT_STAFF:
                self._told.violations.append(f"back_in_service: {slot.name} stays {slot.health}")

    async def _duty(self, life: Life) -> None:
        """Staff come, between two residents; the power may go here, too."""
        for card, habits in duty(self._terminal, life, self._chance):
            self._cuts.light_for_staff()
            self._terminal.tell(f"{card} comes")
            if card in self._terminal.staff_cards:
                self._resident = Staff(self._terminal, card, habits, self._chance)
                await self._stood(life)
            else:
                await self._visit(life, card, replace(habits, pin=self._pin_of(card)))
            self._resident = None
            await trio.sleep(self._chance.uniform(*PAUSE_S))

    async def _visit(self, life: Life, card: str, habits: Habits) -> None:
        self._resident = Resident(self._terminal, card, habits, self._chance)
        await self._stood(life)
        chip = self._terminal.cards[card]
        self._pins[card] = next((pin for pin in (habits.pin, NEW_PIN) if chip.accepts_pin(pin)), habits.pin)

    async def _stood(self, life: Life) -> None:
        assert self._resident is not None
        life.pages_before = len(life.screen.told)
        await self._resident.visit(life)
        if self._resident.endless:
            self._told.violations.append(f"every_visit_ends: somebody still stands before {life.page}")

    def _pin_of(self, card: str) -> str:
        return self._pins.get(card, busy_world().card(card).pin)

    def _somebody(self) -> tuple[str, Habits]:
        chance = self._chance
        mix = [one for one in MIX if one[0] in MONEY or not self._limits.only_money]
        service = chance.choices([name for name, _ in mix], [weight for _, weight in mix])[0]
        card = self._card_for(service)
        if card in LISTED and "card_platform" in self._terminal.network.dark_hosts:
            service = chance.choice(IN_THE_DARK)
        service, card = self._lost_or_found(service, card)
        pin = self._pin_of(card)
        notes = tuple(chance.choice((100, 100, 50, 20, 10)) for _ in range(12))
        script = {"choose_means": chance.choice(("cash", "bank_card"))}
        if self._mind_changes.random() < TAKES_BACK_CHANCE:
            script |= {"order_already_left": "take_back", "loss_queued_before": "take_back"}
        habits = Habits(service=service, pin=pin, new_pin=NEW_PIN, notes=notes, script=script)
        return card, with_quirk(habits, chance, ORDINARY)

    def _lost_or_found(self, service: str, card: str) -> tuple[str, str]:
        """Who reported a card comes back with it, takes the report back, or misses it again; some report one that is in
        their hand."""
        minds, dark = self._mind_changes, "card_platform" in self._terminal.network.dark_hosts
        if self._reported and minds.random() < FOUND_AGAIN_CHANCE:
            service, card = "report_loss", self._reported
        elif dark and minds.random() < MISSED_CHANCE:
            service = "report_loss"
        self._reported = card if service == "report_loss" else ""
        return service, card

    def _card_for(self, service: str) -> str:
        chance = self._chance
        if "card_platform" in self._terminal.network.dark_hosts and chance.random() < LISTED_CHANCE:
            return chance.choice(LISTED)
        if chance.random() < ODD_CHANCE:
            return chance.choice(ODD)
        if service in MONEY and chance.random() < REGULAR_CHANCE:
            return chance.choice(self._regulars)
        return chance.choice(PAYERS if service in MONEY else ORDINARY)

    # --- the end ------------------------------------------------------------------------------------------------------

    async def _judgement(self) -> None:
        """All faults have ended: the terminal serves again within bounded time, and the books are compared."""
        self._cuts.put_out()
        self._terminal.slot.pull()
        await self._terminal.live(self._answers, self._types, self._last)
        if self._words:
            self._told.violations += nothing_is_reset_unacknowledged(self._terminal, *self._words)

    async def _last(self, life: Life) -> None:
        self._resident = None
        with trio.move_on_after(QUIET_S_MAX):
            await trio.sleep(20.0)
            while life.books.unsent().count or life.journal.open_effects():  # noqa: ASYNC110 - of virtual time
                await trio.sleep(5.0)
        with trio.move_on_after(SERVED_S_MAX) as limit:
            await self._visit(life, LAST, Habits(service="query_account", pin=self._pins.get(LAST, "246810")))
        served = life.journal.last("service_ended")
        if limit.cancelled_caught or served is None or (served.facts or {}).get("outcome") != "done":
            self._told.violations.append("back_in_service: nobody is served after the faults have ended")
        self._told.violations += [*violations(life), *not_known_yet(life), *self._terminal.watch.broken]
        self._told.acts.update(entry.act for entry in life.journal.entries())
        if self._terminal.media:
            await self._copies(life)
        elif self._seed % FORGETS_EVERY == 0:
            self._told.violations += await years_later(life, self._told.acts)

    async def _copies(self, life: Life) -> None:
        settings, up_to = life.forwarding.settings, life.journal.entries()[-1].seq
        await trio.sleep(CAUGHT_UP_S)
        self._told.violations += [*second_medium_holds(life, up_to), *acknowledged_is_kept(life, settings)]
        self._words = last_words(life, life.journal.entries()), settings
