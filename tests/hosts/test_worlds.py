"""The demo world holds what it promises, and the format is what its README says."""

import re
from pathlib import Path

import pytest

from kiosk.domain.identity import MIDDLE_DOT, card_number_checks, citizen_number_checks
from simulators.hosts.ledger import INSURANCES, unrolled
from simulators.worlds.world import Card, Resident, World, WorldError, load_world
from tests.hosts.conftest import WORLDS

DEMO = load_world(WORLDS / "demo.toml")


@pytest.mark.parametrize("name", ["demo.toml", "tiny.toml"])
def test_world_is_consistent(name: str) -> None:
    """Handles and numbers are unique, numbers pass their check digits, and nobody can be a living person."""
    world = load_world(WORLDS / name)
    for things in (
        [one.handle for one in world.residents],
        [one.number for one in world.residents],
        [one.handle for one in world.cards],
        [one.number for one in world.cards],
    ):
        assert len(set(things)) == len(things)
    assert all(card_number_checks(card.number) for card in world.cards)
    for resident in world.residents:
        invented = resident.number.startswith("990001") and citizen_number_checks(resident.number)
        assert invented or resident.number.startswith("XXA")
        assert set(resident.insurances) <= set(INSURANCES)


def test_first_card_is_an_ordinary_pensioner() -> None:
    """Whoever opens the demo meets an elderly woman with a pension and a working card."""
    card = DEMO.cards[0]
    resident = DEMO.resident(card.resident)
    assert (resident.sex, resident.born < "1960", bool(resident.benefits)) == ("2", True, True)
    assert (card.spec, card.pin_state, card.platform_state) == ("2.00", "set", "normal")


def resident_of(handle: str) -> Resident:
    return DEMO.resident(DEMO.card(handle).resident)


HARD = {
    "a name of 30 bytes with the middle dot": lambda: (
        len(resident_of("long_name").name.encode("gb18030")) == 30 and MIDDLE_DOT in resident_of("long_name").name
    ),
    "a name that continues under 4E": lambda: len(resident_of("longer_name").name.encode("gb18030")) > 30,
    "the rare glyphs": lambda: set("㐂𠮷䶮𪚥") <= {char for one in DEMO.residents for char in one.name},
    "an empty name": lambda: resident_of("empty_name").name == "",
    "a child": lambda: resident_of("child").born > "2012",
    "a foreigner": lambda: len(resident_of("foreigner").number) == 15,
    "cards of all three specs": lambda: {card.spec for card in DEMO.cards} == {"1.00", "2.00", "3.00"},
    "malformed dates": lambda: bytes.fromhex(DEMO.card("bad_dates").raw["05"]) == b"2012",
    "an expired card": lambda: DEMO.card("expired").expires < "20260101",
    "a locked PIN": lambda: DEMO.card("locked").tries_left == 0,
    "one try left": lambda: DEMO.card("one_try").tries_left == 1,
    "the initial PIN": lambda: _pin(DEMO.card("initial_pin")) == ("initial", "123456"),
    "a PIN never set": lambda: DEMO.card("pin_unset").pin_state == "unset",
    "a lost card": lambda: DEMO.card("lost").platform_state == "lost",
    "a temporarily lost card": lambda: DEMO.card("temporarily_lost").platform_state == "temporarily_lost",
    "a sealed card": lambda: DEMO.card("sealed").platform_state == "sealed",
    "paused insurance": lambda: {one.state for one in resident_of("paused").insurances.values()} == {"paused"},
    "a counterfeit chip": lambda: DEMO.card("counterfeit").counterfeit,
    "a mute chip": lambda: DEMO.card("mute").mute,
    "benefits": lambda: len(resident_of("wang_xiulan").benefits) > 12,
    "five insurances over 13 months": lambda: len(unrolled(resident_of("li_jianguo"))) >= 5 * 13,
    "the residents' scheme": lambda: set(resident_of("zhao_min").insurances) == {"pension", "medical"},
    "huge amounts": lambda: resident_of("huge").pension_fen > 10**14,
    "a month that did not arrive": lambda: any(not one.arrived for one in unrolled(resident_of("bad_dates"))),
}


def _pin(card: Card) -> tuple[str, str]:
    return card.pin_state, card.pin


@pytest.mark.parametrize("case", HARD)
def test_demo_holds_every_hard_case(case: str) -> None:
    """The rack holds this case."""
    assert HARD[case]()


def test_months_are_counted_back_over_the_new_year() -> None:
    """A rule of 15 months that ends in October reaches back to August of the year before."""
    months = sorted({one.month for one in unrolled(resident_of("li_jianguo"))})
    assert (months[0], months[-1], len(months)) == ("2025-08", "2026-10", 15)
    assert "2025-12" in months
    assert "2026-01" in months


def test_readme_example_is_a_world(tmp_path: Path) -> None:
    """What the README shows can be loaded as it stands."""
    example = re.search(r"```toml\n(.*?)```", (WORLDS / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert example
    (tmp_path / "mine.toml").write_text(example[1], encoding="utf-8")
    world: World = load_world(tmp_path / "mine.toml")
    assert world.cards[0].resident == world.residents[0].handle


def test_readme_names_every_key_of_a_card() -> None:
    """No key of a card is undocumented."""
    text = (WORLDS / "README.md").read_text(encoding="utf-8")
    assert [key for key in Card.__struct_fields__ if key not in text] == []
    assert [key for key in Resident.__struct_fields__ if key not in text] == []


@pytest.mark.parametrize(
    "wrong",
    [
        'name = "x"',
        'name = "x"\nresidents = []\ncards = [{ handle = "a", title = "b", resident = "nobody" }]',
        "=",
        "a = 1",
    ],
    ids=["no residents", "nobody's card", "no TOML", "unknown key"],
)
def test_wrong_worlds_are_refused(tmp_path: Path, wrong: str) -> None:
    """A world that cannot be used is refused with the file's name."""
    (tmp_path / "wrong.toml").write_text(wrong)
    with pytest.raises(WorldError, match=r"wrong\.toml"):
        load_world(tmp_path / "wrong.toml")


@pytest.mark.parametrize(
    ("right", "wrong", "place"),
    [
        ('pin_state = "initial"', 'pin_state = "first"', "pin_state"),
        ('platform_state = "sealed"', 'platform_state = "frozen"', "platform_state"),
        ('insurance = "pension"', 'insurance = "pensions"', "insurance"),
        ('last_month = "2026-10"', 'last_month = "2026-13"', "last_month"),
        ('raw = { 05 = "32303132"', 'raw = { 05 = "3230313"', "raw"),
        ("insurances.pension = {", "insurances.pensions = {", "insurances"),
        ('handle = "li_jianguo"', 'handle = "wang_xiulan"', "used twice"),
        ('number = "Y00000024"', 'number = "Y00000016"', "used twice"),
    ],
)
def test_mistakes_are_told_by_their_place(tmp_path: Path, right: str, wrong: str, place: str) -> None:
    """A mistake in somebody's own world is refused when it is read, and the message says where it is."""
    text = (WORLDS / "demo.toml").read_text(encoding="utf-8")
    assert right in text
    (tmp_path / "mine.toml").write_text(text.replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(WorldError, match=place):
        load_world(tmp_path / "mine.toml")
