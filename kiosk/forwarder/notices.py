"""Tells hosts what they are owed, each card's in order, for as long as the process runs. No host delays another one.

Repeating is safe here and only here: every notice carries its key, and the hosts' documents promise to take the same
key once. Pauses live in memory and on the monotonic clock: a clock that steps by years delays and hurries nothing.
"""

import math
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NoReturn

import trio

from kiosk.domain.card import CardIdentity, PinChange
from kiosk.domain.entries import NoticeResult, OwedNotice, Word
from kiosk.domain.loss import LostCard
from kiosk.money.pauses import over_busy_journal
from kiosk.ports import CardPlatform, HostRefused, Log, OutcomeUnknown
from kiosk.ports.outbox import Outbox
from kiosk.settings.config import HostSettings

LOOK_S = 5.0
BACK_OFF_S_MAX = 900.0
BATCH_MAX = 50  # what one commit of the journal takes
SETTLE_S = 60.0  # how long the chain may wait for what was only answered
# A host that puts off so many cards at once puts off everybody: then it is left in peace, and no long list is walked.
RESTING_LANES_MAX = 200
# A terminal that was off for longer is enrolled anew, after its journal was read by the agency.
DARK_DAYS_MAX = 730

# (host, act) -> the call that tells it. Raises HostRefused or OutcomeUnknown.
Deliveries = Mapping[tuple[str, str], Callable[[OwedNotice], Awaitable[object]]]


@dataclass(frozen=True)
class Batch:
    """How several notices of one act are told at once: a result for each, in any order.

    ``deliver`` raises HostRefused: nothing was looked at; OutcomeUnknown. ``remembers_keys_days``: what the host's
    document promises; where that is longer than a terminal may be dark, an answer needs no flush (money-rules 27).
    """

    deliver: Callable[[Sequence[OwedNotice]], Awaitable[Sequence[NoticeResult]]]
    most: int
    remembers_keys_days: int = 0

    @property
    def lazily(self) -> bool:
        return self.remembers_keys_days > DARK_DAYS_MAX


Batches = Mapping[tuple[str, str], Batch]


async def deliver_notices(
    outbox: Outbox, deliveries: Deliveries, log: Log, batches: Batches = MappingProxyType({})
) -> None:
    """For ever. Notices of a host that ``deliveries`` does not name stay owed. Every act in ``batches`` has a delivery
    of its own, too; acts at the platform and the bank are never told together."""
    assert not {host for host, _ in batches} & {"medical_insurance", "bank"}
    # In a set's order no history could be told again.
    couriers = {host: _Courier(host, outbox, deliveries, batches, log) for host, _ in deliveries}
    async with trio.open_nursery() as nursery:
        for host, courier in couriers.items():
            nursery.start_soon(over_busy_journal, log, host, courier.run)
        await over_busy_journal(log, "notices", _look_for_all, outbox, couriers)


async def _look_for_all(outbox: Outbox, couriers: Mapping[str, "_Courier"]) -> NoReturn:
    """One look for all: the other process writes, and tells no event."""
    while True:
        await trio.sleep(LOOK_S)
        for host in outbox.owed_hosts(couriers):
            couriers[host].owed.set()


