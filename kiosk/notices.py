"""Tells hosts what they are owed, oldest first, for as long as the kiosk runs. A silent host delays no other one.

Repeating is safe here and only here: every notice carries its key, and the hosts' documents promise to take the same
key once. Moves to the forwarder when there is more to forward than notices.
"""

import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import trio

from kiosk.domain.entries import OwedNotice
from kiosk.ports import CardPlatform, HostRefused, Log, OutcomeUnknown

LOOK_S = 5.0
BACK_OFF_S_MAX = 900.0

# (host, act) -> the call that tells it. Raises HostRefused or OutcomeUnknown.
Deliveries = Mapping[tuple[str, str], Callable[[OwedNotice], Awaitable[object]]]


class NoticeQueue(Protocol):
    """The journal's other half: what is still owed."""

    def next_notice(self, host: str) -> OwedNotice | None: ...
    def notice_ended(self, key: str, state: str) -> None: ...
    def notice_unanswered(self, key: str) -> None: ...


async def deliver_notices(queue: NoticeQueue, deliveries: Deliveries, log: Log) -> None:
    """For ever. Notices of a host that ``deliveries`` does not name stay owed."""
    async with trio.open_nursery() as nursery:
        for host in dict.fromkeys(host for host, _ in deliveries):  # in a set's order no history could be told again
            nursery.start_soon(_deliver_to, host, queue, deliveries, log)


async def _deliver_to(host: str, queue: NoticeQueue, deliveries: Deliveries, log: Log) -> None:
    while True:
        notice = queue.next_notice(host)
        if notice is None:
            await trio.sleep(LOOK_S)
            continue
        try:
            await deliveries[notice.host, notice.act](notice)
        except HostRefused as refusal:
            queue.notice_ended(notice.key, "refused")
            log("notice_refused", host=notice.host, key=notice.key, code=refusal.code)
        except OutcomeUnknown:
            queue.notice_unanswered(notice.key)
            await trio.sleep(pause_s(notice.tries, random.random()))
        else:
            queue.notice_ended(notice.key, "told")
            log("notice_told", host=notice.host, key=notice.key)


def pause_s(tries: int, chance: float) -> float:
    """1 s doubling to 15 minutes, spread by up to a half so that fifty thousand terminals do not call at once."""
    full = min(BACK_OFF_S_MAX, 2.0 ** min(tries, 16))
    return full * (0.5 + chance / 2)


def card_platform_notices(card_platform: CardPlatform) -> Deliveries:
    async def pin_changed(notice: OwedNotice) -> None:
        facts = notice.facts
        await card_platform.notice_pin_changed(str(facts["card_number"]), str(facts["at"]), notice.key)

    return {("card_platform", "pin_changed"): pin_changed}
