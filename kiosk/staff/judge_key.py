"""The check value of a key that was typed: both custodians compare it with their papers; one alone puts nothing in use.

The second sees it as soon as their part is in; the first comes back with their card. Either may refuse.
"""

from kiosk.domain.text import Grouped, say
from kiosk.ports import Answer, Question, Role, Tone
from kiosk.ports.staff import StaffKiosk
from kiosk.staff.count import BACK, tell
from kiosk.staff.second import too_old
from kiosk.staff.typed_keys import AGREED, CONFIRMED, REFUSED, TYPED, KeyStanding, write_key_act
from kiosk.staff.visit import OnDuty, still_there

_CARRIED = ("first", "second", "check_value", "master", "slot")


def waits_for_judging(kiosk: StaffKiosk, newest: KeyStanding) -> bool:
    """After a day nobody compares any more: the parts are typed anew."""
    return newest.act in (TYPED, AGREED) and not too_old(kiosk, newest.entry)


async def judge_key(kiosk: StaffKiosk, duty: OnDuty, newest: KeyStanding) -> None:
    """Raises: Back, ResidentLeft, CardGone, DeviceFault, NotStaff."""
    who, custodians = duty.staff.staff_id, (newest.word("first"), newest.word("second"))
    if who not in custodians or who == newest.word("agreed"):
        await _other_must(kiosk)
        return
    answer = await kiosk.ask(_question(newest))
    await still_there(kiosk, duty)
    if answer == "refuse":
        _write(kiosk, REFUSED, newest, doubt=True, staff=who)
        await tell(
            kiosk,
            "staff_key_refused",
            say("This key is not used"),
            say("Type both parts anew, from the papers."),
            say("If it differs again, call both officers."),
            tone=Tone.STOP,
        )
    elif newest.act == TYPED:
        _write(kiosk, AGREED, newest, doubt=True, agreed=who)
        await _other_must(kiosk)
    else:
        _write(kiosk, CONFIRMED, newest, doubt=False, staff=who)
        await tell(
            kiosk,
            "staff_key_confirmed",
            say("The new key is in use"),
            say("Both custodians compared its check value."),
            say("Have this machine brought back in service."),
            tone=Tone.DONE,
        )


def _question(newest: KeyStanding) -> Question:
    """The value is the heading: nothing on the glass is larger, and both read it beside their papers."""
    return Question(
        "staff_key_check_value",
        say("Check value {value}", value=Grouped(newest.word("check_value"))),
        (
            say("Key {name}", name=newest.key),
            say("Does your paper say the same?"),
            say("Compare every digit that stands on it."),
        ),
        answers=(
            BACK,
            Answer("refuse", say("No, it differs"), Role.SECOND),
            Answer("same", say("Yes, the same"), Role.MAIN),
        ),
    )


async def _other_must(kiosk: StaffKiosk) -> None:
    await tell(
        kiosk,
        "staff_key_other_compares",
        say("The other custodian compares now"),
        say("Take your card. They put in theirs and open this page."),
        say("Until then the key is not used."),
        tone=Tone.NEUTRAL,
    )


def _write(kiosk: StaffKiosk, act: str, newest: KeyStanding, *, doubt: bool, **facts: str) -> None:
    carried = {name: newest.facts[name] for name in _CARRIED if name in newest.facts}
    write_key_act(kiosk.journal, act, kiosk.visit.case_code, newest.key, doubt, **carried, **facts)
