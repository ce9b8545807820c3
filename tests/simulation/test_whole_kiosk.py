"""The whole kiosk in memory, cut after every effect: real services, session, drivers, codecs, clients and journal."""

import random
from collections.abc import Callable

import pytest

from simulators.deterministic.resident import Habits
from simulators.deterministic.terminal import Life, Terminal
from tests.simulation.plans import Lived, Prepare, WholePlan, live_plan

CountCuts = Callable[[str, int], None]


def _at_2207(change: Callable[[Terminal], str | None]) -> Prepare:
    """What the first 2207 of a life meets just before it arrives; what ``change`` returns is its fate on the way."""

    def prepare(terminal: Terminal, life: Life) -> None:
        terminal.weather.clear()
        life.links["medical_insurance"].before["2207"] = lambda: change(terminal)

    return prepare


def _platform(**behaviour: object) -> Prepare:
    def prepare(terminal: Terminal, life: Life) -> None:
        for name, value in behaviour.items():
            setattr(terminal.hosts["medical_insurance"].behaviour, name, value)

    return prepare


def _refuses(terminal: Terminal) -> None:
    terminal.weather.change(refuse_code="not_today", only=frozenset({"medical_insurance"}))


def _books_silently(terminal: Terminal) -> None:
    terminal.weather.change(platform_silent=True)


def _hospital_loses(label: str, fate: str) -> Prepare:
    """The first such call of each life, once."""

    def prepare(terminal: Terminal, life: Life) -> None:
        before = life.links["hospital"].before
        before[f"hospital {label}"] = lambda: [fate, before.pop(f"hospital {label}")][0]

    return prepare


def _jams(terminal: Terminal, life: Life) -> None:
    terminal.cash.faults.add("dispense_jams")
    terminal.cash_harmed = True


def _note_jams(terminal: Terminal, life: Life) -> None:
    terminal.cash.faults.add("stack_jams")
    terminal.cash_harmed = True


def _no_paper(terminal: Terminal, life: Life) -> None:
    life.links["medical_insurance"].before["2207"] = lambda: terminal.printer.faults.add("paper_out")


def _at_bank(label: str, fate: str) -> Prepare:
    """The first such message of a life, once."""

    def prepare(terminal: Terminal, life: Life) -> None:
        assert life.bank_line is not None
        before = life.bank_line.before
        before[label] = lambda: [fate, before.pop(label)][0]

    return prepare


def _bank_falls_silent(terminal: Terminal, life: Life) -> None:
    assert life.bank_line is not None
    life.bank_line.before["bank 0200"] = lambda: terminal.weather.change(bank_silent=True)


BY_CARD = Habits(script={"choose_bill": "20261120011", "choose_means": "bank_card"})
CARD_THEN_NOTES = Habits(notes=(100, 50), script={"choose_means": "bank_card", "card_not_paid": "cash"})
CARD_THEN_NOTHING = Habits(script={"choose_means": "bank_card", "card_not_paid": "undo"})
PLANS = (
    WholePlan("by cash with change"),
    WholePlan("by cash, the rest below the smallest note", habits=Habits(notes=(100, 20, 5, 1, 1)), ends="debt_owed"),
    WholePlan("by account alone", card="wang_xiulan", habits=Habits()),
    WholePlan(
        "by account alone, 2207 booked and never answered",
        card="wang_xiulan",
        habits=Habits(),
        prepare=_at_2207(_books_silently),
    ),
    WholePlan("2207 refused", prepare=_at_2207(_refuses), ends="settle_refused"),
    WholePlan("2207 booked and never answered", prepare=_at_2207(_books_silently)),
    WholePlan("2207 lost on the way", prepare=_at_2207(lambda terminal: "lose_question"), ends="settle_handed_over"),
    WholePlan("2207's answer lost on the way", prepare=_at_2207(lambda terminal: "lose_answer")),
    WholePlan("2207 arrives twice", prepare=_at_2207(lambda terminal: "twice")),
    WholePlan("2601 overtakes 2207", prepare=_platform(overtaken=True)),
    WholePlan("2207 says other figures, and enough is inside", prepare=_platform(settles_differently=True)),
    WholePlan(
        "2207 says other figures, refused",
        habits=Habits(notes=(100, 50), script={"figures_changed": "refuse"}),
        prepare=_platform(settles_differently=True),
        ends="voided",
    ),
    WholePlan("a platform that books twice", prepare=_platform(on_repeat="book_twice")),
    WholePlan(
        "the resident stops with notes inside",
        habits=Habits(notes=(100,), script={"feed_notes": ("wait", "stop")}),
        ends="settlement_undone",
    ),
    WholePlan("the resident waits with notes inside", habits=Habits(notes=(100,)), ends="debt_owed"),
    WholePlan(
        "the card is pulled with notes inside, and comes back",
        habits=Habits(notes=(100, 50), pulls_card_at="feed_notes", after_notes=1, card_comes_back=True),
    ),
    WholePlan(
        "the card is pulled with notes inside, for good",
        habits=Habits(notes=(100, 50), pulls_card_at="feed_notes", after_notes=1),
        ends="debt_owed",
    ),
    WholePlan("the answer to the payment notice is lost", prepare=_hospital_loses("payments", "lose_answer")),
    WholePlan(
        "nobody says whether the bill is still held",
        prepare=_hospital_loses("claims/extend", "lose_answer"),
        ends="settlement_undone",
    ),
    WholePlan("the change jams in the dispenser", prepare=_jams, ends="dispense_uncertain"),
    WholePlan("by bank card", card="li_jianguo", habits=BY_CARD, bank=True),
    WholePlan(
        "0200 booked and never answered",
        card="li_jianguo",
        habits=BY_CARD,
        bank=True,
        prepare=_at_bank("bank 0200", "lose_answer"),
        ends="bank_reversed",
    ),
    WholePlan(
        "0200 lost on the way",
        card="li_jianguo",
        habits=BY_CARD,
        bank=True,
        prepare=_at_bank("bank 0200", "lose_question"),
        ends="bank_suspended",
    ),
    WholePlan(
        "0200 and its reversals never answered",
        card="li_jianguo",
        habits=BY_CARD,
        bank=True,
        prepare=_bank_falls_silent,
        ends="bank_suspended",
    ),
    WholePlan("the bank refuses, and notes pay", card="zhao_min", habits=CARD_THEN_NOTES, bank=True),
    WholePlan(
        "the bank refuses, and the resident goes",
        card="zhao_min",
        habits=CARD_THEN_NOTHING,
        bank=True,
        ends="voided",
    ),
    WholePlan(
        "the card is pulled while the bank is asked",
        card="li_jianguo",
        habits=Habits(script=BY_CARD.script, pulls_card_at="bank_asking"),
        bank=True,
        ends="voided",
    ),
    WholePlan("a note jams on its way to the box", prepare=_note_jams, ends="note_uncertain"),
    WholePlan("the paper is out when the receipt is due", prepare=_no_paper, ends="receipt_not_confirmed"),
)