class _Courier:
    """One host's deliveries. ``_resting``: lanes whose newest notice was refused, and until when they are spared."""

    def __init__(self, host: str, outbox: Outbox, deliveries: Deliveries, batches: Batches, log: Log) -> None:
        self._host, self._outbox, self._deliveries, self._log = host, outbox, deliveries, log
        self._batches = {act: batch for (its_host, act), batch in batches.items() if its_host == host}
        self._most = max((min(batch.most, BATCH_MAX) for batch in self._batches.values()), default=1)
        self._one_by_one = 0  # so many follow alone, because the host did not look at them together
        self._silences = 0  # in a row
        self._resting: dict[str, float] = {}
        self._settle_at = math.inf  # when the chain hears of what was only answered
        self.owed = trio.Event()  # to this host, and perhaps to be sent now

    async def run(self) -> None:
        await self._settle()  # of an earlier life, also where this one tells nothing together
        while True:
            now = trio.current_time()
            if now >= self._settle_at:
                await self._settle()
            self._resting = {lane: until for lane, until in self._resting.items() if until > now}
            self.owed = trio.Event()
            found = [] if len(self._resting) >= RESTING_LANES_MAX else self._due()
            if not found:
                with trio.move_on_at(min(self._settle_at, *self._resting.values(), math.inf)):
                    await self.owed.wait()
                continue
            try:
                await self._deliver(found)
            except OutcomeUnknown as silence:
                self._outbox.unanswered(*(notice.key for notice in found))
                # Silence is the host's, not the card's. What the host itself asks for wins.
                await trio.sleep(silence.retry_after_s or pause_s(self._silences, random.random()))
                self._silences += 1
            else:
                self._silences = 0

    def _due(self) -> list[OwedNotice]:
        found = self._outbox.due_together(self._host, 1 if self._one_by_one else self._most, self._resting)
        return found if found and found[0].act in self._batches else found[:1]

    async def _deliver(self, notices: list[OwedNotice]) -> None:
        """Raises OutcomeUnknown."""
        batch = self._batches.get(notices[0].act)
        if batch is None or self._one_by_one:
            await self._deliver_one(notices[0])
            return
        try:
            results = await batch.deliver(notices)
        except HostRefused as refusal:
            if refusal.retry_after_s:
                raise OutcomeUnknown(self._host, refusal.code, refusal.retry_after_s) from None
            # No verdict on any of them: perhaps one is not fit to be read, perhaps this host takes none together.
            self._log("batch_refused", host=self._host, count=len(notices), code=refusal.code)
            self._one_by_one = len(notices)
            return
        self._book(notices, {result.key: result for result in results}, batch)

    async def _deliver_one(self, notice: OwedNotice) -> None:
        """Raises OutcomeUnknown."""
        deliver = self._deliveries.get((self._host, notice.act))
        if deliver is None:  # owed by a newer program, before its update was taken back: it waits for that one
            self._log("notice_not_known", host=self._host, act=notice.act, key=notice.key)
            self._rest(notice, BACK_OFF_S_MAX)
            return
        try:
            await deliver(notice)
        except HostRefused as refusal:
            if refusal.retry_after_s:  # not now: that is no verdict on the notice
                raise OutcomeUnknown(self._host, refusal.code, refusal.retry_after_s) from None
            self._refused(notice, refusal.code)
        else:
            self._outbox.told(notice.key)
            self._log("notice_told", host=self._host, key=notice.key)
        self._one_by_one = max(0, self._one_by_one - 1)

    def _book(self, notices: list[OwedNotice], results: Mapping[str, NoticeResult], batch: Batch) -> None:
        done = [notice.key for notice in notices if results[notice.key].word is Word.DONE]
        if done:
            self._told(done, batch)
        later = [notice for notice in notices if results[notice.key].word is Word.LATER]
        if later:
            self._outbox.unanswered(*(notice.key for notice in later))
        for notice in later:
            self._rest(notice, results[notice.key].retry_after_s)
        for notice in notices:
            if results[notice.key].word is Word.REFUSED:
                self._refused(notice, results[notice.key].code)

    def _told(self, keys: list[str], batch: Batch) -> None:
        if batch.lazily:
            self._outbox.answered(*keys)
            self._settle_at = min(self._settle_at, trio.current_time() + SETTLE_S)
        else:
            self._outbox.told(*keys)
        self._log("notices_told", host=self._host, count=len(keys))

    async def _settle(self) -> None:
        while self._outbox.settle_answered(self._host):
            await trio.lowlevel.checkpoint()
        self._settle_at = math.inf

    def _refused(self, notice: OwedNotice, code: str) -> None:
        aside = self._outbox.refused(notice.key, code)
        self._rest(notice)
        self._log("notice_put_aside" if aside else "notice_refused", host=self._host, key=notice.key, code=code)

    def _rest(self, notice: OwedNotice, asked_s: float = 0.0) -> None:
        self._resting[notice.lane] = trio.current_time() + (asked_s or pause_s(notice.tries, random.random()))


def pause_s(tries: int, chance: float) -> float:
    """1 s doubling to 15 minutes, spread by up to a half so that fifty thousand terminals do not call at once."""
    full = min(BACK_OFF_S_MAX, 2.0 ** min(tries, 16))
    return full * (0.5 + chance / 2)


def card_platform_notices(card_platform: CardPlatform) -> Deliveries:
    async def pin_changed(notice: OwedNotice) -> None:
        change = _pin_change(notice)
        await card_platform.notice_pin_changed(change.card_number, change.at, change.key)

    async def loss_report(notice: OwedNotice) -> None:
        facts = notice.facts
        lost = LostCard(str(facts.get("card_number", "")), str(facts.get("personal_number", "")))
        await card_platform.report_loss(lost, str(facts["at"]), notice.key)

    async def loss_withdrawal(notice: OwedNotice) -> None:
        facts = notice.facts
        card = CardIdentity(bytes.fromhex(str(facts["chip"])), str(facts["card_number"]), "", None, None, b"")
        # Where nothing is reported any more the platform says yes. A no leaves a card reported whose holder was told
        # that it is not: a person must look, as at every other no.
        await card_platform.withdraw_loss(card, notice.key)

    calls = {"pin_changed": pin_changed, "loss_report": loss_report, "loss_withdrawal": loss_withdrawal}
    return {("card_platform", act): call for act, call in calls.items()}


def card_platform_batches(card_platform: CardPlatform, host: HostSettings) -> Batches:
    """What this card platform takes together, by its document; nothing where the settings do not say so."""
    if host.batch_items_max < 2:
        return {}

    async def pins_changed(notices: Sequence[OwedNotice]) -> Sequence[NoticeResult]:
        return await card_platform.notice_pins_changed([_pin_change(notice) for notice in notices])

    batch = Batch(pins_changed, host.batch_items_max, host.remembers_keys_days)
    return {("card_platform", "pin_changed"): batch}


def _pin_change(notice: OwedNotice) -> PinChange:
    return PinChange(notice.key, str(notice.facts["card_number"]), str(notice.facts["at"]))
