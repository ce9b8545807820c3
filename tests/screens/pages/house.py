"""Welcome, card problems, help, goodbye, and the menu with every service this house has."""

from datetime import date

from kiosk.domain.card import CardIdentity, CardState, Holder, Sex
from kiosk.ports import Answer, Place, Question, Visit
from kiosk.services.notices import device_words
from kiosk.settings.config import Settings, Terminal
from kiosk.settings.hours import Hours
from kiosk.visit import questions as house
from kiosk.visit.catalogue import SERVICES
from tests.screens.samples import LONG_NAME, RARE_NAME

SETTINGS = Settings(run_dir="", data_dir="", terminal=Terminal(telephone="0000-12333"))
HOURS = Settings(run_dir="", data_dir="", hours=Hours(opens="08:30", closes="17:00"))
SHUT = (("out_of_service", False), ("out_of_service", True), ("closed", False), ("paused", False))
IDENTITY = CardIdentity(b"", "A00000012", "2.00", None, date(2026, 2, 28), b"")
REASONS = ("card_mute", "card_foreign", "no_authority", "ask_staff", "counterfeit")
PROBLEMS = [state for state in CardState if state is not CardState.NORMAL]


def pages() -> list[Question]:
    return [
        house.getting_ready(),
        house.insert_card(),
        house.no_card(SETTINGS),
        house.out_of_order(SETTINGS),
        *(house.not_open(HOURS, why, card_in=card_in) for why, card_in in SHUT),
        house.reading_card(),
        *(house.card_problem(reason) for reason in REASONS),
        *(house.card_state_problem(state, SETTINGS) for state in PROBLEMS),
        house.card_expired(IDENTITY),
        house.menu(_visit(LONG_NAME), _tiles()),
        house.menu(_visit(RARE_NAME), _tiles("receipt_printer", "paper_out")),
        house.help_called(3, "451207"),
        house.nobody_there(SETTINGS, "451207"),
        house.take_card(with_paper=True, forgotten=False),
        house.take_card(with_paper=False, forgotten=True),
        house.card_inside(pin_in_doubt=True),
        house.take_paper(),
        house.paper_left((Place.RECEIPT_OUTLET,)),
        house.card_inside(pin_in_doubt=True),
        house.paper_left((Place.RECEIPT_OUTLET,)),
    ]


def _visit(name: str) -> Visit:
    return Visit(IDENTITY, Holder(name, "", Sex.UNKNOWN, "", None), "451207")


def _tiles(slot: str = "", reason: str = "") -> tuple[Answer, ...]:
    """Every service there is; those that need ``slot`` are greyed out with its reason."""
    return tuple(
        Answer(
            entry.name,
            entry.label,
            icon=entry.icon,
            unavailable=device_words(slot, reason) if slot in entry.needs else None,
        )
        for entry in SERVICES
    )
