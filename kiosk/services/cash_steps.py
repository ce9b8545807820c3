"""What services that take notes share: feeding them, giving them back, and the paper at the end."""

from collections.abc import Callable

import trio

from kiosk.basics.race import past_recall
from kiosk.domain.health import Condition, Health
from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.receipt import Receipt
from kiosk.money.pay_out import owe_rest, pay_out
from kiosk.money.purse import Purse
from kiosk.money.receipt_records import record_notices
from kiosk.money.receipts_owed import OwedReceipt, note_print, receipts_owed
from kiosk.money.take_notes import acceptable_notes, take_one_note
from kiosk.ports import CashModule, DeviceFault, Kiosk, OutcomeUnknown, Question, ResidentLeft
from kiosk.services import bill_pages as pages
from kiosk.services.money_back import MoneyBack, on_paper
from kiosk.services.receipt_papers import compose
from kiosk.services.same_card import same_card_back, same_card_or_back

GONE = ("timeout", "card_pulled", "reader_lost")  # ways of leaving after which nobody is known to stand there
NO_MORE_NOTES = "no_more_notes"  # by the caps, or by what could be paid back
PAY_OUT_S_MAX = 200.0
PRINT_S_MAX = 60.0
DISABLE_S_MAX = 5.0

FeedPage = Callable[[Fen, Purse, tuple[Fen, ...]], Question]


async def collect_notes(
    kiosk: Kiosk, due_fen: Fen, purse: Purse, page: FeedPage, *, inside_fen_max: Fen | None = None
) -> None:
    """Notes until ``due_fen`` is inside. The same card may come back within a minute; any other never.
    ``inside_fen_max``: no note is accepted that would be more than this.

    Raises:
        Chose: the page has another answer. Back, ResidentLeft, DeviceFault: what is inside stays in ``purse``.
    """
    lit: CashModule | None = None  # the very one that was told to take notes, whatever its slot says by then
    try:
        while purse.inside_fen < due_fen:
            accepted = await acceptable_notes(kiosk, due_fen, purse)
            if inside_fen_max is not None:
                accepted = tuple(note for note in accepted if purse.inside_fen + note <= inside_fen_max)
            if not accepted:
                raise DeviceFault("cash_acceptor", Health(Condition.DEGRADED, NO_MORE_NOTES))
            await same_card_or_back(kiosk, purse)
            lit = kiosk.cash_acceptor
            await lit.enable(accepted)
            try:
                await kiosk.wait(page(due_fen, purse, accepted), lambda: take_one_note(kiosk, purse))
            except ResidentLeft as left:
                if left.how != "card_pulled" or not purse.inside_fen or not await same_card_back(kiosk):
                    raise
    finally:
        with trio.CancelScope(shield=True, deadline=trio.current_time() + DISABLE_S_MAX):
            if lit is not None:
                await lit.disable()


async def give_back(kiosk: Kiosk, purse: Purse, reason: str) -> Fen:
    """What is inside goes out again, and the screen says where; how much came in notes.

    The holder may be gone: then nothing is dispensed to whoever stands there now, and all of it is owed.
    """
    if not purse.inside_fen:
        return NOTHING
    if reason in GONE:
        owe_rest(kiosk, purse, reason)
        return NOTHING
    kiosk.screen.show(pages.notes_coming(purse.inside_fen))
    return await past_recall(lambda: pay_out(kiosk, purse, reason), PAY_OUT_S_MAX)


def paper_of_visit(kiosk: Kiosk) -> OwedReceipt | None:
    """What this visit owes on paper now: the newest, because the one before it was tried when it was made."""
    visit = kiosk.visit
    owed = [one for one in receipts_owed(kiosk.journal, visit.identity.card_number) if one.case_code == visit.case_code]
    return owed[-1] if owed else None


async def print_and_tell(kiosk: Kiosk) -> tuple[MoneyBack, bool]:
    """The visit's paper, and what it says of money that went back: the page says the same. Whether it is surely out."""
    paper = paper_of_visit(kiosk)
    if paper is None:
        return MoneyBack(), False
    return on_paper(paper), await print_paper(kiosk, paper)


async def print_paper(kiosk: Kiosk, owed: OwedReceipt, *, reprint: bool = False) -> bool:
    """Whether it is surely out. Else it stays owed: reprinted by the same card, marked 补打 (money-rules 23)."""
    receipt: Receipt = compose(kiosk, owed, reprint=reprint)
    note_print(kiosk, owed, "receipt_intent")
    try:
        await past_recall(lambda: kiosk.print_receipt(receipt), PRINT_S_MAX)
    except (DeviceFault, OutcomeUnknown, trio.TooSlowError) as problem:
        kiosk.log("receipt_not_confirmed", error=type(problem).__name__)
        note_print(kiosk, owed, "receipt_not_confirmed")
        return False
    note_print(kiosk, owed, "receipt_delivered", record_notices(kiosk, owed, reprint=reprint))
    return True
