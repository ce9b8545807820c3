"""What this card may still do while the line is down, judged before the resident is asked and again at the commit.

What was done stands in the journal: each such entry keeps act, amount and day of the high-water time among its sealed
facts, so that a restart and a clock set back forget nothing (money-rules 5).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kiosk.domain.entries import NewEntry, StoredEntry
from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.offline import (
    CardFinding,
    OfflinePolicy,
    OfflineRefusal,
    OfflineUse,
    TerminalTime,
    most_offline_fen,
    offline_refusal,
)
from kiosk.ports import Clock, Journal, Visit
from kiosk.ports.offline import NotAllowedOffline, OfflineDocuments

IN_FORCE, HOTLIST_IN_FORCE = "offline_policy_in_force", "hotlist_in_force"


class NoDocuments:
    """Of a terminal that provisioning gave none: implements ``ports.offline.OfflineDocuments`` and allows nothing."""

    def policy(self, version_min: int) -> OfflinePolicy | None:
        return None

    def card(self, card_number: str, now: datetime, age_max: timedelta) -> CardFinding:
        return CardFinding.NO_LIST


NO_DOCUMENTS = NoDocuments()


@dataclass(frozen=True)
class NewestUsed:
    """Implements ``ports.offline.NewestSeen``: by the journal, so that no restart and no other program forgets it."""

    journal: Journal
    act: str

    def version(self) -> int:
        known = self.journal.last(self.act)
        return int((known.facts or {}).get("version", 0)) if known else 0

    def note(self, version: int) -> None:
        self.journal.record(self.act, version=version)


@dataclass(frozen=True)
class OfflineLimits:
    """Implements ``ports.Offline``. ``visit``: the one that is going on. ``time_confirmed``: by an RTC, or by a host
    since boot."""

    journal: Journal
    clock: Clock
    documents: OfflineDocuments
    visit: Callable[[], Visit]
    time_confirmed: Callable[[], bool]

    def refusal(self, act: str, amount_fen: Fen = NOTHING) -> OfflineRefusal | None:
        policy, time = self._policy(), self._time()
        if policy is not None:
            finding = self._card_finding(policy, time)
            if finding is not CardFinding.CLEAR:
                return OfflineRefusal.ASK_STAFF if finding is CardFinding.LISTED else OfflineRefusal.NO_HOTLIST
        if amount_fen and not self.visit().pin_verified:
            return OfflineRefusal.NO_PIN
        return offline_refusal(policy, act, amount_fen, self._use(act, time), time)

    def most_fen(self, act: str) -> Fen:
        return most_offline_fen(self._policy(), act, self._use(act, self._time()))

    def commit(self, act: str, amount_fen: Fen, entry: NewEntry) -> int:
        refused = self.refusal(act, amount_fen)
        if refused is not None:
            raise NotAllowedOffline(refused)
        used: dict[str, str | int] = {"offline": act, "offline_fen": amount_fen, "offline_day": _day(self._time())}
        facts = {**entry.facts, **used}
        return self.journal.commit(replace(entry, facts=facts, card_number=self.visit().identity.card_number))

    def card_finding(self) -> CardFinding:
        policy = self._policy()
        return CardFinding.NO_LIST if policy is None else self._card_finding(policy, self._time())

    def _card_finding(self, policy: OfflinePolicy, time: TerminalTime) -> CardFinding:
        card = self.visit().identity.card_number
        return self.documents.card(card, max(time.now, time.high_water), policy.hotlist_age_max)

    def _policy(self) -> OfflinePolicy | None:
        """The newest that was ever in force here: nobody brings yesterday's rules back."""
        used = NewestUsed(self.journal, IN_FORCE)
        version_min = used.version()
        policy = self.documents.policy(version_min)
        if policy is not None and policy.version > version_min:
            used.note(policy.version)
        return policy

    def _time(self) -> TerminalTime:
        now = self.clock.now()
        return TerminalTime(now, self.journal.high_water() or now, self.time_confirmed())

    def _use(self, act: str, time: TerminalTime) -> OfflineUse:
        mine = [entry for entry in self.journal.of_card(self.visit().identity.card_number) if _counts(entry, act, time)]
        fen = sum([int((entry.facts or {})["offline_fen"]) for entry in mine])
        count, unsent_fen = self.journal.unsent()
        return OfflineUse(Fen(fen), len(mine), unsent_fen, count)


def _counts(entry: StoredEntry, act: str, time: TerminalTime) -> bool:
    facts = entry.facts or {}
    return facts.get("offline") == act and facts.get("offline_day") == _day(time)


def _day(time: TerminalTime) -> str:
    latest: datetime = max(time.now, time.high_water)
    return latest.date().isoformat()