EVERY = 23  # of the prefixes is lived in `make test`, each plan from another one on; all of them in `make slow`


_uncut: dict[str, Lived] = {}


def _uncut_life(plan: WholePlan) -> Lived:
    """Lived once for all tests of a run."""
    if plan.name not in _uncut:
        _uncut[plan.name] = live_plan(plan)
    return _uncut[plan.name]


def _cut_and_judged(plan: WholePlan, places: range) -> int:
    """How many of these places cut a life short; every one of them must be explained afterwards."""
    cuts = 0
    for cut_at in places:
        lived = live_plan(plan, cut_at)
        assert lived.violations == [], (cut_at, lived.effects[-3:], lived.acts)
        cuts += lived.cut
    return cuts


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
def test_uncut_life_leaves_clean_books(plan: WholePlan) -> None:
    """Without any cut the story ends as planned, and every book agrees with every other."""
    lived = _uncut_life(plan)
    assert not lived.cut
    assert lived.violations == []
    assert plan.ends in lived.acts, lived.acts


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
def test_some_prefixes_are_explained(plan: WholePlan, count_cuts: CountCuts) -> None:
    """Whatever effect was the last one, every book agrees after recovery, and recovery pays nobody."""
    effects = len(_uncut_life(plan).effects)
    cuts = _cut_and_judged(plan, range(PLANS.index(plan) % EVERY, effects, EVERY))
    count_cuts(f"whole kiosk: {plan.name}", cuts)
    assert cuts > effects // EVERY // 2, "the fuse must really burn"


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
def test_every_prefix_is_explained(plan: WholePlan, count_cuts: CountCuts) -> None:
    """The same after every single effect: each sync, each command to a device, each question, each answer."""
    effects = len(_uncut_life(plan).effects)
    cuts = _cut_and_judged(plan, range(effects))
    count_cuts(f"whole kiosk: {plan.name}", cuts)
    assert cuts > effects // 2, "the fuse must really burn"


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
def test_sectors_in_doubt_fall_either_way(plan: WholePlan, count_cuts: CountCuts) -> None:
    """A commit whose sync the power interrupts stands or does not, torn or out of order: three times each by seed."""
    effects = _uncut_life(plan).effects
    commits = [place for place, effect in enumerate(effects) if effect.startswith("sync")]
    for place in commits:
        for seed in (2, 3, 4):
            lived = live_plan(plan, place, seed=seed)
            assert lived.violations == [], (place, seed, lived.effects[-3:], lived.acts)
    count_cuts(f"whole kiosk, sectors in doubt: {plan.name}", 3 * len(commits))
    assert len(commits) > 5


@pytest.mark.parametrize("plan", PLANS[::5], ids=lambda plan: plan.name)
def test_power_that_fails_again_and_again(plan: WholePlan, count_cuts: CountCuts) -> None:
    """A recovery that is itself cut, twice, at seeded places, leaves books that agree all the same."""
    chance = random.Random(plan.name)
    effects = len(_uncut_life(plan).effects)
    cuts = 0
    for _ in range(4):
        lived = live_plan(plan, chance.randrange(effects), (chance.randrange(12), chance.randrange(12)))
        assert lived.violations == [], (lived.effects[-3:], lived.acts)
        cuts += lived.cut
    assert cuts, "the fuse must really burn"
    count_cuts(f"whole kiosk, again and again: {plan.name}", 3 * cuts)
