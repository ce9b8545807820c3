"""Receipts composed from what the journal has sealed: the same words at once, later, and as a reprint (补打).

Every one shows what is due, paid, owed and under check, as far as there is any of it (money-rules 23).
"""

from datetime import datetime

from kiosk.domain.contribution import ContributionKind
from kiosk.domain.entries import Facts
from kiosk.domain.identity import mask_name
from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.receipt import LineStyle, Receipt, ReceiptLine
from kiosk.domain.text import Amount, Day, Grouped, Name, Text, say, verbatim
from kiosk.money.means import ACCOUNT
from kiosk.money.receipts_owed import OwedReceipt
from kiosk.money.row_code import row_code
from kiosk.ports import Kiosk
from kiosk.services.contribution_pages import KIND_NAMES

_TITLES = {
    "bill": say("Medical bill: settled"),
    "bill_pending": say("Outcome pending: do not pay again"),
    "deposit": say("Inpatient deposit: credited"),
    "deposit_pending": say("Deposit received, not credited yet: do not pay again"),
    "deposit_refused": say("Inpatient deposit: not credited"),
    "deposit_unpaid": say("Inpatient deposit: not paid in"),
    "debt_paid": say("Money that was owed to you: paid out"),
    "money": say("Your money back"),
    "refund": say("Medical bill: given back, unpaid again"),
    "deposit_refund": say("Inpatient deposit: given back"),
    "card_refund": say("Money back to your bank card"),
    "order_pending": say("Received, not settled"),
    "contribution": say("Contribution: credited"),
    "contribution_pending": say("Contribution received, not credited yet"),
    "contribution_refused": say("Contribution: not credited"),
    "order_ended": say("Medical bill: not settled"),
}

# Short, for a row in a list.
_NAMES = {
    "bill": say("Medical bill"),
    "bill_pending": say("Bill: outcome pending"),
    "deposit": say("Inpatient deposit"),
    "deposit_pending": say("Deposit: not credited yet"),
    "deposit_refused": say("Deposit: not credited"),
    "deposit_unpaid": say("Deposit: not paid in"),
    "debt_paid": say("Money paid out"),
    "money": say("Money back"),
    "refund": say("Bill given back"),
    "deposit_refund": say("Deposit given back"),
    "card_refund": say("Back to your bank card"),
    "order_pending": say("Bill left here: not settled yet"),
    "contribution": say("Contribution"),
    "contribution_pending": say("Contribution: not credited yet"),
    "contribution_refused": say("Contribution: not credited"),
    "order_ended": say("Bill left here: not settled"),
}
# Why a bill that was left was not settled. What is not named here, the counter explains.
_WHY_ENDED = {
    "taken_back": say("You took it back."),
    "outside_consent": say("Your part is more than you agreed to."),
    "bill_changed": say("The bill is higher now than when you left it."),
    "bill_gone": say("The hospital has no open bill of this number any more."),
    "paid_elsewhere": say("The bill was paid elsewhere meanwhile."),
    "order_too_old": say("The line was down for too long."),
    "insurance_not_in_force": say("Your medical insurance is not in force now."),
}
_BY_CARD_TOO = ("bill", "deposit", "deposit_refused")


def compose(kiosk: Kiosk, owed: OwedReceipt, *, reprint: bool) -> Receipt:
    """``owed`` on paper, with the number and the time of the visit that it belongs to."""
    title = ReceiptLine(_TITLES[owed.kind], LineStyle.BOLD)
    marked = (ReceiptLine(say("Reprint"), LineStyle.BIG),) if reprint else ()
    about = {
        "bill": _bill,
        "bill_pending": _bill_pending,
        "deposit": _deposit,
        "deposit_pending": _deposit,
        "deposit_refused": _deposit,
        "deposit_unpaid": _deposit,
        "debt_paid": _debt_paid,
        "refund": _refund,
        "deposit_refund": _deposit_refund,
        "card_refund": _card_refund,
        "order_pending": _order,
        "contribution": _contribution,
        "contribution_pending": _contribution,
        "contribution_refused": _contribution,
        "order_ended": _order_ended,
    }.get(owed.kind, _nothing)
    lines = [*_heading(kiosk, owed), *about(owed.facts), *_money(owed), *_what_next(kiosk, owed)]
    return Receipt((title, *marked, *(ReceiptLine(line) for line in lines)), qr=row_code(kiosk, owed.paper))


def name_of(owed: OwedReceipt) -> Text:
    return _NAMES[owed.kind]


def day_of(owed: OwedReceipt) -> Day:
    return Day(datetime.fromisoformat(owed.at).date())


