"""Who stands there: a staff card's certificate, its key and its PIN, in this order (as pins-and-keys 11)."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kiosk.domain.card import Holder, PinResult, PinTemplate, PinVerdict, Sex
from kiosk.domain.staff import NotStaff, Staff, StaffCard
from kiosk.domain.text import Text, say
from kiosk.ports import Answer, Back, Place, Question, Role, Stars, Tone, Visit
from kiosk.ports.staff import StaffCardReader, StaffKiosk

NOBODY = Holder("", "", Sex.UNKNOWN, "", None)


@dataclass(frozen=True)
class OnDuty:
    """A person of staff whose card proved itself in this visit."""

    staff: Staff
    card: StaffCard


async def prove(kiosk: StaffKiosk) -> OnDuty:
    """Read the certificate and have the card sign a fresh random.

    Raises:
        NotStaff. CardGone, DeviceFault: as the reader.
    """
    # What reads certificates is a twentieth of all imports, and of no use before the first staff card.
    from kiosk.staff.certificate import CHALLENGE_BYTES, check_certificate, check_signature

    reader = kiosk.card_reader
    # INVENTED: production has no staff side until a real card is chosen (pins-and-keys 10).
    if kiosk.settings.production or not isinstance(reader, StaffCardReader):
        raise NotStaff("no_anchor")
    card = await reader.read_staff_card()
    staff = check_certificate(card.certificate_der, Path(kiosk.settings.staff.anchor), _now(kiosk))
    challenge = kiosk.clock.random(CHALLENGE_BYTES)
    check_signature(card.certificate_der, challenge, await reader.staff_signature(challenge))
    return OnDuty(staff, card)


async def still_there(kiosk: StaffKiosk, duty: OnDuty) -> None:
    """Before each act that books: the same card, proven anew (pins-and-keys 12).

    Raises:
        NotStaff, CardGone, DeviceFault.
    """
    if (await prove(kiosk)).staff.staff_id != duty.staff.staff_id:
        raise NotStaff("signature")


def _now(kiosk: StaffKiosk) -> datetime:
    """A clock that was set back makes no certificate valid again (rule 5)."""
    now, latest = kiosk.clock.now(), kiosk.books.high_water()
    return max(now, latest) if latest else now


async def open_duty(kiosk: StaffKiosk, case_code: str) -> OnDuty | None:
    """The person of staff, once the PIN was right; None when it was not (they were told).

    Raises:
        NotStaff, Back, ResidentLeft, CardGone, DeviceFault.
    """
    duty = await prove(kiosk)
    kiosk.visit = Visit(duty.card.identity, NOBODY, case_code)
    while True:
        verdict = await _enter(kiosk, duty)
        kiosk.journal.record("staff_pin_entered", case_code, staff=duty.staff.staff_id, result=verdict.result.value)
        if verdict.result is PinResult.OK:
            await still_there(kiosk, duty)
            kiosk.journal.record("staff_visit_opened", case_code, staff=duty.staff.staff_id, role=duty.staff.role.value)
            return duty
        if not await _again(kiosk, verdict):
            return None


async def _enter(kiosk: StaffKiosk, duty: OnDuty) -> PinVerdict:
    rules = kiosk.settings.pin
    heading = say("Enter the PIN of your staff card")
    if kiosk.settings.pin_mode == "A":
        # The entry is the reader's own, and nothing here could end it: its red key does.
        stars = Stars(rules.digits_min, rules.digits_max, place=Place.CARD_SLOT)
        question = Question("staff_pin", heading, (say("Use the card reader's keys. Its red one stops."),), stars)
    else:
        stars, stop = Stars(rules.digits_min, rules.digits_max), Answer("back", say("Stop"), Role.BACK)
        question = Question("staff_pin", heading, (say("Use the keypad, then press the green key."),), stars, (stop,))
    template = PinTemplate(rules.digits_min, rules.digits_max, kiosk.settings.staff.entry_s_max)
    identity = duty.card.identity
    return await kiosk.wait(question, lambda: kiosk.pin_entry.verify_chip_pin(identity, template, kiosk.screen.stars))


async def _again(kiosk: StaffKiosk, verdict: PinVerdict) -> bool:
    """Tell what the entry came to; whether to try once more."""
    explain: Text
    match verdict.result:
        case PinResult.WRONG if verdict.tries_left:
            explain = say("{tries} tries are left.", tries=verdict.tries_left)
        case PinResult.CANCELLED | PinResult.TIMED_OUT:
            explain = say("No try was used up.")
        case _:
            explain = say("The agency must give you another card.")
    can_try = verdict.result in (PinResult.CANCELLED, PinResult.TIMED_OUT) or bool(verdict.tries_left)
    again = (Answer("again", say("Try again"), Role.MAIN),) if can_try else ()
    question = Question(
        "staff_pin_refused",
        say("The staff side stays closed"),
        (explain,),
        answers=(Answer("back", say("Stop"), Role.BACK), *again),
        tone=Tone.CAUTION,
    )
    try:
        return await kiosk.ask(question) == "again"
    except Back:
        return False
