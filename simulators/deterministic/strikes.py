"""One kind of message goes astray just when it is sent: its question, its answer, or somebody else was quicker.

A network that loses something now and then seldom loses the one message that matters. What is laid here waits for the
next messages of its label (``hosts.label_of``), however late they come, and is used up by them.
"""

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulators.deterministic.terminal import Terminal

REGISTERS = ("hospital", "social_insurance")  # hosts that keep one of debts
# Of these the question, or only the answer, may be lost.
LABELS = (
    "2206",
    "2207",
    "2208",
    "2601",
    "5203",
    "hospital claims",
    "hospital claims/extend",
    "hospital claims/release",
    "hospital payments",
    "hospital deposits",
    "hospital deposits/undone",
    "hospital debts",
    "hospital debts/reserve",
    "hospital debts/confirm",
    "social_insurance debts/reserve",
    "social_insurance contributions",
    "card_platform loss-reports",
    "card_platform loss-withdrawals",
    "bank 0200",
    "bank 0220",
    "bank 0400",
)
TIMES = (1, 1, 2, 4)  # in a row; after three of most the terminal goes on without an answer
QUICKER = "another terminal is quicker"
Lay = Callable[["Terminal", random.Random], None]


def _lost(label: str, fate: str) -> Lay:
    def lay(one: "Terminal", chance: random.Random) -> None:
        one.network.strikes.setdefault(label, []).extend([lambda: fate] * chance.choice(TIMES))

    return lay


def _quicker(one: "Terminal", chance: random.Random) -> None:
    """It reserves every voucher that nobody holds, a moment before ours arrives, and takes its time to pay."""

    def reserved() -> str:
        reserve_elsewhere(one)
        return ""

    for host in REGISTERS:
        one.network.strikes.setdefault(f"{host} debts/reserve", []).append(reserved)


def reserve_elsewhere(one: "Terminal") -> None:
    for debts in [one.hosts[name].debts for name in REGISTERS]:
        for row in debts.standing():
            if not row.reserved_by:
                debts.reserve(row.voucher, f"elsewhere-{row.serial}", one.now())


def pay_elsewhere(one: "Terminal") -> None:
    for debts in [one.hosts[name].debts for name in REGISTERS]:
        for row in debts.standing():
            if row.reserved_by == f"elsewhere-{row.serial}":
                debts.confirm(row.voucher, row.left_fen, row.reserved_by)


STRIKES: dict[str, Lay] = {
    **{f"{label} unheard": _lost(label, "lose_question") for label in LABELS},
    **{f"{label} unanswered": _lost(label, "lose_answer") for label in LABELS},
    QUICKER: _quicker,
}
