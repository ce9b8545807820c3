"""A loss report that waits here for the line is taken back by the holder who has the card again, with its PIN.

Nothing is taken out of the queue: the other process may be telling it at this moment. The withdrawal stands behind the
report in its own lane, so that the platform hears both in order, each by its key, and what stays is a card in force.
A lane is a person's: who reports without the card, by their number, comes behind what they did with it.
"""

from dataclasses import dataclass

import trio

from kiosk.domain.entries import NewEntry, NewNotice, StoredEntry
from kiosk.money.row_code import row_code
from kiosk.ports import DeviceFault, Kiosk, Outcome, OutcomeUnknown
from kiosk.services import loss_pages as pages

QUEUED, TAKEN_BACK = "loss_report_queued", "loss_report_taken_back"
WITHDRAWAL = "loss_withdrawal"  # in the outbox
LANE = "lane"  # fact of an entry: the number in whose order its notice is told
PRINT_S_MAX = 60.0
_OVER = ("notice_told", "notice_given_up")
_ABOUT = (*_OVER, "notice_put_aside", "notice_released")


@dataclass(frozen=True)
class QueuedReport:
    """``lane``: the number in whose order the platform hears of it."""

    key: str
    lane: str


def queued_report(kiosk: Kiosk) -> QueuedReport | None:
    """The newest of this card or of its holder that no platform has heard yet, and nobody took back."""
    entries = _about(kiosk)
    over = {_key(entry) for entry in entries if entry.act == TAKEN_BACK}
    # What can be read no more was told long ago, or its month would still be there.
    waiting = [entry for entry in entries if entry.act == QUEUED and entry.facts and _key(entry) not in over]
    if waiting and not _was_told(kiosk, waiting[-1]):
        return QueuedReport(_key(waiting[-1]), _lane_of(waiting[-1]))
    return None


def waiting_withdrawal(kiosk: Kiosk) -> str:
    """In whose order the newest withdrawal of this card or of its holder still waits here; "": none does. One that was
    put aside waits for a person and holds up no new report."""
    taken_back = [entry for entry in _about(kiosk) if entry.act == TAKEN_BACK and entry.facts]
    return _lane_of(taken_back[-1]) if taken_back and _is_still_to_be_told(kiosk, taken_back[-1]) else ""


def lane(kiosk: Kiosk) -> str:
    """Of the person who is here: of who has no card with them it is all that is known, and of a card that names no
    person the card's own number."""
    return kiosk.visit.holder.social_security_number or kiosk.visit.identity.card_number


async def take_back_loss(kiosk: Kiosk, report: QueuedReport) -> Outcome:
    """The PIN is verified. Raises Back: the report stays."""
    await kiosk.ask(pages.queued_before())
    printed = await _printed(kiosk, withdraw_behind(kiosk, report))
    await kiosk.ask(pages.taken_back(printed), card_needed=False)
    return Outcome.DONE


def withdraw_behind(kiosk: Kiosk, report: QueuedReport) -> int:
    """The platform will hear both, in order; the row that says so."""
    visit, key = kiosk.visit, kiosk.clock.new_key()
    card = visit.identity
    facts = {"card_number": card.card_number, "chip": card.identification_code.hex()}
    notice = NewNotice("card_platform", WITHDRAWAL, key, facts, card_number=report.lane)
    about: dict[str, str | int] = {"key": report.key, "withdrawal": key, LANE: report.lane}
    return kiosk.journal.commit(NewEntry(TAKEN_BACK, visit.case_code, about, lane(kiosk), notices=(notice,)))


async def _printed(kiosk: Kiosk, seq: int) -> bool:
    """As of a report: good to have and not owed."""
    if not kiosk.receipt_health.condition.usable:
        return False
    paper = pages.paper_taken_back(kiosk, kiosk.visit.identity.card_number, kiosk.clock.now(), row_code(kiosk, seq))
    try:
        with trio.fail_after(PRINT_S_MAX):
            await kiosk.print_receipt(paper)
    except (DeviceFault, OutcomeUnknown, trio.TooSlowError) as problem:
        kiosk.log("loss_paper_not_printed", error=type(problem).__name__)
        return False
    return True


def _about(kiosk: Kiosk) -> list[StoredEntry]:
    """What stands here of this card or of its holder, in order."""
    numbers = (kiosk.visit.identity.card_number, kiosk.visit.holder.social_security_number)
    found = {entry.seq: entry for number in numbers if number for entry in kiosk.journal.of_card(number)}
    return [found[seq] for seq in sorted(found)]


def _lane_of(entry: StoredEntry) -> str:
    """Entries of before lanes were persons' name none: theirs is the number that they stand under."""
    facts = entry.facts or {}
    return str(facts.get(LANE) or facts["card_number"])


def _is_still_to_be_told(kiosk: Kiosk, taken_back: StoredEntry) -> bool:
    key = str((taken_back.facts or {})["withdrawal"])
    said = [one.act for one in kiosk.journal.story(taken_back.case_code) if one.act in _ABOUT and _key(one) == key]
    return not said or said[-1] == "notice_released"


def _was_told(kiosk: Kiosk, entry: StoredEntry) -> bool:
    story = kiosk.journal.story(entry.case_code)
    return any(one.act in _OVER and _key(one) == _key(entry) for one in story)


def _key(entry: StoredEntry) -> str:
    return str((entry.facts or {}).get("key", ""))
