"""Short questions that several services end with: what happened, where the card is, what to do now, who helps."""

from kiosk.domain.text import Text, say, verbatim
from kiosk.ports import Answer, DeviceFault, HostRefused, Kiosk, Outcome, Question, Role, Tone

# Sentences for what is wrong with a device, by slot and reason. Anything else gets the slot's general sentence.
_DEVICE_WORDS: dict[tuple[str, str], Text] = {
    ("receipt_printer", "paper_out"): say("The receipt paper has run out."),
    ("page_printer", "paper_out"): say("The A4 paper has run out."),
    ("page_printer", "media_empty"): say("The A4 paper has run out."),
    ("receipt_printer", "cover_open"): say("The receipt printer's cover is open."),
    ("page_printer", "cover_open"): say("The A4 printer's cover is open."),
    ("cash_acceptor", "no_more_notes"): say("This machine can take no more notes for this."),
}
_SLOT_WORDS = {
    "card_reader": say("The card reader does not work right now."),
    "sam_reader": say("The card reader does not work right now."),
    "pin_pad": say("The keypad does not work right now."),
    "receipt_printer": say("The receipt printer does not work right now."),
    "page_printer": say("The A4 printer does not work right now."),
    "cash_acceptor": say("The note machine does not work right now."),
    "cash_dispenser": say("The note machine does not work right now."),
}
# Refusals that are our own rule, so that no host has a sentence for them.
_REFUSAL_WORDS = {
    "insurance_not_in_force": say("Your medical insurance is not in force now."),
    "no_fitting_insurance": say("No medical insurance of yours can pay here."),
    "still_asked": say("An earlier payment of yours is still being checked. Do not pay again."),
    "amounts_disagree": say("The insurance's figures do not add up."),
}


def understood() -> Answer:
    return Answer("understood", say("Understood"), Role.MAIN)


def go_back() -> Answer:
    return Answer("back", say("Go back"), Role.BACK)


def device_words(slot: str, reason: str) -> Text:
    """One sentence for residents about a device that does not work."""
    return _DEVICE_WORDS.get((slot, reason), _SLOT_WORDS[slot])


async def device_out(kiosk: Kiosk, fault: DeviceFault, *, card_needed: bool = True) -> Outcome:
    """A device surely did not do it. ``card_needed`` False: who took the card meanwhile must still learn it."""
    kiosk.journal.record("device_out", kiosk.visit.case_code, slot=fault.slot, reason=fault.health.reason)
    await kiosk.ask(
        Question(
            "device_out",
            say("This cannot be done here now"),
            (
                device_words(fault.slot, fault.health.reason),
                say("Your card is safe. Nothing was changed."),
                say('Try another machine, or touch "Help".'),
            ),
            answers=(understood(),),
            tone=Tone.CAUTION,
        ),
        card_needed=card_needed,
        next_card_ends=not card_needed,
    )
    return Outcome.UNAVAILABLE


async def host_silent(kiosk: Kiosk, *, act: str) -> Outcome:
    """No answer to something that only reads or asks: nothing is changed, try later."""
    kiosk.journal.record("host_silent", kiosk.visit.case_code, act=act)
    await kiosk.ask(
        Question(
            "host_silent",
            say("The office computer does not answer"),
            (
                say("Your card is safe. Nothing was changed."),
                say("Try again in a few minutes, or at the counter."),
            ),
            answers=(understood(),),
            tone=Tone.CAUTION,
            case_code=kiosk.visit.case_code,
        )
    )
    return Outcome.UNAVAILABLE


async def host_said_no(kiosk: Kiosk, refusal: HostRefused, *, card_needed: bool = True) -> Outcome:
    """The host's own sentence, if it sent one, under our heading. ``card_needed``: as in ``device_out``."""
    kiosk.journal.record("host_refused", kiosk.visit.case_code, host=refusal.host, code=refusal.code)
    unexplained = _REFUSAL_WORDS.get(refusal.code, say("The counter can tell you why."))
    reason = verbatim(refusal.words) if refusal.words else unexplained
    await kiosk.ask(
        Question(
            "host_refused",
            say("The office cannot do this for you now"),
            (reason, say("Your card is safe. Nothing was changed."), say("The counter can help you.")),
            answers=(understood(),),
            tone=Tone.STOP,
            case_code=kiosk.visit.case_code,
        ),
        card_needed=card_needed,
    )
    return Outcome.REFUSED
