"""Collect money that the hospital's register keeps for the holder of this card: reserve, pay in notes, confirm.

Never offline, never what another place is just paying, never twice (money-rules 15, 17, 19). The register's answer
is the truth; what no note here can pay stays registered under the same voucher.
"""

from kiosk.domain.cash import mix_value
from kiosk.domain.entries import NewEntry
from kiosk.domain.settlement import Debt
from kiosk.money.debt_payout import SEEN, Payout, pay_debt, seen_facts
from kiosk.money.purse import ChangePlan, plan_change
from kiosk.ports import CashModule, DeviceFault, HostRefused, Kiosk, Outcome, OutcomeUnknown
from kiosk.services import collect_pages as pages
from kiosk.services.cash_steps import paper_of_visit, print_paper
from kiosk.services.notices import device_out, host_said_no
from kiosk.services.pin_steps import verified_pin
from kiosk.services.same_card import still_the_same_card

NEEDS = ("card_reader", "pin_pad", "receipt_printer", "cash_acceptor")
PAY_S_MAX = 500.0  # reserving, and a dispense that may be refused twice because a note is still on its way


async def collect_money(kiosk: Kiosk) -> Outcome:
    # Who is asking, and what does the register keep for them?
    ended = await verified_pin(kiosk, initial_permitted=False)
    if ended:
        return ended
    identity = kiosk.visit.identity
    try:
        found = await kiosk.wait(pages.looking(), lambda: kiosk.debt_register.found_for(identity))
    except HostRefused as refusal:
        return await host_said_no(kiosk, refusal)
    except OutcomeUnknown:
        return await _silent(kiosk)
    kiosk.journal.commit(NewEntry(SEEN, kiosk.visit.case_code, seen_facts(found), identity.card_number))
    if not found.debts:
        await kiosk.ask(pages.no_debts())
        return Outcome.DONE
    chosen = await kiosk.ask(pages.choose_debt(found))
    debt = next(one for one in found.debts if one.handle == chosen)

    # What can the notes inside pay? The resident agrees to that, and nothing goes out without its receipt.
    try:
        dispenser, plan = await _plan(kiosk, debt)
    except DeviceFault as fault:
        return await device_out(kiosk, fault)
    if not plan.mix:
        await kiosk.ask(pages.not_in_notes(debt))
        return Outcome.UNAVAILABLE
    notes = mix_value(plan.mix)
    await kiosk.ask(pages.confirm(debt, notes))
    await still_the_same_card(kiosk)

    # Reserve, pay, confirm: from here on nothing is cancelled.
    try:
        payout = await kiosk.wait(
            pages.paying(notes), lambda: pay_debt(kiosk, dispenser, debt, plan.mix), to_the_end_s=PAY_S_MAX
        )
    except HostRefused as refusal:
        return await _refused(kiosk, refusal)
    except OutcomeUnknown:
        return await _silent(kiosk)
    return await _paid(kiosk, payout)


async def _plan(kiosk: Kiosk, debt: Debt) -> tuple[CashModule, ChangePlan]:
    """Raises DeviceFault: no receipt, or nothing here that pays out."""
    if not kiosk.receipt_health.condition.usable:
        raise DeviceFault("receipt_printer", kiosk.receipt_health)
    dispenser = kiosk.cash_dispenser
    if dispenser is None:
        return kiosk.cash_acceptor, ChangePlan((), debt.amount_fen)
    return dispenser, plan_change(debt.amount_fen, await dispenser.unit_status())


async def _paid(kiosk: Kiosk, payout: Payout) -> Outcome:
    code, owed = kiosk.visit.case_code, paper_of_visit(kiosk)
    printed = owed is not None and await print_paper(kiosk, owed)
    if payout.under_check_fen:
        await kiosk.ask(pages.uncertain(code, payout, printed), card_needed=False)
        return Outcome.UNKNOWN
    if not payout.paid_fen:
        await kiosk.ask(pages.nothing_came(code), card_needed=False)
        return Outcome.UNAVAILABLE
    await kiosk.ask(pages.paid(code, payout, printed), card_needed=False)
    return Outcome.DONE


async def _refused(kiosk: Kiosk, refusal: HostRefused) -> Outcome:
    page = {"reserved_elsewhere": pages.paying_elsewhere, "paid": pages.changed, "debt_changed": pages.changed}
    if refusal.code not in page:
        return await host_said_no(kiosk, refusal, card_needed=False)
    await kiosk.ask(page[refusal.code](), card_needed=False)
    return Outcome.REFUSED


async def _silent(kiosk: Kiosk) -> Outcome:
    """Nothing was paid: a terminal that cannot ask the register never honours a debt."""
    kiosk.journal.record("host_silent", kiosk.visit.case_code, act="debts")
    await kiosk.ask(pages.register_silent(kiosk.visit.case_code), card_needed=False)
    return Outcome.UNAVAILABLE
