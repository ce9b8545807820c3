"""What may have become of a case's money: a short list for a person to choose from, and what each choice books."""

from collections.abc import Iterator
from dataclasses import dataclass

from kiosk.domain.books import Account, Posting, balanced
from kiosk.domain.cases import OpenCase
from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.text import Text, say


@dataclass(frozen=True)
class Remedy:
    """``moves``: from which account to which, or nothing. ``name`` is journaled: never rename one."""

    name: str
    words: Text
    moves: tuple[Account, Account] | None = None


PAID_OUT = "paid_out"
_OWED = (
    Remedy("holder", say("It is the holder's"), (Account.SUSPENSE, Account.HOLDER_DEBT)),
    Remedy("hospital", say("It is the hospital's"), (Account.SUSPENSE, Account.HOSPITAL)),
    Remedy(PAID_OUT, say("It was paid out after all"), (Account.SUSPENSE, Account.SHORTAGE)),
    Remedy("nobody", say("It is nobody's: a surplus"), (Account.SUSPENSE, Account.SURPLUS)),
)
_MISSING = (Remedy("lost", say("It is lost: a shortage"), (Account.SUSPENSE, Account.SHORTAGE)),)
_SURPLUS = (
    Remedy("holder", say("It is the holder's"), (Account.SURPLUS, Account.HOLDER_DEBT)),
    Remedy("hospital", say("It is the hospital's"), (Account.SURPLUS, Account.HOSPITAL)),
    Remedy("stays", say("It stays a surplus")),
)
_SHORTAGE = (
    Remedy("hospital", say("The hospital bears it"), (Account.SHORTAGE, Account.HOSPITAL)),
    Remedy("stays", say("It stays a shortage")),
)
_FOUND_NOTE = Remedy(
    "found_note", say("The note was found: it is the holder's"), (Account.SURPLUS, Account.HOLDER_DEBT)
)
TELL_AGAIN = Remedy("tell_again", say("Tell the host once more"))
_EXPLAINED = Remedy("explained", say("Explained: nothing to book"))


_ALL = (*_OWED, *_MISSING, *_SURPLUS, *_SHORTAGE, _FOUND_NOTE, TELL_AGAIN, _EXPLAINED)
REMEDY_WORDS = {one.name: one.words for one in reversed(_ALL)}  # the first of a name says it best


@dataclass(frozen=True)
class Stake:
    """What a case is about: an account, and what stands there for it. ``lost_note_fen``: of a note nobody found.

    ``aside``: keys of notices that a host refused. A case that is closed without telling it again gives them up.
    """

    account: Account | None
    amount_fen: Fen
    card_number: str = ""
    lost_note_fen: Fen = NOTHING
    aside: tuple[str, ...] = ()


def stake_of(case: OpenCase, card_number: str = "", lost_note_fen: Fen = NOTHING, aside: tuple[str, ...] = ()) -> Stake:
    for account, amount in (
        (Account.SUSPENSE, case.suspense_fen),
        (Account.SURPLUS, case.surplus_fen),
        (Account.SHORTAGE, case.shortage_fen),
    ):
        if amount:
            return Stake(account, amount, card_number, lost_note_fen, aside)
    return Stake(None, NOTHING, card_number, lost_note_fen, aside)


def remedies(stake: Stake) -> tuple[Remedy, ...]:
    """Those that fit. What is the holder's needs a card that it can be owed to."""
    return tuple(one for one in _fitting(stake) if stake.card_number or not _to_holder(one))


def _fitting(stake: Stake) -> Iterator[Remedy]:
    match stake.account:
        case Account.SUSPENSE:
            yield from _OWED if stake.amount_fen < 0 else _MISSING
        case Account.SURPLUS:
            yield from _SURPLUS
        case Account.SHORTAGE:
            yield from _SHORTAGE
        case _:
            if stake.lost_note_fen:
                yield _FOUND_NOTE
            if stake.aside:
                yield TELL_AGAIN
            yield _EXPLAINED


def _to_holder(remedy: Remedy) -> bool:
    return remedy.moves is not None and remedy.moves[1] is Account.HOLDER_DEBT


def owed_fen(remedy: Remedy, stake: Stake) -> Fen:
    """What the holder is owed from here on."""
    return Fen(abs(_moved(remedy, stake))) if _to_holder(remedy) else NOTHING


def postings(remedy: Remedy, stake: Stake) -> tuple[Posting, ...]:
    moved = _moved(remedy, stake)
    if remedy.moves is None or not moved:
        return ()
    source, target = remedy.moves
    return balanced((source, -moved), (target, moved))


def _moved(remedy: Remedy, stake: Stake) -> Fen:
    """As it stands in the books: what is owed is negative."""
    return Fen(-stake.lost_note_fen) if remedy is _FOUND_NOTE else stake.amount_fen
