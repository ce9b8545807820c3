"""The social security PIN, asked for once a visit: wrong, last try, locked, forgotten, never set.

Used by the services that show or print what is personal. The screen always says which of the card's two PINs is
meant; on the last try stopping is the main answer; a forgotten PIN costs no try.
"""

from dataclasses import replace

from kiosk.domain.card import PinResult, PinTemplate, PinVerdict, RefusedPins
from kiosk.domain.receipt import LineStyle, Receipt, ReceiptLine
from kiosk.domain.text import Bilingual, Text, say
from kiosk.ports import (
    Answer,
    Back,
    Chose,
    DeviceFault,
    Kiosk,
    Outcome,
    OutcomeUnknown,
    Place,
    Question,
    Role,
    Stars,
    Tone,
)
from kiosk.services.notices import device_out, understood

STOPPED = (PinResult.CANCELLED, PinResult.TIMED_OUT)
FORGOT = Answer("forgot", say("I forgot the PIN"), Role.SECOND, icon="person")


def pin_template(kiosk: Kiosk) -> PinTemplate:
    """What a PIN looks like in this region."""
    rules = kiosk.settings.pin
    return PinTemplate(rules.digits_min, rules.digits_max, rules.entry_s_max)


def new_pin_template(kiosk: Kiosk) -> PinTemplate:
    """The same for a change, with what is too easy to guess of this holder's PIN."""
    rules, holder, card = kiosk.settings.pin.new_pin_refuses, kiosk.visit.holder, kiosk.visit.identity
    parts: list[str] = []
    if "birth_date" in rules and holder.born is not None:
        parts += [f"{holder.born:{form}}" for form in ("%Y%m%d", "%y%m%d", "%d%m%Y", "%d%m%y", "%m%d%Y", "%m%d%y")]
    if "card_number" in rules:
        parts.append(_digits(card.card_number))
    if "personal_number" in rules:
        parts.append(_digits(holder.social_security_number))
    return replace(pin_template(kiosk), new_pin_refused=RefusedPins(rules, tuple(parts)))


def _digits(number: str) -> str:
    return "".join(char for char in number if char in "0123456789")


def pin_question(kiosk: Kiosk, name: str, heading: Text, *explain: Text) -> Question:
    """In mode A the entry belongs to the reader's own pad and nothing here can end it: leaving it behind would let a
    change go through unseen. So nothing is offered but its red key; ``offer_after_stop`` has the rest."""
    rules = kiosk.settings.pin
    if kiosk.settings.pin_mode == "A":
        body = Stars(rules.digits_min, rules.digits_max, place=Place.CARD_SLOT)
        return Question(name, heading, (*explain, say("Use the card reader's keys. Its red one stops.")), body)
    body = Stars(rules.digits_min, rules.digits_max)
    answers = (Answer("back", say("Go back"), Role.BACK), FORGOT)
    return Question(name, heading, explain, body, answers)


async def verified_pin(kiosk: Kiosk, *, initial_permitted: bool, unset_permitted: bool = False) -> Outcome | None:
    """Have the holder prove themselves; None when they did, else how the service ends (they were told why).

    Raises:
        Back, ResidentLeft, CardGone.
    """
    while not kiosk.visit.pin_verified:
        try:
            verdict = await _enter(kiosk)
        except Chose:
            return await explain_forgotten(kiosk)
        except DeviceFault as fault:
            return await device_out(kiosk, fault)
        kiosk.journal.record("pin_entered", kiosk.visit.case_code, result=verdict.result.value)
        permitted = {
            PinResult.OK: True,
            PinResult.INITIAL: initial_permitted,
            PinResult.UNSET: unset_permitted,
        }.get(verdict.result, False)
        if permitted:
            kiosk.visit.pin_verified = True
        elif verdict.result is PinResult.WRONG:
            await offer_another_try(kiosk, verdict)
        elif verdict.result in STOPPED:
            await offer_after_stop(kiosk)
        else:
            return await explain_verdict(kiosk, verdict)
    return None


async def _enter(kiosk: Kiosk) -> PinVerdict:
    question = pin_question(
        kiosk,
        "pin_entry",
        say("Enter your social security PIN"),
        say("Type it, then the green key."),
        say("Not the bank PIN."),
        *(() if kiosk.settings.pin_mode == "A" else (say("Cover the keypad."),)),
    )
    identity, template = kiosk.visit.identity, pin_template(kiosk)
    return await kiosk.wait(question, lambda: kiosk.pin_entry.verify_chip_pin(identity, template, kiosk.screen.stars))


