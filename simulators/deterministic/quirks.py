"""What people do beside what they came for."""

import random
from collections.abc import Sequence
from dataclasses import replace

from simulators.deterministic.resident import Habits


def with_quirk(habits: Habits, chance: random.Random, strangers: Sequence[str]) -> Habits:
    """Two of three behave; the others do what people do."""
    quirks = (
        lambda: replace(habits, walks_after=chance.randrange(1, 7)),
        lambda: replace(habits, walks_after=chance.randrange(1, 7), leaves_card=True),
        lambda: replace(habits, pulls_after=chance.randrange(2, 12)),
        lambda: replace(habits, pulls_after=chance.randrange(6, 14), card_comes_back=True),
        lambda: replace(habits, pulls_after=chance.randrange(6, 14), stranger=chance.choice(strangers)),
        lambda: replace(habits, wrong_pins=chance.randrange(1, 4)),
        lambda: replace(habits, never_types=True, walks_after=chance.randrange(2, 6)),
        lambda: replace(habits, presses_anything=0.15),
        lambda: replace(habits, notes=habits.notes[: chance.randrange(3)]),
        lambda: replace(habits, script={**habits.script, "feed_notes": ("wait", "stop")}),
        lambda: replace(habits, script={**habits.script, "confirm_quote": "back"}),
        lambda: replace(habits, script={**habits.script, "figures_changed": "refuse"}),
    )
    return chance.choice(quirks)() if chance.random() < 0.34 else habits
