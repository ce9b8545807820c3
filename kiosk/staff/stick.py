"""Rows that the agency has not got yet, onto a USB stick: for a village where the line does not come back."""

from kiosk.domain.ledger import StickCopy
from kiosk.domain.text import Text, say
from kiosk.ports import Answer, Question, Role, Tone, Waiting
from kiosk.ports.staff import StaffKiosk, StickTrouble
from kiosk.staff.visit import OnDuty

_TROUBLE: dict[str, Text] = {
    "missing": say("No stick is in the machine."),
    "foreign": say("This stick is not from the center, or was written too long ago. Ask for a new one."),
    "full": say("The stick is full. Make room on it, or take another one."),
    "read_only": say("This stick cannot be written to."),
    "slow": say("The stick takes too long."),
    "silent": say("The part that looks after sticks does not answer."),
    "broken": say("The stick was pulled out, or is broken."),
}


async def copy_to_stick(kiosk: StaffKiosk, duty: OnDuty) -> None:
    """Raises: Back, ResidentLeft, CardGone."""
    assert kiosk.other_copies is not None, "the menu offers it only where there is a place for a stick"
    unsent = kiosk.books.unsent()
    explain = (
        say("Messages not sent: {count}", count=unsent.count),
        say("Only the agency can read what is written. Leave the stick in until this page says so."),
    )
    write = Answer("write", say("Write to the stick"), Role.MAIN)
    back = Answer("back", say("Go back"), Role.BACK)
    await kiosk.ask(Question("staff_stick", say("Put the stick in"), explain, answers=(back, write)))
    try:
        writing = Question(
            "staff_stick_writing", say("Writing to the stick"), body=Waiting(say("Writing to the stick"))
        )
        copy = await kiosk.wait(writing, kiosk.other_copies.to_stick)
    except StickTrouble as trouble:
        kiosk.journal.record("stick_not_written", kiosk.visit.case_code, staff=duty.staff.staff_id, why=trouble.why)
        words = (_TROUBLE[trouble.why], say("Nothing is lost: everything is still in this machine."))
        await _tell(kiosk, say("Not everything is on the stick"), words, Tone.CAUTION)
        return
    facts: dict[str, str | int] = {
        "staff": duty.staff.staff_id,
        "first": copy.first,
        "last": copy.last,
        "word": copy.word,
    }
    kiosk.journal.record("stick_written", kiosk.visit.case_code, **facts)
    tone = Tone.CAUTION if copy.word == "refused" else Tone.DONE
    await _tell(kiosk, say("Take the stick out"), _what_is_on_it(copy), tone)


def _what_is_on_it(copy: StickCopy) -> tuple[Text, ...]:
    lines = []
    if copy.word == "kept":
        lines.append(say("The agency's answer was taken in."))
    if copy.word == "refused":
        lines.append(say("The answer on the stick is not the agency's for this machine."))
    if not copy.last:
        return (*lines, say("The agency has every record up to now."))
    return (
        *lines,
        say("Records {first} to {last} are on it.", first=copy.first, last=copy.last),
        say("Bring it to the agency, and back here with its answer."),
    )


async def _tell(kiosk: StaffKiosk, heading: Text, words: tuple[Text, ...], tone: Tone) -> None:
    understood = (Answer("understood", say("Understood"), Role.MAIN),)
    await kiosk.ask(Question("staff_stick_told", heading, words, answers=understood, tone=tone))