async def offer_another_try(kiosk: Kiosk, verdict: PinVerdict) -> None:
    """Return to try again.

    Raises:
        Back: the resident would rather not.
    """
    last = verdict.tries_left == 1
    if last:
        again = Answer("again", say("Try once more"), Role.SECOND)
        stop = Answer("stop", say("Stop here"), Role.MAIN)
        heading = say("One try left for the social security PIN")
        explain = (
            say("If it is wrong again, the PIN locks."),
            say("Then {place} must unlock it. Bring {papers}.", place=_place(kiosk), papers=_papers(kiosk)),
        )
    else:
        again = Answer("again", say("Try again"), Role.MAIN)
        stop = Answer("stop", say("Stop here"), Role.BACK)
        heading = say("That social security PIN is not right")
        left = verdict.tries_left  # None: a card that says no, and not how often it may be asked
        explain = (
            say("Your card is safe.")
            if left is None
            else say("Your card is fine. You have {tries} tries left.", tries=left),
            say("If you forgot it, stop here: {place} can reset it.", place=_place(kiosk)),
        )
    answers = (again, stop, FORGOT) if not last else (again, stop)
    question = Question(
        "last_try" if last else "wrong_pin", heading, explain, answers=answers, tone=Tone.STOP if last else Tone.CAUTION
    )
    chosen = await kiosk.ask(question)
    if chosen == "forgot":
        await explain_forgotten(kiosk)
        raise Back
    if chosen == "stop":
        raise Back


async def offer_after_stop(kiosk: Kiosk) -> None:
    """The red key or the time-out ended an entry; no try was used. Return to try again.

    While digits are the PIN no key answers for "forgot": here who has only the keys can say so without losing a try.

    Raises:
        Back: not now.
    """
    answers = (
        Answer("again", say("Try again"), Role.MAIN),
        FORGOT,
        Answer("stop", say("Stop here"), Role.BACK),
    )
    explain = (say("No try was used up. Your card is fine."),)
    if await kiosk.ask(Question("pin_stopped", say("No PIN was entered"), explain, answers=answers)) == "forgot":
        await explain_forgotten(kiosk)
        raise Back


async def explain_verdict(kiosk: Kiosk, verdict: PinVerdict) -> Outcome:
    """Tell why the PIN does not open anything now, and what helps."""
    heading, explain = _verdict_words(kiosk, verdict.result)
    await kiosk.ask(Question(f"pin_{verdict.result.value}", heading, explain, answers=(understood(),), tone=Tone.STOP))
    return Outcome.UNKNOWN if verdict.result is PinResult.UNKNOWN else Outcome.REFUSED


def _verdict_words(kiosk: Kiosk, result: PinResult) -> tuple[Text, tuple[Text, ...]]:
    place, papers = _place(kiosk), _papers(kiosk)
    match result:
        case PinResult.LOCKED:
            return say("Your social security PIN is locked"), (
                say("Your bank side and pension still work."),
                say("To use it at the hospital, it must be unlocked."),
                say("Take {papers} to {place}.", papers=papers, place=place),
            )
        case PinResult.INITIAL:
            return say("This card still has its first PIN"), (
                say("Please choose your own PIN first."),
                say('Go back and touch "Change the PIN".'),
            )
        case PinResult.UNSET:
            return say("This card has no social security PIN yet"), (
                say("Take {papers} to {place}.", papers=papers, place=place),
                say("They set the PIN while you wait."),
            )
        case _:
            return say("The card did not answer"), (
                say("Your card is safe. Nothing was changed."),
                say("Take the card out, wipe the chip, and try again."),
            )


async def explain_forgotten(kiosk: Kiosk) -> Outcome:
    """Where and with what to reset a PIN, on paper if the resident wants it. Costs no try."""
    place, papers = _place(kiosk), _papers(kiosk)
    question = Question(
        "forgot_pin",
        say("You can have the PIN reset"),
        (
            say("No try was used up. Your card is fine."),
            say("Take {papers} to {place}.", papers=papers, place=place),
        ),
        answers=(
            Answer("print", say("Print this for me"), Role.MAIN, icon="sheet"),
            Answer("back", say("Go back"), Role.BACK),
        ),
    )
    if not kiosk.receipt_health.condition.usable:
        question = _to_write_down(question)
    if await kiosk.ask(question) == "print":
        await _print_reset_note(kiosk, place, papers)
    return Outcome.DONE


def _to_write_down(question: Question) -> Question:
    """The same without paper: nobody is offered what cannot come out."""
    about_card, where = question.explain
    return replace(question, explain=(about_card, say("Please write it down:"), where), answers=(understood(),))


async def _print_reset_note(kiosk: Kiosk, place: Bilingual, papers: Bilingual) -> None:
    receipt = Receipt(
        (
            ReceiptLine(say("Reset the social security PIN"), LineStyle.BIG),
            ReceiptLine(say("Where: {place}", place=place)),
            ReceiptLine(say("Bring: {papers}", papers=papers)),
            ReceiptLine(say("Telephone: {number}", number=kiosk.settings.terminal.telephone)),
        )
    )
    try:
        await kiosk.print_receipt(receipt)
    except (DeviceFault, OutcomeUnknown) as problem:
        kiosk.log("reset_note_not_printed", error=type(problem).__name__)
        await kiosk.ask(
            Question(
                "reset_note_unprinted",
                say("The paper did not come out"),
                (say("Please write it down:"), say("Take {papers} to {place}.", papers=papers, place=place)),
                answers=(understood(),),
                tone=Tone.CAUTION,
            )
        )


def _place(kiosk: Kiosk) -> Bilingual:
    rules = kiosk.settings.pin
    return Bilingual(rules.reset_place_zh, rules.reset_place_en)


def _papers(kiosk: Kiosk) -> Bilingual:
    rules = kiosk.settings.pin
    return Bilingual(rules.reset_documents_zh, rules.reset_documents_en)
