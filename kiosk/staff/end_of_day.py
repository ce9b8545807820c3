"""End of day: what moved and what is there, account by account; the device's own counts beside the books; on paper.

A difference between books and device is not explained away here: it becomes an open case that a blind count settles.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from kiosk.domain.books import Account
from kiosk.domain.entries import NewEntry
from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.receipt import LineStyle, Receipt, ReceiptLine
from kiosk.domain.text import Amount, Day, Grouped, Text, say
from kiosk.money.row_code import row_code
from kiosk.ports import Answer, Figure, Figures, Question, Role, Tone
from kiosk.ports.staff import StaffKiosk
from kiosk.staff.approve import print_for_staff
from kiosk.staff.count import refused_while_money_moves, tell
from kiosk.staff.counted import TILLS, Till
from kiosk.staff.places import PlaceDifference, open_differences, place_difference
from kiosk.staff.visit import OnDuty, still_there

Differing = Sequence[tuple[Till, PlaceDifference]]
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
    Account.AGENCY: say("Contributions credited"),
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
    differing = [(till, found) for till in TILLS if (found := await place_difference(kiosk, till))]
    await kiosk.ask(_page(kiosk, at_end, within, differing))

    await still_there(kiosk, duty)
    open_differences(kiosk, differing, kiosk.visit.case_code, duty.staff.staff_id)
    facts: dict[str, str | int] = {"staff": duty.staff.staff_id, "day": today.isoformat(), "receipt_owed": 1}
    facts |= {f"{account.value}_fen": amount for account, amount in at_end.items()}
    seq = kiosk.journal.commit(NewEntry("end_of_day", kiosk.visit.case_code, facts))
    receipt = replace(_receipt(kiosk, duty, at_end, within, differing), qr=row_code(kiosk, seq))  # an anchor a day
    printed = await print_for_staff(kiosk, receipt, kiosk.visit.case_code)
    words = say("The receipt is printed.") if printed else say("The receipt did not come out. The booking stands.")
    await tell(kiosk, "staff_day_ended", say("Booked"), words, tone=Tone.DONE if printed else Tone.CAUTION)


def difference_rows(differing: Differing) -> Iterator[Figure]:
    for till, difference in differing:
        value = Amount(difference.fen) if difference.fen else say("{count} notes", count=difference.notes)
        yield Figure(say("Device and books differ"), value, ACCOUNT_NAMES[till.account], heading=True)


def difference_lines(differing: Differing) -> Iterator[ReceiptLine]:
    for row in difference_rows(differing):
        yield ReceiptLine(say("{name}: {amount}", name=row.label, amount=row.value or ""), LineStyle.BOLD)
        if row.note:
            yield ReceiptLine(row.note)


def _page(
    kiosk: StaffKiosk, at_end: Mapping[Account, Fen], within: Mapping[Account, Fen], differing: Differing
) -> Question:
    rows = [
        Figure(name, Amount(at_end.get(account, NOTHING)), _moved(within.get(account, NOTHING)))
        for account, name in ACCOUNT_NAMES.items()
        if account in at_end or account in within
    ]
    rows = [*difference_rows(differing), *rows]
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
    differing: Differing,
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
    lines += difference_lines(differing)
    lines.append(ReceiptLine(say("Open cases: {count}", count=len(kiosk.books.open_cases()))))
    amount = Amount(unsent.sum_fen)
    lines.append(ReceiptLine(say("Unsent messages: {count}, {amount}", count=unsent.count, amount=amount)))
    return Receipt(tuple(lines))
