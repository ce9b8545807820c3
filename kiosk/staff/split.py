"""A case's money in parts: each amount is typed, and together they make the whole, to the fen."""

from collections.abc import Sequence

from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.text import Amount, say
from kiosk.ports import Answer, Figure, Figures, Number, Question, Role, digits_given
from kiosk.ports.staff import StaffKiosk
from kiosk.staff.count import BACK, DONE, tell
from kiosk.staff.remedies import Part, Remedy, Stake, remedies

FEN_DIGITS_MAX = 9
NEXT = Answer("next", say("Go on"), Role.MAIN)


async def ask_parts(kiosk: StaffKiosk, stake: Stake) -> tuple[Part, ...]:
    """One amount for each remedy that fits, until nothing is left; again from the start where they make another sum.

    Raises: Back, ResidentLeft, CardGone, DeviceFault.
    """
    while True:
        parts: list[Part] = []
        left = stake.whole_fen
        for remedy in remedies(stake):
            amount = await _amount(kiosk, remedy, left)
            parts += [Part(remedy, amount)] if amount else []
            left = Fen(left - amount)
            if left <= 0:
                break
        if left == NOTHING and parts:
            return tuple(parts)
        await _tell_the_sum(kiosk, stake, left)


async def _amount(kiosk: StaffKiosk, remedy: Remedy, left: Fen) -> Fen:
    question = Question(
        f"staff_part_{remedy.name}",
        remedy.words,
        (say("How much of {amount}? Type it in fen: 150 is 1.50 yuan.", amount=Amount(left)),),
        Number(FEN_DIGITS_MAX),
        (BACK, DONE),
    )
    return Fen(int(digits_given(await kiosk.ask(question, patience_s=kiosk.settings.staff.count_s))))


async def _tell_the_sum(kiosk: StaffKiosk, stake: Stake, left: Fen) -> None:
    whole, made = Amount(stake.whole_fen), Amount(Fen(stake.whole_fen - left))
    await tell(
        kiosk,
        "staff_parts_differ",
        say("The parts do not make the whole"),
        say("They make {made}; the case is about {whole}.", made=made, whole=whole),
        say("Type them again."),
    )


async def show_parts(kiosk: StaffKiosk, parts: Sequence[Part]) -> None:
    """To the second person, each on a page of its own: in large type a list has a page further on, which nobody must
    approve unseen.

    Raises: Back, ResidentLeft, CardGone, DeviceFault.
    """
    for number, part in enumerate(parts, start=1):
        row = Figure(part.remedy.words, Amount(part.amount_fen), heading=True)
        heading = say("Part {number} of {count}", number=number, count=len(parts))
        await kiosk.ask(Question("staff_close_part", heading, (), Figures((row,), secret=False), (BACK, NEXT)))
