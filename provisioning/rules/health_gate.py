"""Whether the kiosk is as well with new settings as it was before: else the last ones come back by themselves."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

import msgspec

USABLE = ("ready", "busy", "degraded")
OK = ("ok", "warn")
OTHERS = "the kiosk has not read them yet"


class Verdict(Enum):
    WAIT = "wait"
    GOOD = "good"
    BAD = "bad"


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """How the kiosk was at one moment. ``life`` names its process, ``settings`` the file that it read; ``slots``: slot
    -> condition and reason; ``hosts``: host -> verdict of its self-test (``doctor``), those that were tried."""

    life: str = ""
    settings: str = ""
    shut: str = ""
    slots: dict[str, tuple[str, str]] = {}
    hosts: dict[str, str] = {}


def look_of(health: Mapping[str, Any], doctor: list[list[str]] | None = None) -> Look:
    """From the kiosk's own answers."""
    slots = {name: (str(slot["condition"]), str(slot["reason"])) for name, slot in health.get("slots", {}).items()}
    findings = [(name.removeprefix("host "), verdict) for name, verdict, _ in doctor or [] if name.startswith("host ")]
    life, settings = str(health.get("life", "")), str(health.get("settings", ""))
    return Look(life=life, settings=settings, shut=str(health.get("shut", "")), slots=slots, hosts=dict(findings))


def judge(
    before: Look | None,
    now: Look | None,
    waited_s: float,
    allowed_s: float,
    hosts: frozenset[str] = frozenset(),
    settings: str = "",
) -> tuple[Verdict, str]:
    """``before`` None: no kiosk ran, so that any that serves is better. ``now`` None: none answers. ``hosts``: those
    whose settings changed; others may be silent for reasons of their own. ``settings``: which it must have read, "" for
    any. The words say what is not well.

    What is not well yet may only need time; so BAD comes when the time is over, GOOD as soon as it is.
    """
    has_read = now is None or settings in ("", now.settings)
    why = _unwell(before, now, hosts) if has_read else OTHERS
    if not why:
        return Verdict.GOOD, ""
    return (Verdict.BAD if waited_s >= allowed_s else Verdict.WAIT), why


def _unwell(before: Look | None, now: Look | None, hosts: frozenset[str]) -> str:
    if now is None:
        return "the kiosk does not answer"
    if before is not None and now.life == before.life:
        return "the kiosk did not start anew"
    if now.shut == "paused":
        return "the kiosk rests"
    for slot, (condition, reason) in sorted(now.slots.items()):
        was = before.slots.get(slot, ("", ""))[0] if before else ""
        if reason == "bad_settings":
            return f"slot {slot} cannot work with its settings"
        if condition not in USABLE and was in USABLE:
            return f"slot {slot} is {condition}"
    gone = before.slots.keys() - now.slots.keys() if before else ()
    if gone:
        return f"slot {min(gone)} is gone"
    for host in sorted(hosts):
        if before and before.hosts.get(host) in OK and now.hosts.get(host) not in OK:
            return f"host {host} does not answer any more"
    return ""
