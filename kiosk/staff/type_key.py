"""A key of the PIN pad, its parts typed at the pad itself by two custodians (pins-and-keys 8).

The first puts in their card, types their part and leaves; the second, another custodian, does the same; then both
compare the check value with their papers (judge_key.py). No part is ever known here. Between the cards stands the
journal: a second part is asked for only after a first one of the last quarter of an hour.
"""

from kiosk.domain.text import Text, say
from kiosk.domain.typed_keys import PARTS, PartAnswer, PartEnd
from kiosk.ports import Answer, Back, DeviceFault, Question, ResidentLeft, Role, Stars, Tone
from kiosk.ports.devices import TakesComponents
from kiosk.ports.staff import StaffKiosk
from kiosk.settings.key_rules import TypedKey
from kiosk.staff.count import BACK, refused_while_money_moves, tell
from kiosk.staff.judge_key import judge_key, waits_for_judging
from kiosk.staff.second import too_old
from kiosk.staff.typed_keys import ASKED, NOT_TYPED, PART_IN, TYPED, UNKNOWN, KeyStanding, standing_key, write_key_act
from kiosk.staff.visit import OnDuty, still_there

STOP = Answer("back", say("Stop"), Role.BACK)
_RETRY = (PartEnd.NOT_TAKEN, PartEnd.CANCELLED)
_WHY_AGAIN: dict[PartEnd, Text] = {
    PartEnd.NOT_TAKEN: say("The pad did not take it: perhaps a digit too many or too few."),
    PartEnd.CANCELLED: say("The red key was pressed."),
}


async def type_key(kiosk: StaffKiosk, duty: OnDuty) -> None:
    """Raises: Back, ResidentLeft, CardGone, DeviceFault, NotStaff."""
    if not kiosk.opening.out_of_service:
        await tell(
            kiosk,
            "staff_key_in_service",
            say("Residents are still served here"),
            say("Have this machine taken out of service first."),
        )
        return
    if await refused_while_money_moves(kiosk):
        return
    newest = standing_key(kiosk.journal)
    if newest and waits_for_judging(kiosk, newest):
        await judge_key(kiosk, duty, newest)
    elif newest and _waits_for_second(kiosk, newest):
        await _second_part(kiosk, duty, newest)
    else:
        await _first_part(kiosk, duty)


def _waits_for_second(kiosk: StaffKiosk, newest: KeyStanding) -> bool:
    fresh = not too_old(kiosk, newest.entry, kiosk.settings.staff.key_part_s)
    return newest.act == PART_IN and newest.key in kiosk.settings.typed_keys and fresh


async def _first_part(kiosk: StaffKiosk, duty: OnDuty) -> None:
    name = await _chosen(kiosk, duty)
    if name is None:
        await tell(kiosk, "staff_key_not_custodian", say("You are no custodian of a key of this machine"))
        return
    await _ready(kiosk, name, 1)
    if not await _typed(kiosk, duty, name, 1, ""):
        return
    await tell(
        kiosk,
        "staff_key_part_in",
        say("The first part is in the pad"),
        say("Take your card and your paper, and leave."),
        say("The second custodian now puts in their card, within 15 minutes."),
        tone=Tone.DONE,
    )


async def _chosen(kiosk: StaffKiosk, duty: OnDuty) -> str | None:
    """Of the keys whose custodian this is. None: of none."""
    ours = [name for name, key in kiosk.settings.typed_keys.items() if duty.staff.staff_id in key.custodians]
    if not ours:
        return None
    rows = (Answer(name, say("{words}", words=name), Role.ROW) for name in ours)
    return await kiosk.ask(Question("staff_key_choose", say("Which key is changed?"), answers=(*rows, BACK)))


async def _second_part(kiosk: StaffKiosk, duty: OnDuty, first: KeyStanding) -> None:
    name = first.key
    if duty.staff.staff_id == first.word("staff"):
        await _first_again(kiosk, duty, name)
        return
    if duty.staff.staff_id not in kiosk.settings.typed_keys[name].custodians:
        await tell(kiosk, "staff_key_not_custodian", say("You are no custodian of a key of this machine"))
        return
    await _ready(kiosk, name, 2)
    if not await _typed(kiosk, duty, name, 2, first.word("staff")):
        return
    newest = standing_key(kiosk.journal)
    assert newest is not None, "it was committed a line above"
    await judge_key(kiosk, duty, newest)


async def _first_again(kiosk: StaffKiosk, duty: OnDuty, name: str) -> None:
    """One person never types both parts; but may have their own forgotten."""
    anew = Answer("anew", say("Forget this part"), Role.SECOND)
    question = Question(
        "staff_key_same_person",
        say("Another custodian types the second part"),
        (say("You typed the first one. Take your card."),),
        answers=(BACK, anew),
        tone=Tone.CAUTION,
    )
    if await kiosk.ask(question) == "anew":
        await _pad(kiosk).forget_components()
        _not_typed(kiosk, duty, name, 1, "given_up")
        await tell(kiosk, "staff_key_stopped", say("Nothing was changed"), say("The key that was in the pad stays."))


