"""Pay contributions in notes: resident pension or medical insurance, one year, one grade.

Without the line the money is received within the agency's limits, told later by its key, and never called credited.
"""

from dataclasses import replace
from functools import partial

from kiosk.domain.contribution import ContributionKind, PayableContribution
from kiosk.domain.entries import Facts
from kiosk.domain.money import NOTHING, Fen
from kiosk.money.contributions import (
    ACT,
    FINAL,
    Contributing,
    begin,
    book_credited,
    book_refused,
    received_entry,
    received_only,
    tell_contribution,
)
from kiosk.money.debts import AGENCY
from kiosk.money.purse import Purse
from kiosk.ports import Back, CardGone, DeviceFault, HostRefused, Kiosk, Outcome, OutcomeUnknown, ResidentLeft
from kiosk.ports.offline import NotAllowedOffline
from kiosk.services import contribution_pages as pages
from kiosk.services.cash_steps import collect_notes, give_back, paper_of_visit, print_and_tell, print_paper
from kiosk.services.notices import device_out, host_said_no
from kiosk.services.offline_pages import refused_offline
from kiosk.services.pin_steps import verified_pin
from kiosk.services.same_card import still_the_same_card

NEEDS = ("card_reader", "pin_pad", "receipt_printer", "cash_acceptor")
CREDIT_S_MAX = 30.0


async def pay_contributions(kiosk: Kiosk) -> Outcome:
    # Who is asking, and what may they pay? Without the line, what the region lays down.
    ended = await verified_pin(kiosk, initial_permitted=False)
    if ended:
        return ended
    visit = kiosk.visit
    try:
        payable = await kiosk.wait(
            pages.looking(), lambda: kiosk.social_insurance.payable(visit.identity, visit.holder)
        )
        offline = False
    except HostRefused as refusal:
        return await host_said_no(kiosk, refusal)
    except OutcomeUnknown:
        refused = kiosk.offline.refusal(ACT, Fen(1))
        if refused:
            return await refused_offline(kiosk, ACT, refused)
        payable, offline = _by_the_region(kiosk), True
    # What this card left here and the agency has not heard of is not paid again, and goes first.
    waiting = received_only(kiosk.journal, visit.identity.card_number)
    payable = tuple(replace(one, received=(one.kind, one.year) in waiting) for one in payable)
    if not any(one.open for one in payable):
        await kiosk.ask(pages.nothing_to_pay(payable))
        return Outcome.DONE

    # Which insurance, which year, how much? Nothing is taken unless a receipt can be printed.
    wanted = pages.chosen(payable, await kiosk.ask(pages.choose(payable)))
    contributing = await _graded(kiosk, wanted)
    if offline:
        refused = kiosk.offline.refusal(ACT, contributing.amount_fen)
        if refused:
            return await refused_offline(kiosk, ACT, refused)
    await kiosk.ask(pages.confirm(contributing, offline=offline))
    if not kiosk.receipt_health.condition.usable:
        return await device_out(kiosk, DeviceFault("receipt_printer", kiosk.receipt_health))

    # Notes. Until they are received for the agency everything can be taken back.
    purse = Purse(register=AGENCY)
    begin(kiosk, contributing)
    try:
        await collect_notes(kiosk, contributing.amount_fen, purse, pages.feed_notes)
        await still_the_same_card(kiosk)
        received = _receive(kiosk, contributing, purse, offline)
    except NotAllowedOffline as not_now:
        await _undo(kiosk, purse, "refused")
        return await refused_offline(kiosk, ACT, not_now.refusal, card_needed=False)
    except DeviceFault as fault:
        await _undo(kiosk, purse, "device")
        return await device_out(kiosk, fault, card_needed=False)
    except (Back, CardGone, ResidentLeft) as left:
        await _undo(kiosk, purse, left.how if isinstance(left, ResidentLeft) else "stopped")
        raise

    # Received. The agency is told once; its own process repeats it by the same key, in the order of this card.
    return await _settled(kiosk, contributing, received, purse, tell=not (offline or waiting))


async def _graded(kiosk: Kiosk, wanted: PayableContribution) -> Contributing:
    amount = wanted.grades_fen[0]
    if len(wanted.grades_fen) > 1:
        amount = Fen(int(await kiosk.ask(pages.choose_grade(wanted))))
    return Contributing(wanted.kind, wanted.year, amount, kiosk.clock.new_key())


def _by_the_region(kiosk: Kiosk) -> tuple[PayableContribution, ...]:
    """Whether a year is paid already nobody can say now: then the money comes back to its holder later."""
    rules = kiosk.settings.contributions
    grades = {
        ContributionKind.RESIDENT_PENSION: rules.pension_grades_fen,
        ContributionKind.RESIDENT_MEDICAL: rules.medical_grades_fen,
    }
    return tuple(
        PayableContribution(kind, rules.year, tuple(Fen(one) for one in fen))
        for kind, fen in grades.items()
        if fen and rules.year
    )


def _receive(kiosk: Kiosk, contributing: Contributing, purse: Purse, offline: bool) -> Facts:
    """What the agency is told of it, by whomever. Raises NotAllowedOffline: the agency's limits are judged again, with
    nothing between; nothing is written."""
    entry = received_entry(kiosk, contributing)
    if offline:
        kiosk.offline.commit(ACT, contributing.amount_fen, entry)
    else:
        kiosk.journal.commit(entry)
    purse.inside_fen = Fen(purse.inside_fen - contributing.amount_fen)
    return entry.notices[0].facts


async def _settled(kiosk: Kiosk, contributing: Contributing, received: Facts, purse: Purse, *, tell: bool) -> Outcome:
    credited, refusal = False, None
    told = partial(tell_contribution, kiosk.social_insurance, received)
    if tell:
        try:
            number = await kiosk.wait(pages.crediting(), told, to_the_end_s=CREDIT_S_MAX)
            book_credited(kiosk, contributing, number)
            credited = True
        except HostRefused as no:
            refusal = no if no.code in FINAL else None
        except OutcomeUnknown:
            pass  # perhaps credited: the forwarder finds out by the same key
    if refusal:
        book_refused(kiosk, contributing, refusal.code, purse)
    await give_back(kiosk, purse, "refused" if refusal else "change")
    back, printed = await print_and_tell(kiosk)
    paid = pages.Paid(NOTHING if refusal else contributing.amount_fen, back, printed, kiosk.visit.case_code)
    if refusal:
        await kiosk.ask(pages.not_credited(refusal, paid), card_needed=False)
        return Outcome.REFUSED
    await kiosk.ask(pages.credited(paid) if credited else pages.received(paid), card_needed=False)
    return Outcome.DONE


async def _undo(kiosk: Kiosk, purse: Purse, reason: str) -> None:
    """Nothing was received for the agency: notes back, or owed where nobody is known to stand there."""
    inside = purse.inside_fen
    await give_back(kiosk, purse, reason)
    if inside:
        await _print(kiosk)


async def _print(kiosk: Kiosk) -> bool:
    """Whether this visit's receipt is surely out."""
    owed = paper_of_visit(kiosk)
    return owed is not None and await print_paper(kiosk, owed)
