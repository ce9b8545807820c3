"""What may have become of a case's money: a short list for a person to choose from, and what each choice books.

One remedy for the whole of it, or several, each for a part: then the parts make the whole, to the fen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kiosk.domain.books import Account, Posting, balanced
from kiosk.domain.cases import OpenCase
from kiosk.domain.entries import Facts
from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.text import Text, say


@dataclass(frozen=True)
class Remedy:
    """``moves``: from which account to which, or nothing. ``name`` is journaled: never rename one."""

    name: str
    words: Text
    moves: tuple[Account, Account] | None = None


PAID_OUT = "paid_out"
_OF_A_RESERVE = ("holder", PAID_OUT)
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


SPLIT = Remedy("split", say("It is split: part this, part that"))
_ALL = (*_OWED, *_MISSING, *_SURPLUS, *_SHORTAGE, _FOUND_NOTE, TELL_AGAIN, _EXPLAINED, SPLIT)
REMEDY_WORDS = {one.name: one.words for one in reversed(_ALL)}  # the first of a name says it best


@dataclass(frozen=True)
class Stake:
    """What a case is about: an account, and what stands there for it. ``lost_note_fen``: of a note nobody found.

    ``aside``: keys of notices that a host refused. A case that is closed without telling it again gives them up.
    ``reserved``: it is about a payout of a registered debt, which was paid or is still the holder's. ``of_card``: a
    bank card paid it for nothing, and it goes back to that card by a refund, never as a debt in notes (money-rules 18).
    ``overtaken``: told now, one of them would undo what its holder said later.
    """

    account: Account | None
    amount_fen: Fen
    card_number: str = ""
    lost_note_fen: Fen = NOTHING
    aside: tuple[str, ...] = ()
    reserved: bool = False
    of_card: bool = False
    overtaken: bool = False

    @property
    def signed_fen(self) -> Fen:
        """As it stands in the books: what is owed is negative."""
        return self.amount_fen or Fen(-self.lost_note_fen)

    @property
    def whole_fen(self) -> Fen:
        """What there is to be explained."""
        return Fen(abs(self.signed_fen))


@dataclass(frozen=True)
class Part:
    """``amount_fen``: never negative; 0 only where there is nothing to book."""

    remedy: Remedy
    amount_fen: Fen


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
    can_owe = stake.card_number and not stake.of_card
    return tuple(one for one in _fitting(stake) if can_owe or not _to_holder(one))


def can_be_split(stake: Stake) -> bool:
    return stake.account is not None and len(remedies(stake)) > 1


def _fitting(stake: Stake) -> Iterator[Remedy]:
    match stake.account:
        case Account.SUSPENSE if stake.amount_fen > 0:
            yield from _MISSING
        case Account.SUSPENSE:
            yield from (one for one in _OWED if not stake.reserved or one.name in _OF_A_RESERVE)
        case Account.SURPLUS:
            yield from _SURPLUS
        case Account.SHORTAGE:
            yield from _SHORTAGE
        case _:
            if stake.lost_note_fen:
                yield _FOUND_NOTE
            if stake.aside and not stake.overtaken:
                yield TELL_AGAIN
            yield _EXPLAINED


def _to_holder(remedy: Remedy) -> bool:
    return remedy.moves is not None and remedy.moves[1] is Account.HOLDER_DEBT


def whole(remedy: Remedy, stake: Stake) -> tuple[Part, ...]:
    return (Part(remedy, stake.whole_fen),)


def part_facts(parts: Sequence[Part]) -> dict[str, str | int]:
    """For a journal entry; ``parts_of`` is the inverse."""
    if len(parts) == 1:
        return {"remedy": parts[0].remedy.name}
    return {"remedy": SPLIT.name} | {f"{one.remedy.name}_part_fen": one.amount_fen for one in parts}


def parts_of(facts: Facts, stake: Stake) -> tuple[Part, ...]:
    """What was proposed; () where it does not fit this stake, or does not make the whole of it."""
    fitting = remedies(stake)
    if facts["remedy"] != SPLIT.name:
        return next((whole(one, stake) for one in fitting if one.name == facts["remedy"]), ())
    named = {name.removesuffix("_part_fen"): int(fen) for name, fen in facts.items() if name.endswith("_part_fen")}
    parts = tuple(Part(one, Fen(named[one.name])) for one in fitting if one.name in named)
    made = sum(one.amount_fen for one in parts)
    return parts if len(parts) == len(named) and made == stake.whole_fen else ()


def amount_of(parts: Sequence[Part], name: str) -> Fen:
    return Fen(sum(one.amount_fen for one in parts if one.remedy.name == name))


def owed_fen(parts: Sequence[Part]) -> Fen:
    """What the holder is owed from here on."""
    return Fen(sum(one.amount_fen for one in parts if _to_holder(one.remedy)))


def postings(parts: Sequence[Part], stake: Stake) -> tuple[Posting, ...]:
    """Of all parts, in one commit."""
    sign = -1 if stake.signed_fen < 0 else 1
    moved: dict[Account, int] = {}
    for part in parts:
        for account, way in zip(part.remedy.moves or (), (-sign, sign), strict=False):
            moved[account] = moved.get(account, 0) + way * part.amount_fen
    return balanced(*((account, amount) for account, amount in moved.items() if amount))
