"""What of a visit's money went out again, on the last page as on its paper: out, owed, not certain that it came out."""

from collections.abc import Sequence
from dataclasses import dataclass

from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.text import Amount, Text, say
from kiosk.money.receipts_owed import OwedReceipt

LINES_MAX = 4  # of a page at its largest type


@dataclass(frozen=True)
class MoneyBack:
    """``under_check_fen`` is neither paid nor owed until two people have looked: nobody promises it."""

    paid_fen: Fen = NOTHING
    owed_fen: Fen = NOTHING
    under_check_fen: Fen = NOTHING


def on_paper(paper: OwedReceipt) -> MoneyBack:
    return MoneyBack(paper.paid_out_fen, paper.owed_fen, paper.under_check_fen)


def told(about: Sequence[Text], back: MoneyBack, *, printed: bool, change: bool = True) -> tuple[Text, ...]:
    """``about`` what was done, then change, then what did not come out. Where this is more than a page holds, the end
    of what surely happened is left to the paper. ``change`` False: ``about`` says itself what came out."""
    missing = _not_out(back)
    if not printed:
        missing.append(say("The receipt is kept for you. Print it later with your card."))
    sure = [*about]
    if back.paid_fen and change:
        sure.append(say("Your change was {change}.", change=Amount(back.paid_fen)))
    return (*sure[: LINES_MAX - len(missing)], *missing)


def under_check(back: MoneyBack) -> list[Text]:
    if not back.under_check_fen:
        return []
    return [say("{amount} is being checked. Look in the outlet.", amount=Amount(back.under_check_fen))]


def number_to_tell(back: MoneyBack, code: str, printed: bool) -> str:
    """Of the visit, for the page: the paper carries it, where one came out, and money that is looked for is asked about
    at once."""
    return "" if printed and not back.under_check_fen else code


def _not_out(back: MoneyBack) -> list[Text]:
    lines = []
    if back.owed_fen:
        lines.append(say("We still owe you {amount}: ask at the counter.", amount=Amount(back.owed_fen)))
    return lines + under_check(back)
