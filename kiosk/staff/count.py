"""Blind count (money-rules 30): hand count and seal are durable before anybody sees what books or device say.

The first of two people opens, counts and leaves; the second approves with a card of their own (approve.py). Between the
two stands the journal, so that neither a power cut nor a resident in between loses or disturbs the count.
"""

from collections.abc import Callable

from kiosk.domain.cash import Mix, mix_of
from kiosk.domain.entries import NewEntry
from kiosk.domain.money import Fen
from kiosk.domain.text import Amount, Text, say
from kiosk.ports import Answer, Figures, Number, Question, Role, Tone, digits_given
from kiosk.ports.staff import StaffKiosk
from kiosk.staff.counted import (
    CASH_BOX,
    DRUMS,
    Count,
    Standing,
    Till,
    booked,
    denominations,
    device_notes,
    money_moves,
    standing,
    waits,
)
from kiosk.staff.visit import OnDuty, still_there

NOTES_DIGITS_MAX = 4
SEAL_DIGITS_MAX = 12
BACK = Answer("back", say("Go back"), Role.BACK)
DONE = Answer("done", say("Done, go on"), Role.MAIN)
UNDERSTOOD = Answer("understood", say("Understood"), Role.MAIN)

_OPEN: dict[str, Text] = {
    CASH_BOX.name: say("Take the cash box out and put an empty one in"),
    DRUMS.name: say("Take all notes out of the cassettes"),
}


async def exchange_cash_box(kiosk: StaffKiosk, duty: OnDuty) -> None:
    await _count(kiosk, duty, CASH_BOX)


async def load_cassettes(kiosk: StaffKiosk, duty: OnDuty) -> None:
    """What is left is counted, what is put in is counted; both are carried by one approval."""
    await _count(kiosk, duty, DRUMS)


async def _count(kiosk: StaffKiosk, duty: OnDuty, till: Till) -> None:
    """Raises: Back, ResidentLeft, CardGone, DeviceFault, NotStaff."""
    if await refused_while_money_moves(kiosk):
        return
    if waits(kiosk, till):
        await tell(
            kiosk, "staff_waits", say("The count waits"), say("A second person must approve it with their own card.")
        )
        return

    # Open. From this commit on the figures are those of this moment.
    opened = await _opened(kiosk, duty, till)

    # Count, seeing nothing.
    counted = await _notes(kiosk, "staff_count", _how_many)
    loaded = await _notes(kiosk, "staff_load", _how_many_put_in) if till.loads else ()
    seal = await _number(kiosk, "staff_seal", say("Number of the seal"), SEAL_DIGITS_MAX)
    facts = opened.facts
    count = Count(
        str(facts["key"]), duty.staff.staff_id, seal, counted, loaded,
        Fen(int(facts["booked_fen"])), int(facts["device_notes"]),
    )  # fmt: skip
    await still_there(kiosk, duty)
    kiosk.journal.commit(NewEntry(till.acts[1], opened.entry.case_code, count.facts()))

    # Only now the other figures.
    await kiosk.ask(
        Question(
            "staff_counted",
            say("Here are the figures"),
            (say("A second person must approve it with their own card."),),
            Figures(count.figures(till), secret=False),
            (UNDERSTOOD,),
        )
    )


async def _opened(kiosk: StaffKiosk, duty: OnDuty, till: Till) -> Standing:
    """The place is open already (a count was refused, given up or grew too old), or is opened now."""
    found = standing(kiosk, till)
    if found is None or found.act == till.acts[3]:
        await kiosk.ask(
            Question(
                "staff_open",
                _OPEN[till.name],
                (say("Then count what you took out."), say("No other figure is shown before.")),
                answers=(BACK, DONE),
                tone=Tone.CAUTION,
            ),
            patience_s=kiosk.settings.staff.count_s,
        )
        await still_there(kiosk, duty)
        facts: dict[str, str | int] = {
            "staff": duty.staff.staff_id,
            "key": kiosk.clock.new_key(),
            "booked_fen": booked(kiosk, till),
            "device_notes": await device_notes(kiosk, till),
        }
        kiosk.journal.commit(NewEntry(till.acts[0], kiosk.visit.case_code, facts))
        found = standing(kiosk, till)
    assert found is not None, "it was committed a line above"
    return found


def _how_many(value: Fen) -> Text:
    return say("Notes of {value}: how many?", value=Amount(value))


def _how_many_put_in(value: Fen) -> Text:
    return say("Notes of {value} put in: how many?", value=Amount(value))


async def _notes(kiosk: StaffKiosk, name: str, heading: Callable[[Fen], Text]) -> Mix:
    """One number for each denomination, the highest first."""
    counts: dict[Fen, int] = {}
    for value in denominations(kiosk):
        counts[value] = int(await _number(kiosk, f"{name}_{value}", heading(value), NOTES_DIGITS_MAX))
    return mix_of(counts)


async def _number(kiosk: StaffKiosk, name: str, heading: Text, digits_max: int) -> str:
    question = Question(name, heading, body=Number(digits_max), answers=(BACK, DONE))
    return digits_given(await kiosk.ask(question, patience_s=kiosk.settings.staff.count_s))


async def refused_while_money_moves(kiosk: StaffKiosk) -> bool:
    if not money_moves(kiosk):
        return False
    await tell(
        kiosk,
        "staff_money_moves",
        say("A note or a payment is not finished"),
        say("Its outcome must be known first."),
        say("Nothing was booked by this."),
    )
    return True


async def tell(kiosk: StaffKiosk, name: str, heading: Text, *explain: Text, tone: Tone = Tone.CAUTION) -> None:
    await kiosk.ask(Question(name, heading, explain, answers=(UNDERSTOOD,), tone=tone))
