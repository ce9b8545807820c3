"""The visits that are lived for their pages go where they should."""

from tests.screens.lives import lived


def test_the_visits_cover_the_services_and_the_duties() -> None:
    """A page that is never collected is never looked at."""
    names = {name.split()[0] for name in lived()}
    assert len(names) > 60, sorted(names)
    assert {
        "pin_entry",
        "last_try",
        "pin_unknown",
        "figures_chip",
        "certificate_unknown",
        "reset_note_unprinted",
        "staff_menu",
        "staff_status",
        "staff_cases",
        "staff_case",
        "staff_approve",
        "staff_seal",
        "staff_not_now",
    } <= names


def test_lived_pages_are_the_same_every_time() -> None:
    """Pictures are compared by hash: no page may show the hour at which the test ran."""
    once = dict(lived())
    lived.cache_clear()
    assert lived() == once
