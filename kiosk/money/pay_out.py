"""Notes out: intent committed, dispensed once, booked by the exit sensor; what is not paid is owed, never retried."""

from contextlib import suppress

import trio

from kiosk.domain.books import Account, Posting, balanced
from kiosk.domain.cash import CashEvent, DispenseResult, Escrow, Mix, mix_value
from kiosk.domain.entries import NewEntry
from kiosk.domain.money import NOTHING, Fen
from kiosk.money.debts import debt_notice
from kiosk.money.purse import Purse, plan_change
from kiosk.ports import CashModule, DeviceFault, Kiosk

PASSING = ("busy", "still_enabled", "cannot_pay")  # refused now, and perhaps not in a moment
BUSY_TRIES_MAX = 3
BUSY_PAUSE_S = 2.0
DISPENSE_S_MAX = 150.0  # Puloon answers within 60 s; a customer has up to 60 s more to take the notes


async def pay_out(kiosk: Kiosk, purse: Purse, reason: str) -> Fen:
    """Give back all that is inside: notes as far as they go, the rest as a debt. Returns what was paid in notes."""
    amount = purse.inside_fen
    if not amount:
        return NOTHING
    paid = NOTHING
    try:
        dispenser = kiosk.cash_dispenser
        mix = plan_change(amount, await dispenser.unit_status()).mix if dispenser else ()
    except DeviceFault:  # nothing was asked of it yet: all of it is owed
        dispenser, mix = None, ()
    if dispenser is not None and mix:
        paid = await dispense_when_clear(kiosk, dispenser, mix, purse, reason)
    owe_rest(kiosk, purse, reason)
    return paid


async def dispense_when_clear(kiosk: Kiosk, dispenser: CashModule, mix: Mix, purse: Purse, reason: str) -> Fen:
    """A note too many may just be on its way back out. Asked again only after a refusal: surely nothing moved."""
    for _ in range(BUSY_TRIES_MAX):
        paid = await _dispense(kiosk, dispenser, mix, purse, reason)
        if paid is not None:
            return paid
        await _let_note_pass(kiosk, dispenser)
    return NOTHING


async def _let_note_pass(kiosk: Kiosk, dispenser: CashModule) -> None:
    with trio.move_on_after(BUSY_PAUSE_S), suppress(DeviceFault):
        while True:
            event = await dispenser.next_event()
            kiosk.journal.record("cash_event", kiosk.visit.case_code, what=type(event).__name__)
            dispenser.acknowledge(event)
            if isinstance(event, Escrow):
                await dispenser.return_()


async def _dispense(kiosk: Kiosk, dispenser: CashModule, mix: Mix, purse: Purse, reason: str) -> Fen | None:
    """What was paid; None: refused because a note is still moving."""
    visit = kiosk.visit
    key = kiosk.clock.new_key()
    asked = mix_value(mix)
    facts: dict[str, str | int] = {"amount_fen": asked, "reason": reason, "key": key}
    kiosk.journal.commit(
        NewEntry("dispense_intent", visit.case_code, facts, visit.identity.card_number, opens=f"dispense:{key}")
    )
    with trio.CancelScope(shield=True, deadline=trio.current_time() + DISPENSE_S_MAX):
        try:
            await dispenser.dispense(key, mix)
            result = await _result(kiosk, dispenser, key)
        except DeviceFault as fault:
            # Surely nothing moved, unless the device fell silent afterwards: then the intent stays open for recovery.
            if fault.health.condition.usable or fault.health.reason in PASSING:
                kiosk.journal.commit(
                    NewEntry("dispense_refused", visit.case_code, {"key": key}, closes=f"dispense:{key}")
                )
                return None if fault.health.reason in PASSING else NOTHING
            return _book_uncertain(kiosk, purse, key, asked)
        return _book_result(kiosk, dispenser, purse, key, asked, result)
    return _book_uncertain(kiosk, purse, key, asked)


async def _result(kiosk: Kiosk, dispenser: CashModule, key: str) -> DispenseResult:
    """Of this dispense: what is told late of an earlier life has no name, or another one."""
    while True:
        event: CashEvent = await dispenser.next_event()
        if isinstance(event, DispenseResult) and event.dispense_id == key:
            return event
        kiosk.journal.record("cash_event", kiosk.visit.case_code, what=type(event).__name__)
        dispenser.acknowledge(event)


def _book_result(
    kiosk: Kiosk, dispenser: CashModule, purse: Purse, key: str, asked: Fen, result: DispenseResult
) -> Fen:
    paid = result.presented_fen
    unaccounted = Fen(0 if result.certain else asked - paid)
    postings = _paid_postings(paid, unaccounted)
    facts: dict[str, str | int] = {
        "key": key,
        "paid_fen": paid,
        "unaccounted_fen": unaccounted,
        "rejected": result.rejected,
        "retained": result.retained,
    }
    act = "dispensed" if result.certain else "dispense_uncertain"
    kiosk.journal.commit(
        NewEntry(
            act, kiosk.visit.case_code, facts, kiosk.visit.identity.card_number, postings, closes=f"dispense:{key}"
        )
    )
    dispenser.acknowledge(result)
    purse.inside_fen = Fen(purse.inside_fen - paid - unaccounted)
    return paid


def _book_uncertain(kiosk: Kiosk, purse: Purse, key: str, asked: Fen) -> Fen:
    """No result at all: nothing is called paid and nothing unpaid. Suspense and a case (rule 15)."""
    kiosk.journal.commit(
        NewEntry(
            "dispense_uncertain",
            kiosk.visit.case_code,
            {"key": key, "paid_fen": 0, "unaccounted_fen": asked},
            kiosk.visit.identity.card_number,
            _paid_postings(NOTHING, asked),
            closes=f"dispense:{key}",
        )
    )
    purse.inside_fen = Fen(purse.inside_fen - asked)
    return NOTHING


def _paid_postings(paid: Fen, unaccounted: Fen) -> tuple[Posting, ...]:
    return balanced(
        (Account.DRUMS, -paid),
        (Account.RESIDENT, paid + unaccounted),
        (Account.SUSPENSE, -unaccounted),
    )


def owe_rest(kiosk: Kiosk, purse: Purse, reason: str) -> None:
    """What is still inside becomes a debt to the holder, and the debt register will be told by its key (rule 19)."""
    owed = purse.inside_fen
    if not owed:
        return
    visit = kiosk.visit
    key = kiosk.clock.new_key()
    card = visit.identity.card_number
    notice = debt_notice(purse.register, key, card, owed, reason)
    kiosk.journal.commit(
        NewEntry(
            "debt_owed",
            visit.case_code,
            {"amount_fen": owed, "reason": reason, "key": key, "register": purse.register},
            card,
            balanced((Account.RESIDENT, owed), (Account.HOLDER_DEBT, -owed)),
            notices=(notice,),
        )
    )
    purse.inside_fen = NOTHING
