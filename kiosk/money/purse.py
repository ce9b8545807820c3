"""What the person in front has put in and not yet spent or got back: account RESIDENT, as a value."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from kiosk.domain.cash import CashUnit, Mix, UnitKind, mix_of, mix_value
from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.settlement import HOSPITAL


@dataclass
class Purse:
    inside_fen: Fen = NOTHING
    notes: int = 0
    returned: int = 0  # notes that were in escrow and went back
    register: str = HOSPITAL  # whom the money is for: where a debt of it is kept (money-rules 19)
    refused: dict[str, int] = field(default_factory=dict)  # why the device did not take what was fed -> how often


@dataclass(frozen=True)
class ChangePlan:
    """How an amount is paid out: notes, and a rest that no note here can pay."""

    mix: Mix
    rest_fen: Fen


def plan_change(amount_fen: Fen, units: Iterable[CashUnit]) -> ChangePlan:
    """Fewest notes first, from what the units say they hold. An amount of nothing is a plan of nothing.

    Exact by dynamic programming over the notes, not greedy: 60 from {50, 20, 20, 20} is three twenties.
    """
    stock: dict[Fen, int] = {}
    for unit in units:
        if unit.kind in (UnitKind.RECYCLER, UnitKind.CASSETTE) and unit.denomination and unit.count:
            stock[unit.denomination] = stock.get(unit.denomination, 0) + unit.count
    best: dict[int, dict[Fen, int]] = {0: {}}
    for denomination in sorted(stock, reverse=True):
        for paid, counts in sorted(best.items()):
            for count in range(1, min(stock[denomination], (amount_fen - paid) // denomination) + 1):
                candidate = {**counts, denomination: count}
                known = best.get(paid + count * denomination)
                if known is None or sum(candidate.values()) < sum(known.values()):
                    best[paid + count * denomination] = candidate
    paid = max(total for total in best if total <= amount_fen)
    mix = mix_of(best[paid])
    return ChangePlan(mix, Fen(amount_fen - mix_value(mix)))