def _heading(kiosk: Kiosk, owed: OwedReceipt) -> list[Text]:
    terminal = kiosk.settings.terminal.terminal_id
    at = datetime.fromisoformat(owed.at)
    return [
        say("Card holder: {name}", name=Name(mask_name(kiosk.visit.holder.name))),
        say("Terminal {terminal}, number {code}", terminal=terminal, code=Grouped(owed.case_code)),
        say("{day} {time}", day=Day(at.date()), time=f"{at:%H:%M}"),
    ]


def _bill(facts: Facts) -> list[Text]:
    lines = [
        *_department(facts),
        say("Bill in all: {amount}", amount=_amount(facts, "total_fen")),
        say("Insurance fund: {amount}", amount=_amount(facts, "fund_fen")),
        say("Medical account: {amount}", amount=_amount(facts, "account_fen", "shared_account_fen")),
        *(_by_card(facts) or [say("Paid in cash: {amount}", amount=_amount(facts, "cash_fen"))]),
        say("Settlement number: {number}", number=str(facts.get("settlement_id", ""))),
        say("This is a receipt, not an invoice."),
    ]
    if "invoice_code" in facts:
        lines.append(say("Electronic invoice code: {code}", code=str(facts["invoice_code"])))
    return lines


def _by_card(facts: Facts) -> list[Text]:
    """Enough to find the payment at the bank, and no number that could be used."""
    if "bank_reference" not in facts:
        return []
    return [
        say("Paid by bank card: {amount}", amount=_amount(facts, "bank_amount_fen")),
        say("Card {number}", number=str(facts["bank_card_first6_last4"])),
        say("Bank reference: {number}", number=str(facts["bank_reference"])),
    ]


def _bill_pending(facts: Facts) -> list[Text]:
    lines = _department(facts)
    if "total_fen" in facts:
        lines.append(say("Bill in all: {amount}", amount=_amount(facts, "total_fen")))
    if facts.get("at_bank_fen"):
        lines.append(say("By bank card, under check: {amount}", amount=_amount(facts, "at_bank_fen")))
    lines.append(say("Your cash under check: {amount}", amount=_amount(facts, "held_fen")))
    return lines


def _deposit(facts: Facts) -> list[Text]:
    lines = [
        *_department(facts),
        say("Hospital stay: {number}", number=str(facts.get("admission", ""))),
        say("Deposit: {amount}", amount=_amount(facts, "amount_fen")),
    ]
    if "hospital_number" in facts:
        lines.append(say("The hospital's number: {number}", number=str(facts["hospital_number"])))
    if "held_fen" in facts and not _by_card(facts):
        lines.append(say("Your cash under check: {amount}", amount=_amount(facts, "held_fen")))
    lines += _by_card(facts)
    if "given_back_fen" in facts:
        lines.append(say("Back to your bank card: {amount}", amount=_amount(facts, "given_back_fen")))
    if _at_bank(facts):
        lines.append(say("By bank card, under check: {amount}", amount=Amount(_at_bank(facts))))
    return [*lines, say("This is a receipt, not an invoice.")]


def _at_bank(facts: Facts) -> Fen:
    """What a bank card paid for something that is not credited, and may still come back."""
    if "at_bank_fen" in facts:
        return Fen(int(facts["at_bank_fen"]))
    not_credited = ("code" in facts or "held_fen" in facts) and "given_back_fen" not in facts
    return Fen(int(facts["bank_amount_fen"])) if not_credited and _by_card(facts) else NOTHING


def _debt_paid(facts: Facts) -> list[Text]:
    return [
        say("Voucher number: {number}", number=str(facts["voucher"])),
        say("Owed to you before: {amount}", amount=_amount(facts, "debt_fen")),
    ]


def _refund(facts: Facts) -> list[Text]:
    lines = [
        say("Bill in all: {amount}", amount=_amount(facts, "total_fen")),
        say("Back to your medical account: {amount}", amount=_amount(facts, "account_fen", "shared_account_fen")),
        say("Settlement number: {number}", number=str(facts["settlement_id"])),
        _agreed(facts),
    ]
    return [*lines, *_back_on_card(facts), say("The electronic invoice of this bill is void.")]


def _deposit_refund(facts: Facts) -> list[Text]:
    return [
        *_department(facts),
        say("Hospital stay: {number}", number=str(facts["admission"])),
        say("Deposit: {amount}", amount=_amount(facts, "amount_fen")),
        _agreed(facts),
        *_back_on_card(facts),
    ]


def _card_refund(facts: Facts) -> list[Text]:
    return [*_by_card(facts), _agreed(facts), *_back_on_card(facts)]


def _agreed(facts: Facts) -> Text:
    return say("Staff: {staff}", staff=f"{facts['counter']}, {facts['approver']}")


