"""Whose turn is it? The process that wrote an intent drives it until its visit ends, hands it over or dies (rule 10).

Answered from the journal alone, because kiosk and forwarder are two processes.
"""

from kiosk.domain.entries import StoredEntry
from kiosk.ports import Journal

STARTED = "kiosk_started"
OPENED = "visit_opened"
ENDS_A_VISIT = ("visit_closed", "staff_visit_closed")
HANDS_OVER = ("settle_handed_over", "deposit_handed_over")


def live_cases(journal: Journal) -> set[str]:
    """Cases with an open effect that a visit of the running kiosk still drives."""
    effects = journal.open_effects()
    started = journal.last(STARTED) if effects else None
    life_began = started.seq if started else 0
    return {effect.case_code for effect in effects if _is_live(journal, effect, life_began)}


def open_visit(journal: Journal) -> set[str]:
    """The case of the resident's visit that goes on, whether or not an effect of it is open; visits never overlap."""
    newest = journal.last(OPENED, *ENDS_A_VISIT, STARTED)
    return {newest.case_code} if newest and newest.act == OPENED else set()


def _is_live(journal: Journal, effect: StoredEntry, life_began: int) -> bool:
    """A settlement order is the forwarder's from the commit on that takes it, also while its visit goes on; what it
    leads to after the visit is begun under a visit that has ended, or that the power ended without a word."""
    if effect.seq < life_began or not effect.case_code or "order" in (effect.facts or {}):
        return False
    story = journal.story(effect.case_code)
    return story[0].seq > life_began and not any(_ends(entry, effect) for entry in story)


def _ends(entry: StoredEntry, effect: StoredEntry) -> bool:
    return entry.act in ENDS_A_VISIT or (entry.act in HANDS_OVER and entry.seq > effect.seq)
