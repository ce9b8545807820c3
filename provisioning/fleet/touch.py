"""Tells every process of the fleet that something a poll's answer depends on has changed."""

import peewee

from provisioning.fleet.schema.terminals import Terminal


def touch(which: peewee.Expression, at_ms: int) -> int:
    """Move ``changed_ms`` of these terminals; call it inside the step that changes them, what waits for them, or their
    certificates. ``which``: a condition on ``Terminal``, its city included. Returns how many there were.

    It always moves, also for two steps in one millisecond and under a clock that was set back.
    """
    later = peewee.Case(None, [(Terminal.changed_ms >= at_ms, Terminal.changed_ms + 1)], at_ms)
    return int(Terminal.update(changed_ms=later).where(which).execute())
