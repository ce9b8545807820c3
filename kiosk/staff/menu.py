"""The staff side: menu and pages. Reads here, and hands over to the duties that book."""

from collections.abc import Awaitable, Callable

from kiosk.domain.text import say
from kiosk.ports import Answer, Back, DeviceFault, OutcomeUnknown, Question, Role, Tiles, Tone
from kiosk.ports.staff import StaffKiosk
from kiosk.staff.approve import approve
from kiosk.staff.cases import show_cases
from kiosk.staff.clear_path import clear_path
from kiosk.staff.count import exchange_cash_box, load_cassettes
from kiosk.staff.end_of_day import end_of_day
from kiosk.staff.reconcile import reconcile
from kiosk.staff.refund import open_refund
from kiosk.staff.status import show_status
from kiosk.staff.stick import copy_to_stick
from kiosk.staff.type_key import type_key
from kiosk.staff.visit import OnDuty, open_duty

Duty = Callable[[StaffKiosk, OnDuty], Awaitable[None]]

DUTIES: dict[str, tuple[Answer, Duty]] = {
    "status": (Answer("status", say("What is wrong now"), icon="list"), show_status),
    "cases": (Answer("cases", say("Open cases"), icon="sheet"), show_cases),
    "cash_box": (Answer("cash_box", say("Exchange the cash box"), icon="note"), exchange_cash_box),
    "drums": (Answer("drums", say("Load the cassettes"), icon="note"), load_cassettes),
    "approve": (Answer("approve", say("Approve what waits"), icon="person"), approve),
    "path": (Answer("path", say("Clear the way of the notes"), icon="note"), clear_path),
    "refund": (Answer("refund", say("Give money back"), icon="note"), open_refund),
    "reconcile": (Answer("reconcile", say("Compare the books"), icon="list"), reconcile),
    "stick": (Answer("stick", say("Copy records to a stick"), icon="sheet"), copy_to_stick),
    "key": (Answer("key", say("Type a key at the pad"), icon="keys"), type_key),
    "end_of_day": (Answer("end_of_day", say("End of day"), icon="calendar"), end_of_day),
}
FINISH = Answer("finish", say("Finish, take my card"), Role.BACK)


async def serve_staff(kiosk: StaffKiosk, case_code: str) -> None:
    """One insertion of one staff card, from its check to the end.

    Raises:
        NotStaff: nobody is let in. ResidentLeft, CardGone, DeviceFault: as the desk and the reader.
    """
    try:
        duty = await open_duty(kiosk, case_code)
    except Back:
        return
    if duty is None:
        return
    while True:
        try:
            chosen = await kiosk.ask(_menu(kiosk, duty))
        except Back:
            return
        try:
            await DUTIES[chosen][1](kiosk, duty)
        except Back:
            continue
        except (DeviceFault, OutcomeUnknown) as fault:
            await _not_now(kiosk, duty, fault)


def _menu(kiosk: StaffKiosk, duty: OnDuty) -> Question:
    """A duty that this terminal has no place for is not offered."""
    fitted = {name: answer for name, (answer, _) in DUTIES.items()}
    if not (kiosk.settings.journal.stick or (kiosk.settings.agent.privileged and kiosk.settings.agent.stick)):
        del fitted["stick"]
    if not kiosk.settings.typed_keys or kiosk.component_pad is None:
        del fitted["key"]
    return Question(
        "staff_menu",
        say("Staff {staff}: what is to be done?", staff=duty.staff.staff_id),
        body=Tiles(),
        answers=(*fitted.values(), FINISH),
    )


async def _not_now(kiosk: StaffKiosk, duty: OnDuty, fault: DeviceFault | OutcomeUnknown) -> None:
    why = f"{fault.slot} {fault.health.reason}" if isinstance(fault, DeviceFault) else f"{fault.where} {fault.why}"
    kiosk.journal.record("staff_duty_stopped", kiosk.visit.case_code, staff=duty.staff.staff_id, why=why)
    await kiosk.ask(
        Question(
            "staff_not_now",
            say("This cannot be done now"),
            (say("{words}", words=why), say("Nothing was booked by this.")),
            answers=(Answer("understood", say("Understood"), Role.MAIN),),
            tone=Tone.CAUTION,
        )
    )
