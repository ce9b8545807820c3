"""End of day: what moved and what is there, account by account; the device's own counts beside the books; on paper.

A difference between books and device is not explained away here: it becomes an open case that a blind count settles.
"""

from collections.abc import Mapping

from kiosk.domain.books import Account
from kiosk.domain.cash import CashUnit, UnitKind
from kiosk.domain.entries import NewEntry
from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.receipt import LineStyle, Receipt, ReceiptLine
from kiosk.domain.text import Amount, Day, Grouped, Text, say
from kiosk.ports import Answer, DeviceFault, Figure, Figures, Question, Role, Tone
from kiosk.ports.staff import StaffKiosk
from kiosk.staff.approve import print_for_staff
from kiosk.staff.count import refused_while_money_moves, tell
from kiosk.staff.visit import OnDuty, still_there

ACCOUNT_NAMES: dict[Account, Text] = {
    Account.ESCROW: say("Escrow"),
    Account.CASH_BOX: say("Cash box"),
    Account.DRUMS: say("Cassettes"),
    Account.OUTLET: say("Outlet"),
    Account.VAULT: say("Carried out and in"),
    Account.HOSPITAL: say("Hospital"),
    Account.HOLDER_DEBT: say("Owed to holders"),
    Account.BANK_CLEARING: say("Bank clearing"),
    Account.PERSONAL_ACCOUNT: say("Personal accounts"),
    Account.CONTRIBUTIONS: say("Contributions received"),
    Account.RESIDENT: say("In a visit"),
    Account.SUSPENSE: say("To be explained"),
    Account.SURPLUS: say("Surplus"),
    Account.SHORTAGE: say("Shortage"),
}


async def end_of_day(kiosk: StaffKiosk, duty: OnDuty) -> None:
    """Raises: Back, ResidentLeft, CardGone, DeviceFault, NotStaff."""
    if await refused_while_money_moves(kiosk):
        return
    today = kiosk.clock.now().date()
    at_end, within = kiosk.books.day(today.isoformat())
    drums = await _device_drums(kiosk)
    difference = NOTHING if drums is None else Fen(drums - at_end.get(Account.DRUMS, NOTHING))
    await kiosk.ask(_page(kiosk, at_end, within, difference))

    await still_there(kiosk, duty)
    _open_difference(kiosk, duty, difference)
    facts: dict[str, str | int] = {"staff": duty.staff.staff_id, "day": today.isoformat(), "receipt_owed": 1}
    facts |= {f"{account.value}_fen": amount for account, amount in at_end.items()}
    kiosk.journal.commit(NewEntry("end_of_day", kiosk.visit.case_code, facts))
    receipt = _receipt(kiosk, duty, at_end, within, difference)
    printed = await print_for_staff(kiosk, receipt, kiosk.visit.case_code)
    words = say("The receipt is printed.") if printed else say("The receipt did not come out. The booking stands.")
    await tell(kiosk, "staff_day_ended", say("Booked"), words, tone=Tone.DONE if printed else Tone.CAUTION)


async def _device_drums(kiosk: StaffKiosk) -> Fen | None:
    """What the device says that its drums and cassettes hold; None where it does not count, or does not answer."""
    units: dict[str, CashUnit] = {}
    try:
        for module in (kiosk.cash_acceptor, kiosk.cash_dispenser):
            for unit in await module.unit_status() if module else ():
                if unit.kind in (UnitKind.RECYCLER, UnitKind.CASSETTE):
                    units[unit.name] = unit
    except DeviceFault:
        return None
    if not units or any(unit.count is None or unit.denomination is None for unit in units.values()):
        return None
    return Fen(sum((unit.count or 0) * (unit.denomination or 0) for unit in units.values()))


def _open_difference(kiosk: StaffKiosk, duty: OnDuty, difference: Fen) -> None:
    """Nothing is posted: only a hand count says which of the two is wrong. The case stays until one was booked."""
    if not difference:
        return
    facts: dict[str, str | int] = {"staff": duty.staff.staff_id, "difference_fen": difference}
    kiosk.journal.commit(NewEntry("device_differs", kiosk.visit.case_code, facts))


def _page(kiosk: StaffKiosk, at_end: Mapping[Account, Fen], within: Mapping[Account, Fen], difference: Fen) -> Question:
    rows = [
        Figure(name, Amount(at_end.get(account, NOTHING)), _moved(within.get(account, NOTHING)))
        for account, name in ACCOUNT_NAMES.items()
        if account in at_end or account in within
    ]
    if difference:
        rows.insert(0, Figure(say("Device and books differ"), Amount(difference), heading=True))
    return Question(
        "staff_end_of_day",
        say("Balances of {day}", day=Day(kiosk.clock.now().date())),
        (),
        Figures(tuple(rows), secret=False),
        (Answer("back", say("Go back"), Role.BACK), Answer("print", say("Print it"), Role.MAIN)),
    )


def _moved(amount: Fen) -> Text | None:
    return say("Moved {amount} today", amount=Amount(amount)) if amount else None


def _receipt(
    kiosk: StaffKiosk,
    duty: OnDuty,
    at_end: Mapping[Account, Fen],
    within: Mapping[Account, Fen],
    difference: Fen,
) -> Receipt:
    unsent = kiosk.books.unsent()
    lines = [
        ReceiptLine(say("End of day {day}", day=Day(kiosk.clock.now().date())), LineStyle.BIG),
        ReceiptLine(say("Terminal {number}", number=kiosk.settings.terminal.terminal_id)),
        ReceiptLine(say("Number: {code}", code=Grouped(kiosk.visit.case_code))),
        ReceiptLine(say("Staff: {staff}", staff=duty.staff.staff_id)),
        ReceiptLine(say("{words}", words=""), LineStyle.RULE),
    ]
    for account, name in ACCOUNT_NAMES.items():
        if account in at_end or account in within:
            amount = Amount(at_end.get(account, NOTHING))
            lines.append(ReceiptLine(say("{name}: {amount}", name=name, amount=amount), LineStyle.BOLD))
            moved = _moved(within.get(account, NOTHING))
            lines += [ReceiptLine(moved)] if moved else []
    lines.append(ReceiptLine(say("{words}", words=""), LineStyle.RULE))
    if difference:
        lines.append(ReceiptLine(say("Device and books differ: {amount}", amount=Amount(difference)), LineStyle.BOLD))
    lines.append(ReceiptLine(say("Open cases: {count}", count=len(kiosk.books.open_cases()))))
    amount = Amount(unsent.sum_fen)
    lines.append(ReceiptLine(say("Unsent messages: {count}, {amount}", count=unsent.count, amount=amount)))
    return Receipt(tuple(lines))
