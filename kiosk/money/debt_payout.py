"""A registered debt is paid in notes: reserve, pay, confirm, all under one key (money-rules 19).

What surely went out is confirmed, and the rest stays registered. Where it is not certain what went out, the reserve
stays as it is: neither paid nor free, so that no other terminal pays a second time, until a person has looked.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kiosk.domain.books import Account, balanced
from kiosk.domain.cash import Mix, mix_value
from kiosk.domain.entries import Facts, NewEntry, NewNotice, StoredEntry
from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.settlement import HOSPITAL, Debt, FoundDebts
from kiosk.money.debts import register_of
from kiosk.money.pay_out import dispense_when_clear
from kiosk.money.purse import Purse
from kiosk.ports import CashModule, HostRefused, Journal, Kiosk, OutcomeUnknown

CASE_CLOSED, SEEN = "case_closed", "debts_seen"
SMALLEST_NOTE_FEN = 100  # what is less is paid at the counter
_PAYS = ("dispensed", "dispense_uncertain")


@dataclass(frozen=True)
class Payout:
    """How a payout ended. ``left_fen`` stays registered."""

    paid_fen: Fen
    under_check_fen: Fen
    left_fen: Fen


async def pay_debt(kiosk: Kiosk, dispenser: CashModule, debt: Debt, mix: Mix) -> Payout:
    """Pay ``mix`` of this debt. To be run past recall.

    Raises:
        HostRefused: nothing was paid; ``debt_changed`` is ours: it is not the amount that the resident agreed to.
        OutcomeUnknown: the register is silent; nothing was paid.
    """
    intent = _intend(kiosk, debt, mix_value(mix))
    try:
        reserved = await kiosk.debt_register.reserve(debt, str(_facts(intent)["key"]))
    except HostRefused as refusal:
        told: Facts = {**_named(intent), "code": refusal.code}
        kiosk.journal.commit(NewEntry("payout_refused", intent.case_code, told, closes=_effect(intent)))
        raise
    except OutcomeUnknown:
        end_payout(kiosk.journal, intent, NOTHING)
        raise
    if reserved.amount_fen != debt.amount_fen:
        end_payout(kiosk.journal, intent, NOTHING)
        raise HostRefused("hospital", "debt_changed")
    purse = Purse(mix_value(mix))
    facts = {**_facts(intent), "receipt_owed": 1}
    taken = balanced((Account.HOLDER_DEBT, purse.inside_fen), (Account.RESIDENT, -purse.inside_fen))
    kiosk.journal.commit(NewEntry("debt_reserved", intent.case_code, facts, kiosk.visit.identity.card_number, taken))
    await dispense_when_clear(kiosk, dispenser, mix, purse, "debt")
    return end_payout(kiosk.journal, intent, purse.inside_fen)


def _intend(kiosk: Kiosk, debt: Debt, amount: Fen) -> StoredEntry:
    key = kiosk.clock.new_key()
    visit = kiosk.visit
    facts: dict[str, str | int] = {
        "key": key,
        "voucher": debt.voucher_number,
        "amount_fen": amount,
        "debt_fen": debt.amount_fen,
        "register": debt.register,
    }
    card = visit.identity.card_number
    kiosk.journal.commit(NewEntry("payout_intent", visit.case_code, facts, card, opens=f"payout:{key}"))
    return next(one for one in kiosk.journal.open_effects() if one.act == "payout_intent" and _facts(one)["key"] == key)


def end_payout(journal: Journal, intent: StoredEntry, unpaid: Fen) -> Payout:
    """Book what became of it, by what its dispense booked; the register hears of it by the payout's key.

    Also after a power cut, and whether or not the register ever heard of the reserve. ``unpaid``: what surely did not
    go out; it is owed as before.
    """
    since = [one for one in journal.story(intent.case_code) if one.seq > intent.seq and one.act in _PAYS]
    paid = Fen(sum(int(_facts(one)["paid_fen"]) for one in since))
    under_check = Fen(sum(int(_facts(one)["unaccounted_fen"]) for one in since))
    left = Fen(int(_facts(intent)["debt_fen"]) - paid - under_check)
    facts: Facts = {**_named(intent), "paid_fen": paid, "unaccounted_fen": under_check, "left_fen": left}
    act, notice = _told(intent, paid, under_check)
    kiosk_owes = balanced((Account.RESIDENT, unpaid), (Account.HOLDER_DEBT, -unpaid))
    card = str(_facts(intent).get("card_number", ""))
    journal.commit(NewEntry(act, intent.case_code, facts, card, kiosk_owes, closes=_effect(intent), notices=notice))
    return Payout(paid, under_check, left)


@dataclass(frozen=True)
class EndedReserves:
    """What registers hear at last of payouts that were uncertain. ``kept_fen`` is owed under their vouchers still."""

    notices: tuple[NewNotice, ...]
    kept_fen: Fen


def ended_by_people(story: Iterable[StoredEntry], paid_fen: Fen) -> EndedReserves | None:
    """Two people have said how much of it was paid after all. Its reserve ends by its own key: what is not paid stays
    under the old voucher and is not registered a second time. None: the case is about no payout, or it has ended.

    A visit may leave several, all of one holder: what was paid counts for the oldest first.
    """
    doubtful: list[StoredEntry] = []
    for entry in story:
        if entry.act == "payout_uncertain":
            doubtful.append(entry)
        elif entry.act == CASE_CLOSED:
            doubtful = []
    notices: list[NewNotice] = []
    kept = 0
    for payout in doubtful:
        facts = _facts(payout)
        unaccounted = int(facts["unaccounted_fen"])
        after_all = min(unaccounted, paid_fen)
        paid_fen = Fen(paid_fen - after_all)
        kept += unaccounted - after_all
        notices += _told(payout, Fen(int(facts["paid_fen"]) + after_all), NOTHING)[1]
    return EndedReserves(tuple(notices), Fen(kept)) if notices else None


def _told(intent: StoredEntry, paid: Fen, under_check: Fen) -> tuple[str, tuple[NewNotice, ...]]:
    key = str(_facts(intent)["key"])
    if under_check:
        return "payout_uncertain", ()
    if paid:
        return "debt_paid_out", (
            NewNotice(_register(intent), "debt_confirm", key, {**_named(intent), "paid_fen": paid}, paid),
        )
    return "payout_given_up", (NewNotice(_register(intent), "debt_give_back", key, _named(intent)),)


def _register(intent: StoredEntry) -> str:
    return str(_facts(intent).get("register", HOSPITAL))


def _named(intent: StoredEntry) -> dict[str, str | int]:
    facts = _facts(intent)
    return {"key": facts["key"], "voucher": facts["voucher"], "register": _register(intent)}


def _effect(intent: StoredEntry) -> str:
    return f"payout:{_facts(intent)['key']}"


def _facts(entry: StoredEntry) -> Facts:
    assert entry.facts is not None, "the period of an open effect is never destroyed"
    return entry.facts


def owes_here(journal: Journal, card_number: str) -> bool:
    """Whether this terminal wrote down a debt to this card, and the holder has not looked at its register since.

    What another terminal owes is not known here; the register tells it when it is asked.
    """
    not_seen: set[str] | None = None  # registers that were silent each time the holder looked; None: they have not
    for entry in reversed(journal.of_card(card_number)):
        facts = entry.facts or {}
        if entry.act == SEEN:
            silent = set(str(facts.get("silent", "")).split())
            not_seen = silent if not_seen is None else not_seen & silent
        if not_seen is not None and not not_seen:
            return False
        owed = facts.get("amount_fen", 0) if entry.act == "debt_owed" else facts.get("owed_fen", 0)
        if int(owed) >= SMALLEST_NOTE_FEN and (not_seen is None or _owed_by(journal, entry) in not_seen):
            return True
    return False


def seen_facts(found: FoundDebts) -> Facts:
    """Of the entry that says that the holder looked."""
    return {"count": len(found.debts), **({"silent": " ".join(found.silent)} if found.silent else {})}


def _owed_by(journal: Journal, entry: StoredEntry) -> str:
    """A program of before did not write it down."""
    return str((entry.facts or {}).get("register", "")) or register_of(journal.story(entry.case_code))
