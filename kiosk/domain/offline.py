"""What may be done while the line is down: the agency's signed limits, and one judgement over them (money-rules 5, 11).

Limits stand on the journal's high-water time: a clock set back reopens nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from kiosk.domain.money import NOTHING, Fen


@dataclass(frozen=True)
class ActLimits:
    """For one kind of act, e.g. ``settlement_order``. Acts without money have amounts of 0."""

    act_fen_max: Fen
    card_day_fen_max: Fen
    card_day_count_max: int


@dataclass(frozen=True)
class OfflinePolicy:
    """An act that is not named is not allowed offline. ``unsent``: what this terminal did and no host knows yet."""

    version: int
    issued_at: datetime
    expires_at: datetime
    age_max: timedelta
    hotlist_age_max: timedelta
    unsent_fen_max: Fen
    unsent_count_max: int
    acts: Mapping[str, ActLimits] = field(default_factory=dict)


@dataclass(frozen=True)
class OfflineUse:
    """What was already done offline: by this card on this day (of the high-water time) in this act; by all, unsent."""

    card_day_fen: Fen
    card_day_count: int
    unsent_fen: Fen
    unsent_count: int


@dataclass(frozen=True)
class TerminalTime:
    """``high_water``: the latest moment the journal has seen. ``confirmed``: by an RTC, or by a host since boot."""

    now: datetime
    high_water: datetime
    confirmed: bool


class CardFinding(Enum):
    """What the hotlist says of a card. LISTED may be a chance in millions: a person must look, nobody is accused."""

    CLEAR = "clear"
    LISTED = "listed"
    NO_LIST = "no_list"  # none that can be trusted, or too old


class OfflineRefusal(Enum):
    """Why not. None blames the resident."""

    ASK_STAFF = "ask_staff"
    NO_HOTLIST = "no_hotlist"
    NO_PIN = "no_pin"  # money needs the chip's PIN of this visit
    NO_POLICY = "no_policy"
    POLICY_OLD = "policy_old"
    NOT_OFFLINE = "not_offline"  # this act needs the line
    ACT_TOO_LARGE = "act_too_large"
    CARD_DAY_FULL = "card_day_full"
    TERMINAL_FULL = "terminal_full"
    CLOCK = "clock"


CLOCK_BEHIND_MAX = timedelta(minutes=2)  # what an ordinary correction of the clock may take back


def offline_refusal(
    policy: OfflinePolicy | None, act: str, amount_fen: Fen, use: OfflineUse, time: TerminalTime
) -> OfflineRefusal | None:
    """Why this act may not be done offline now; None: it may. Asked before the resident is, and again at the commit."""
    if policy is None:
        return OfflineRefusal.NO_POLICY
    latest = max(time.now, time.high_water)
    if latest - policy.issued_at > policy.age_max or latest > policy.expires_at:
        return OfflineRefusal.POLICY_OLD
    behind = max(time.high_water, policy.issued_at) - time.now > CLOCK_BEHIND_MAX
    if amount_fen and (behind or not time.confirmed):
        return OfflineRefusal.CLOCK
    limits = policy.acts.get(act)
    if limits is None:
        return OfflineRefusal.NOT_OFFLINE
    if amount_fen > limits.act_fen_max:
        return OfflineRefusal.ACT_TOO_LARGE
    if use.card_day_fen + amount_fen > limits.card_day_fen_max or use.card_day_count >= limits.card_day_count_max:
        return OfflineRefusal.CARD_DAY_FULL
    if use.unsent_fen + amount_fen > policy.unsent_fen_max or use.unsent_count >= policy.unsent_count_max:
        return OfflineRefusal.TERMINAL_FULL
    return None


def most_offline_fen(policy: OfflinePolicy | None, act: str, use: OfflineUse) -> Fen:
    """The largest amount that no limit of money is in the way of; nothing where the act is not allowed at all."""
    limits = policy.acts.get(act) if policy else None
    if policy is None or limits is None:
        return NOTHING
    left = (limits.act_fen_max, limits.card_day_fen_max - use.card_day_fen, policy.unsent_fen_max - use.unsent_fen)
    return Fen(max(NOTHING, min(left)))