async def _ready(kiosk: StaffKiosk, name: str, number: int) -> None:
    pad = _pad(kiosk)
    letters = say("For A to F press {keys}.", keys=pad.component_letters)
    await kiosk.ask(
        Question(
            "staff_key_ready",
            say("Key {name}: part {number} of {parts}", name=name, number=number, parts=PARTS),
            (
                say("Stay alone with the pad. Nobody else may see your paper."),
                say("Type {digits} digits at the pad, then the green key.", digits=pad.component_digits),
                *([letters] if pad.component_letters else []),
            ),
            answers=(BACK, Answer("ready", say("I am alone"), Role.MAIN)),
        )
    )


async def _typed(kiosk: StaffKiosk, duty: OnDuty, name: str, number: int, first: str) -> bool:
    """Whether the part is in. Each time it is asked for is journaled before, and what came of it after."""
    key, who = kiosk.settings.typed_keys[name], duty.staff.staff_id
    pad = _pad(kiosk)  # before the journal: one that went away was asked for nothing, and its key is as good as before
    earlier = _in_doubt_now(kiosk, name)
    while True:
        await still_there(kiosk, duty)
        write_key_act(
            kiosk.journal, ASKED, kiosk.visit.case_code, name, earlier or number == PARTS, part=number, staff=who
        )
        answer = await _asked(kiosk, duty, pad, name, key, number)
        if answer.end is PartEnd.IN:
            _in(kiosk, duty, name, number, first, answer, earlier)
            return True
        if answer.end is PartEnd.MIXED:
            _unknown(kiosk, duty, name, answer.end.value)
            await _tell_unknown(kiosk)
            return False
        _not_typed(kiosk, duty, name, number, answer.end.value, earlier)
        if answer.end not in _RETRY or not await _again(kiosk, answer.end):
            return await _gave_up(kiosk, answer.end)


def _in_doubt_now(kiosk: StaffKiosk, name: str) -> bool:
    newest = standing_key(kiosk.journal)
    return newest is not None and name in newest.word("doubtful").split()


def _in(kiosk: StaffKiosk, duty: OnDuty, name: str, number: int, first: str, answer: PartAnswer, earlier: bool) -> None:
    journal, code, who = kiosk.journal, kiosk.visit.case_code, duty.staff.staff_id
    if number < PARTS:
        write_key_act(journal, PART_IN, code, name, earlier, staff=who, part=number)
        return
    value = answer.check_value.hex().upper()
    place = kiosk.settings.typed_keys[name].place
    where = {"master": place.master} | ({} if place.slot is None else {"slot": place.slot})
    write_key_act(journal, TYPED, code, name, True, first=first, second=who, check_value=value, **where)


async def _asked(
    kiosk: StaffKiosk, duty: OnDuty, pad: TakesComponents, name: str, key: TypedKey, number: int
) -> PartAnswer:
    """The page stands while the pad asks. What cuts a last part off leaves the key unknown."""
    prompt = say("Part {number} of {parts}", number=number, parts=PARTS)
    stars = Stars(pad.component_digits, pad.component_digits, prompt)
    page = Question(
        "staff_key_part",
        say("Type your part at the pad"),
        (say("The pad shows a star for each digit."),),
        stars,
        (STOP,),
    )
    try:
        return await kiosk.wait(page, lambda: pad.type_component(key.place, number, kiosk.screen.stars))
    except (Back, ResidentLeft, DeviceFault) as cut:
        why = cut.health.reason if isinstance(cut, DeviceFault) else "left"
        if number == PARTS:
            _unknown(kiosk, duty, name, why)
        else:
            _not_typed(kiosk, duty, name, number, why, _in_doubt_now(kiosk, name))
        if isinstance(cut, Back) and number == PARTS:
            await _tell_unknown(kiosk)
        raise


async def _again(kiosk: StaffKiosk, end: PartEnd) -> bool:
    again = Answer("again", say("Type it again"), Role.MAIN)
    question = Question(
        "staff_key_not_taken", say("This part is not in"), (_WHY_AGAIN[end],), answers=(STOP, again), tone=Tone.CAUTION
    )
    try:
        return await kiosk.ask(question) == "again"
    except Back:
        await _pad(kiosk).forget_components()
        return False


async def _gave_up(kiosk: StaffKiosk, end: PartEnd) -> bool:
    words = {
        PartEnd.TIMED_OUT: say("Nobody typed in time."),
        PartEnd.FORGOTTEN: say("The pad did not keep the first part."),
    }
    why = [words[end]] if end in words else []
    stays = say("The key that was in the pad stays.")
    await tell(kiosk, "staff_key_stopped", say("Nothing was changed"), *why, stays, say("Begin with the first part."))
    return False


def _not_typed(kiosk: StaffKiosk, duty: OnDuty, name: str, number: int, why: str, doubt: bool = False) -> None:
    who = duty.staff.staff_id
    write_key_act(kiosk.journal, NOT_TYPED, kiosk.visit.case_code, name, doubt, part=number, staff=who, why=why)


def _unknown(kiosk: StaffKiosk, duty: OnDuty, name: str, why: str) -> None:
    write_key_act(kiosk.journal, UNKNOWN, kiosk.visit.case_code, name, True, staff=duty.staff.staff_id, why=why)


async def _tell_unknown(kiosk: StaffKiosk) -> None:
    await tell(
        kiosk,
        "staff_key_unknown",
        say("Nobody knows which key is in the pad"),
        say("It is not used until both parts were typed anew."),
    )


def _pad(kiosk: StaffKiosk) -> TakesComponents:
    pad = kiosk.component_pad
    if pad is None:
        raise DeviceFault("pin_pad", kiosk.slot_health["pin_pad"])
    return pad
