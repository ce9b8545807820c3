"""Tells hosts what they are owed, each card's in order, for as long as the process runs. No host delays another one.

Repeating is safe here and only here: every notice carries its key, and the hosts' documents promise to take the same
key once. Pauses live in memory and on the monotonic clock: a clock that steps by years delays and hurries nothing.
"""

import random
from collections.abc import Awaitable, Callable, Mapping

import trio

from kiosk.domain.entries import OwedNotice
from kiosk.ports import CardPlatform, HostRefused, Log, OutcomeUnknown
from kiosk.ports.outbox import Outbox

LOOK_S = 5.0
BACK_OFF_S_MAX = 900.0

# (host, act) -> the call that tells it. Raises HostRefused or OutcomeUnknown.
Deliveries = Mapping[tuple[str, str], Callable[[OwedNotice], Awaitable[object]]]


async def deliver_notices(outbox: Outbox, deliveries: Deliveries, log: Log) -> None:
    """For ever. Notices of a host that ``deliveries`` does not name stay owed."""
    async with trio.open_nursery() as nursery:
        for host in dict.fromkeys(host for host, _ in deliveries):  # in a set's order no history could be told again
            nursery.start_soon(_Courier(host, outbox, deliveries, log).run)


class _Courier:
    """One host's deliveries. ``_resting``: lanes whose newest notice was refused, and until when they are spared."""

    def __init__(self, host: str, outbox: Outbox, deliveries: Deliveries, log: Log) -> None:
        self._host, self._outbox, self._deliveries, self._log = host, outbox, deliveries, log
        self._resting: dict[str, float] = {}

    async def run(self) -> None:
        while True:
            now = trio.current_time()
            self._resting = {lane: until for lane, until in self._resting.items() if until > now}
            notice = self._outbox.due(self._host, self._resting)
            if notice is None:
                await trio.sleep(min([LOOK_S, *(until - now for until in self._resting.values())]))
                continue
            try:
                await self._deliveries[self._host, notice.act](notice)
            except HostRefused as refusal:
                await self._refused(notice, refusal)
            except OutcomeUnknown as silence:
                self._outbox.unanswered(notice.key)
                # Silence is the host's, not the card's. What the host itself asks for wins.
                await trio.sleep(silence.retry_after_s or pause_s(notice.tries, random.random()))
            else:
                self._outbox.told(notice.key)
                self._log("notice_told", host=self._host, key=notice.key)

    async def _refused(self, notice: OwedNotice, refusal: HostRefused) -> None:
        if refusal.retry_after_s:  # not now: that is no verdict on the notice
            self._outbox.unanswered(notice.key)
            await trio.sleep(refusal.retry_after_s)
            return
        aside = self._outbox.refused(notice.key, refusal.code)
        self._resting[notice.lane] = trio.current_time() + pause_s(notice.tries, random.random())
        self._log("notice_put_aside" if aside else "notice_refused", host=self._host, key=notice.key, code=refusal.code)


def pause_s(tries: int, chance: float) -> float:
    """1 s doubling to 15 minutes, spread by up to a half so that fifty thousand terminals do not call at once."""
    full = min(BACK_OFF_S_MAX, 2.0 ** min(tries, 16))
    return full * (0.5 + chance / 2)


def card_platform_notices(card_platform: CardPlatform) -> Deliveries:
    async def pin_changed(notice: OwedNotice) -> None:
        facts = notice.facts
        await card_platform.notice_pin_changed(str(facts["card_number"]), str(facts["at"]), notice.key)

    return {("card_platform", "pin_changed"): pin_changed}