def _back_on_card(facts: Facts) -> list[Text]:
    """Only what the bank has confirmed is on the card again."""
    if "bank_trace_number" not in facts:
        return []
    amount = _amount(facts, "bank_amount_fen")
    if "given_back_fen" in facts:
        return [say("Back to your bank card: {amount}", amount=amount)]
    return [say("Not yet back on your bank card: {amount}", amount=amount)]


def _contribution(facts: Facts) -> list[Text]:
    lines = [
        say("Insurance: {insurance}", insurance=KIND_NAMES[ContributionKind(str(facts["kind"]))]),
        say("Year: {year}", year=str(facts["year"])),
        say("Amount: {amount}", amount=_amount(facts, "amount_fen")),
    ]
    if "number" in facts:
        lines.append(say("The office's number: {number}", number=str(facts["number"])))
    return lines


def _order(facts: Facts) -> list[Text]:
    by_account = facts["means"] == ACCOUNT
    most = say("From your medical account, at most: {amount}", amount=_amount(facts, "most_fen"))
    held = say("Your cash, kept for you: {amount}", amount=_amount(facts, "most_fen"))
    return [
        *_department(facts),
        say("Bill in all: {amount}", amount=_amount(facts, "total_fen")),
        most if by_account else held,
        say("It is settled when the line is back, within this amount."),
        say("This is a receipt, not an invoice."),
    ]


def _order_ended(facts: Facts) -> list[Text]:
    return [
        *_department(facts),
        say("Bill in all: {amount}", amount=_amount(facts, "total_fen")),
        _WHY_ENDED.get(str(facts["code"]), say("The counter can tell you why.")),
        say("Nothing was taken for it."),
        *(() if facts["code"] in ("paid_elsewhere", "bill_gone") else (say("Pay it here or at the counter."),)),
    ]


def _nothing(facts: Facts) -> list[Text]:
    return []


def _money(owed: OwedReceipt) -> list[Text]:
    """What went out, what is owed, and what nobody knows yet."""
    if owed.kind == "debt_paid":
        left = Fen(int(owed.facts["debt_fen"]) - owed.paid_out_fen - owed.under_check_fen)
        lines = [
            say("Paid out in notes: {amount}", amount=Amount(owed.paid_out_fen)),
            say("Still owed to you: {amount}", amount=Amount(left)),
        ]
    else:
        paid = say("Change paid out: {amount}", amount=Amount(owed.paid_out_fen))
        if owed.kind in ("money", "refund", "deposit_refund", "contribution_refused"):
            paid = say("Paid back to you: {amount}", amount=Amount(owed.paid_out_fen))
        lines = [paid, say("Still owed to you: {amount}", amount=Amount(owed.owed_fen))]
        in_notes = owed.paid_out_fen or owed.owed_fen or "bank_trace_number" not in owed.facts
        if owed.kind == "card_refund" or (owed.kind == "deposit_refund" and not in_notes):
            lines = []
        if owed.kind == "order_ended":
            lines = lines[1:] if owed.owed_fen else []
        # A contribution that is only received may have had change; where nothing came back nobody needs to read that.
        nothing_back = owed.kind != "contribution_pending" or not (owed.paid_out_fen or owed.owed_fen)
        waits = owed.kind.endswith(("_pending", "_unpaid")) and nothing_back
        if waits or (owed.kind in _BY_CARD_TOO and not in_notes):
            lines = []
    if owed.under_check_fen:
        lines.append(say("Not certain that it came out: {amount}", amount=Amount(owed.under_check_fen)))
    return lines


def _what_next(kiosk: Kiosk, owed: OwedReceipt) -> list[Text]:
    number = kiosk.settings.terminal.telephone
    lines = []
    if owed.owed_fen:
        at_agency = owed.kind.startswith("contribution")
        hospital = say("Get it with this card at this terminal or at the hospital counter.")
        lines.append(say("Get it with this card at this terminal or at the counter.") if at_agency else hospital)
    if owed.kind == "order_pending":
        lines.append(say("Insert this card again later: the result is printed at this hospital's terminals."))
    elif owed.kind.endswith("_pending"):
        lines.append(say("Insert this card again later: the result is printed here."))
    if owed.kind.endswith("_pending") or owed.under_check_fen or _at_bank(owed.facts):
        lines.append(say("Ask with the number above, or call {number}.", number=number))
    return [*lines, say("Keep this paper: its code is the proof.")]


def _department(facts: Facts) -> list[Text]:
    department = str(facts.get("department", ""))
    return [say("Department: {department}", department=verbatim(department))] if department else []


def _amount(facts: Facts, *names: str) -> Amount:
    return Amount(Fen(sum(int(facts.get(name, 0)) for name in names)))
