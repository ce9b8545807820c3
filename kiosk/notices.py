"""Tells hosts what they are owed, oldest first, for as long as the kiosk runs.

Repeating is safe here and only here: every notice carries its key, and the hosts' documents promise to take the same
key once. Moves to the forwarder when there is more to forward than notices.
"""

import random
from typing import Protocol

import trio

from kiosk.domain.entries import OwedNotice
from kiosk.ports import CardPlatform, HostRefused, Log, OutcomeUnknown

LOOK_S = 5.0
BACK_OFF_S_MAX = 900.0


class NoticeQueue(Protocol):
    """The journal's other half: what is still owed."""

    def next_notice(self) -> OwedNotice | None: ...
    def notice_ended(self, key: str, state: str) -> None: ...
    def notice_unanswered(self, key: str) -> None: ...


async def deliver_notices(queue: NoticeQueue, card_platform: CardPlatform, log: Log) -> None:
    while True:
        notice = queue.next_notice()
        if notice is None:
            await trio.sleep(LOOK_S)
            continue
        try:
            await _deliver(notice, card_platform)
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


async def _deliver(notice: OwedNotice, card_platform: CardPlatform) -> None:
    assert (notice.host, notice.act) == ("card_platform", "pin_changed"), "no other notice exists yet"
    await card_platform.notice_pin_changed(str(notice.facts["card_number"]), str(notice.facts["at"]), notice.key)
