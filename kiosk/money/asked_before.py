"""While the platform still owes an answer about a person, nothing more is asked for them (money-rules 21)."""

from kiosk.domain.entries import StoredEntry
from kiosk.domain.settlement import InsuredPerson
from kiosk.money.due import DUE
from kiosk.money.refundable import BILL, INTENTS
from kiosk.ports import HostRefused, Journal

STILL_ASKED = "still_asked"
_UNDOING = ("reversal_intent", "void_intent", INTENTS[BILL], DUE)  # DUE: a 2208 follows, unless it is paid


def insist_nothing_is_asked(journal: Journal, person: InsuredPerson) -> None:
    """Raises HostRefused: ``still_asked``, ours."""
    if is_asked_about(journal, person):
        raise HostRefused("medical_insurance", STILL_ASKED)


def is_asked_about(journal: Journal, person: InsuredPerson) -> bool:
    """Open effects are few, so nothing here walks the file. What another terminal asks is not known here."""
    for effect in journal.open_effects():
        if effect.act in _UNDOING or (effect.act == "settle_intent" and not _is_reversed(journal, effect)):
            story = journal.story(effect.case_code)
            if any((entry.facts or {}).get("person_number") == person.person_number for entry in story):
                return True
    return False


def _is_reversed(journal: Journal, settling: StoredEntry) -> bool:
    """Its 2601 was sent: that one blocks for itself until it is answered, and only the day's detail closes the 2207."""
    key = (settling.facts or {})["message_id"]
    story = journal.story(settling.case_code)
    return any(one.act == "reversal_intent" and (one.facts or {}).get("original") == key for one in story)
