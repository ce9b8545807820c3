"""Notes that an interrupted payment left on their way inside a cash module: brought out, or aside, with staff in front.

Which resident's they may be is not decided here. They stay in the books of the cassettes, and the next count of two
people finds them there: what was taken out is counted with the rest.
"""

from kiosk.domain.entries import NewEntry
from kiosk.domain.text import say
from kiosk.ports import Answer, Question, Role, Tone, Waiting
from kiosk.ports.staff import StaffKiosk
from kiosk.staff.count import BACK, tell
from kiosk.staff.visit import OnDuty, still_there

CLEAR_S_MAX = 120.0
CLEAR = Answer("clear", say("Clear it"), Role.MAIN)


async def clear_path(kiosk: StaffKiosk, duty: OnDuty) -> None:
    """Raises: Back, ResidentLeft, CardGone, NotStaff. DeviceFault: the device could not do it, and says why."""
    stuck = kiosk.cash_in_need
    if not stuck:
        await tell(kiosk, "staff_path_clear", say("No cash module waits for a person"), tone=Tone.NEUTRAL)
        return
    await kiosk.ask(
        Question(
            "staff_path",
            say("Clear the way of the notes?"),
            (
                say("Notes may come out of the outlet."),
                say("Keep them with those of the cassettes."),
                say("Count them together afterwards."),
            ),
            answers=(BACK, CLEAR),
            tone=Tone.CAUTION,
        )
    )
    await still_there(kiosk, duty)
    for module in stuck:
        model, staff = module.identity.model, duty.staff.staff_id
        kiosk.journal.commit(NewEntry("path_clearing", kiosk.visit.case_code, {"staff": staff, "model": model}))
        page = Question("staff_clearing", say("Clearing the way"), body=Waiting(say("The cash module works")))
        await kiosk.wait(page, module.empty_path, to_the_end_s=CLEAR_S_MAX)
        kiosk.journal.commit(NewEntry("path_emptied", kiosk.visit.case_code, {"staff": staff, "model": model}))
    await tell(
        kiosk,
        "staff_path_cleared",
        say("The way is clear"),
        say("Now count the cassettes, with what came out."),
        tone=Tone.DONE,
    )
