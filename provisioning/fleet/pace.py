"""How often terminals ask (``polls.sleep_s``) is the fleet's settings' word: each terminal's row is brought to it.

The row has it, because polls, stock clients and what counts as silent read it there; a start of the server with other
settings reaches terminals of before, and those enrolled meanwhile, within a look or two.
"""

import peewee

from provisioning.fleet.database import step
from provisioning.fleet.schema.terminals import Terminal
from provisioning.fleet.touch import touch

AT_ONCE = 5_000  # every process reads anew what changed: not fifty thousand rows in one moment
SAME_S = 0.001


def keep_pace(sleep_s: float, at_ms: int) -> int:
    """How many terminals had another."""
    other = peewee.fn.ABS(Terminal.sleep_s - sleep_s) > SAME_S
    with step():
        keys = [row.id for row in Terminal.select(Terminal.id).where(other).order_by(Terminal.id).limit(AT_ONCE)]
        if keys:
            Terminal.update(sleep_s=sleep_s).where(Terminal.id.in_(keys)).execute()
            touch(Terminal.id.in_(keys), at_ms)
    return len(keys)
