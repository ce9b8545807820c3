"""What the agency lets terminals do without a line, and judges of it that do not read the terminal's own count.

The documents come as the port's values: their signatures, versions and files are proved elsewhere.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kiosk.domain.entries import NewEntry, StoredEntry
from kiosk.domain.money import Fen
from kiosk.domain.offline import CLOCK_BEHIND_MAX, ActLimits, CardFinding, OfflinePolicy
from simulators.cards.chip import build_number
from simulators.worlds.world import World

LISTED_STATES = ("lost", "temporarily_lost", "sealed")
ACTS = {
    "loss_report": ActLimits(Fen(0), Fen(0), 2),
    "contribution": ActLimits(Fen(60_000), Fen(80_000), 2),
    "settlement_order": ActLimits(Fen(40_000), Fen(60_000), 2),
}
UNSENT_FEN_MAX, UNSENT_COUNT_MAX = 150_000, 40


@dataclass(frozen=True)
class AgencyDocuments:
    """Implements ``ports.offline.OfflineDocuments``. ``issued_at`` is by the agency's clock, which is right."""

    world: World
    issued_at: datetime

    def policy(self, version_min: int) -> OfflinePolicy | None:
        issued = self.issued_at
        days = timedelta(days=3)
        return OfflinePolicy(1, issued, issued + 10 * days, days, days, Fen(UNSENT_FEN_MAX), UNSENT_COUNT_MAX, ACTS)

    def card(self, card_number: str, now: datetime, age_max: timedelta) -> CardFinding:
        if abs(now - self.issued_at) > age_max:
            return CardFinding.NO_LIST
        return CardFinding.LISTED if card_number in listed(self.world) else CardFinding.CLEAR


def listed(world: World) -> set[str]:
    """Card numbers that the agency's list names."""
    return {build_number(card) for card in world.cards if card.platform_state in LISTED_STATES}


@dataclass
class OfflineWatch:
    """Judges each commit that was allowed without a line (money-rules 5 and 11), by its own memory of commits."""

    world: World
    policy: OfflinePolicy
    high_water: datetime | None = None
    used: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # card, act, day
    counted: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def breaks(self, entry: NewEntry, now: datetime, unsent: tuple[int, int]) -> Iterator[str]:
        """``unsent``: how many messages and fen wait just before this commit. What is wrong, in words."""
        act, amount = str(entry.facts.get("offline", "")), int(entry.facts.get("offline_fen", 0))
        if not act:
            return
        latest = max(now, self.high_water or now)
        limits = self.policy.acts[act]
        place = (entry.card_number, act, latest.date().isoformat())
        count, fen = unsent
        if entry.card_number in listed(self.world):
            yield "listed_cards_do_nothing_offline: a listed card did"
        if latest - self.policy.issued_at > self.policy.age_max:
            yield "offline_by_policy: the policy is too old"
        if amount and latest - now > CLOCK_BEHIND_MAX:
            yield "offline_by_policy: money although the clock stands behind what it has seen"
        if amount > limits.act_fen_max or self.used[place] + amount > limits.card_day_fen_max:
            yield f"offline_by_policy: {amount} fen more than {self.used[place]} of this card and day for {act}"
        if self.counted[place] >= limits.card_day_count_max:
            yield f"offline_by_policy: {self.counted[place] + 1} times {act} of one card on one day"
        if fen + amount > self.policy.unsent_fen_max or count >= self.policy.unsent_count_max:
            yield f"offline_by_policy: {fen} fen in {count} messages wait, and {amount} fen more"

    def committed(self, entry: NewEntry, now: datetime) -> None:
        self.high_water = max(now, self.high_water or now)
        if act := str(entry.facts.get("offline", "")):
            place = (entry.card_number, act, self.high_water.date().isoformat())
            self.used[place] += int(entry.facts["offline_fen"])
            self.counted[place] += 1


def in_effect_once(entries: list[StoredEntry], credited: Mapping[str, int], reported: set[str]) -> Iterator[str]:
    """What was taken without a line stands at its host, once nothing waits any more. ``reported``: keys and cards,
    because a card that is reported already stays so by the key of before."""
    ended = {str((one.facts or {}).get("key", "")) for one in entries if one.act in ENDED}
    for entry in entries:
        facts = entry.facts or {}
        key = str(facts.get("key", ""))
        if entry.act == "contribution_received" and key not in ended and credited.get(key) != facts["amount_fen"]:
            yield f"contribution {key}: {facts['amount_fen']} fen received, {credited.get(key)} credited"
        if entry.act == "loss_report_queued" and not {key, str(facts.get("card_number", ""))} & reported:
            yield f"loss report {key} is not in force anywhere"


ENDED = ("contribution_refused", "contribution_refused_late")
