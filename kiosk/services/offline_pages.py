"""What a resident is told when something cannot be done without the line. No card is ever called lost."""

from kiosk.domain.offline import OfflineRefusal
from kiosk.domain.text import say
from kiosk.ports import Kiosk, Outcome, Question, Tone
from kiosk.services.notices import understood

_SAFE = say("Your card is safe. Nothing was changed.")
_LATER = say("Try again later, or at the counter.")
_WORDS = {
    OfflineRefusal.ASK_STAFF: (
        say("Staff must look at this card first"),
        (_SAFE, say("Please ask staff, or go to the counter.")),
    ),
    OfflineRefusal.ACT_TOO_LARGE: (
        say("This is more than may be taken without the line"),
        (say("The line to the office is down now."), _SAFE, say("Try a smaller amount, or go to the counter.")),
    ),
    OfflineRefusal.CARD_DAY_FULL: (
        say("No more can be taken with this card today"),
        (say("The line to the office is down now."), _SAFE, say("Come again tomorrow, or go to the counter.")),
    ),
    OfflineRefusal.TERMINAL_FULL: (
        say("This machine may take no more until the line is back"),
        (_SAFE, _LATER),
    ),
}
_NEEDS_THE_LINE = (say("The line to the office is down now"), (say("This cannot be done without it."), _SAFE, _LATER))


def cannot_offline(refusal: OfflineRefusal, case_code: str = "") -> Question:
    heading, explain = _WORDS.get(refusal, _NEEDS_THE_LINE)
    return Question(
        f"offline_{refusal.value}",
        heading,
        explain,
        answers=(understood(),),
        tone=Tone.CAUTION,
        case_code=case_code,
    )


async def refused_offline(kiosk: Kiosk, act: str, refusal: OfflineRefusal, *, card_needed: bool = True) -> Outcome:
    """``card_needed``: as in ``notices.device_out``."""
    kiosk.journal.record("offline_refused", kiosk.visit.case_code, what=act, why=refusal.value)
    await kiosk.ask(cannot_offline(refusal, kiosk.visit.case_code), card_needed=card_needed)
    return Outcome.UNAVAILABLE
