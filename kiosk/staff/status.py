"""What is wrong now: slots, consumables, messages not sent, money not explained, a weaker PIN profile."""

from collections.abc import Iterator

from kiosk.domain.cash import CashUnit
from kiosk.domain.health import Condition, Health
from kiosk.domain.money import Fen
from kiosk.domain.text import Amount, Text, say
from kiosk.ports import Answer, DeviceFault, Figure, Figures, Question, Role
from kiosk.ports.staff import StaffKiosk
from kiosk.staff.ages import age
from kiosk.staff.software import show_software
from kiosk.staff.typed_keys import keys_in_doubt, places_in_doubt
from kiosk.staff.visit import OnDuty

SLOT_NAMES: dict[str, Text] = {
    "card_reader": say("Card reader"),
    "sam_reader": say("Security module"),
    "pin_pad": say("Keypad"),
    "receipt_printer": say("Receipt printer"),
    "page_printer": say("A4 printer"),
    "cash_acceptor": say("Notes in"),
    "cash_dispenser": say("Notes out"),
    "barcode_reader": say("Code reader"),
    "id_card_reader": say("ID card reader"),
    "lights": say("Lamps"),
    "headset": say("Headset jack"),
}
HOST_NAMES: dict[str, Text] = {"bank": say("The bank"), "medical_insurance": say("The medical insurance")}
CONDITION_NAMES: dict[Condition, Text] = {
    Condition.ABSENT: say("not there"),
    Condition.STARTING: say("starting"),
    Condition.READY: say("works"),
    Condition.BUSY: say("busy"),
    Condition.DEGRADED: say("wants attention"),
    Condition.UNKNOWN: say("silent"),
    Condition.FAULT: say("out of order"),
}
UNIT_STATES: dict[str, Text] = {
    "low": say("nearly empty"),
    "empty": say("empty"),
    "full": say("full"),
    "missing": say("not there"),
    "unknown": say("not known"),
}
MEDIUM_STATES: dict[str, Text] = {
    "missing": say("not there"),
    "full": say("full"),
    "slow": say("too slow"),
    "other_journal": say("has other records"),
    "broken": say("out of order"),
    "silent": say("not known"),
}
BACK = Answer("back", say("Go back"), Role.BACK)
SOFTWARE = Answer("software", say("Software and sticks"))


async def show_status(kiosk: StaffKiosk, duty: OnDuty) -> None:
    """Raises: Back, ResidentLeft, CardGone."""
    second, hosts = await _second_copy(kiosk), [*_hosts(kiosk), *_keys(kiosk)]
    rows = [*hosts, *_slots(kiosk), *await _units(kiosk), *second, *await _fleet(kiosk), *_money(kiosk)]
    if kiosk.pin_entry.mode == "B":
        rows.append(Figure(say("PIN mode B"), say("weaker"), say("PINs pass through a process of this computer.")))
    wrong = bool([*hosts, *_slots(kiosk), *second])
    heading = say("Something needs attention") if wrong else say("Every device works")
    more = (SOFTWARE,) if kiosk.settings.agent.home else ()
    page = Question("staff_status", heading, (), Figures(tuple(rows), secret=False), (BACK, *more))
    if await kiosk.ask(page) == SOFTWARE.value:
        await show_software(kiosk)


async def _second_copy(kiosk: StaffKiosk) -> list[Figure]:
    """Said only when it wants something: then a board that dies takes records along."""
    copy = await kiosk.other_copies.second_copy() if kiosk.other_copies else None
    if copy is None or not copy.why:
        return []
    return [Figure(say("Second storage of records"), MEDIUM_STATES[copy.why])]


async def _fleet(kiosk: StaffKiosk) -> list[Figure]:
    """Whether those who run this terminal from afar hear it."""
    word = await kiosk.fleet()
    if word is None:
        return []
    centre = say("Management centre")
    if not word.heard:
        return [Figure(centre, say("not heard yet"), say("{words}", words=word.trouble))]
    why = say("{words}", words=word.trouble) if word.trouble else say("Settings number {count}", count=word.settings)
    return [Figure(centre, say("heard {age} ago", age=age(kiosk, word.heard)), why)]


def _hosts(kiosk: StaffKiosk) -> Iterator[Figure]:
    """Which the terminal must not speak to, because numbers that must never repeat might."""
    for host, why in kiosk.unusable_hosts.items():
        yield Figure(HOST_NAMES[host], CONDITION_NAMES[Condition.FAULT], say("{words}", words=why))


def _keys(kiosk: StaffKiosk) -> Iterator[Figure]:
    """Keys of the pad with which nothing is done until two custodians have confirmed them, and places of which nobody
    knows that they hold what was sent."""
    doubtful = keys_in_doubt(kiosk.journal, kiosk.settings.typed_keys) if kiosk.settings.typed_keys else frozenset()
    for name in sorted(doubtful):
        yield Figure(say("Key {name}", name=name), say("not in use"), say("Two custodians must confirm it."))
    for place in sorted(places_in_doubt(kiosk.journal)):
        yield Figure(say("Key {name}", name=place), say("not known"), say("A key officer must send it again."))


def _slots(kiosk: StaffKiosk) -> Iterator[Figure]:
    for slot, health in kiosk.slot_health.items():
        if health.condition not in (Condition.READY, Condition.BUSY):
            yield Figure(SLOT_NAMES[slot], CONDITION_NAMES[health.condition], _reason(health))


def _reason(health: Health) -> Text | None:
    """The word of the glossary as it is: what staff tell the workshop."""
    return say("{words}", words=health.reason) if health.reason else None


async def _units(kiosk: StaffKiosk) -> list[Figure]:
    """Boxes and cassettes that want something. A cash module that is out of order stands among the slots."""
    found: dict[str, CashUnit] = {}
    try:
        modules = [kiosk.cash_acceptor, kiosk.cash_dispenser]
        for module in modules:
            for unit in await module.unit_status() if module else ():
                found[unit.name] = unit
    except DeviceFault:
        return []
    return [
        Figure(say("Cash unit {name}", name=unit.name), UNIT_STATES[unit.state])
        for unit in found.values()
        if unit.state in UNIT_STATES
    ]


def _money(kiosk: StaffKiosk) -> Iterator[Figure]:
    """Sums of open cases: a surplus or shortage that two people accepted is explained."""
    unsent = kiosk.books.unsent()
    if unsent.count:
        yield Figure(
            say("Messages not sent: {count}", count=unsent.count),
            Amount(unsent.sum_fen),
            say("the oldest waits {age}", age=age(kiosk, unsent.oldest_at)),
        )
    else:
        yield Figure(say("Messages not sent: {count}", count=0))
    cases = kiosk.books.open_cases()
    for field, label in (
        ("suspense_fen", say("To be explained")),
        ("surplus_fen", say("Surplus")),
        ("shortage_fen", say("Shortage")),
    ):
        about = [(case.since, getattr(case, field)) for case in cases if getattr(case, field)]
        held = Fen(abs(sum(amount for _, amount in about)))
        yield Figure(label, Amount(held), say("the oldest waits {age}", age=age(kiosk, about[0][0])) if about else None)
