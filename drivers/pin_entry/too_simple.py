"""Whether a new PIN is too easy to guess. Runs only in the short-lived process; makes no copy of the PIN but slices.

Which kinds are refused is regional data (``PinRules.new_pin_refuses``); ``parts`` are digits of the holder's own data.
"""

from collections.abc import Collection, Iterable
from itertools import pairwise

ONE_DIGIT, RUN, PATTERN = "one_digit", "run", "pattern"


def too_simple(pin: bytearray, kinds: Collection[str], parts: Iterable[str]) -> bool:
    """``pin``: ASCII digits.

    ``one_digit``: 111111. ``run``: 123456, 654321, 890123. ``pattern``: a part that only repeats, 121212, 123123. And
    whatever stands in one of ``parts``.
    """
    return (
        (ONE_DIGIT in kinds and _repeats(pin, 1))
        or (RUN in kinds and (_runs(pin, 1) or _runs(pin, -1)))
        or (PATTERN in kinds and any(_repeats(pin, length) for length in range(2, len(pin) // 2 + 1)))
        or any(pin in part.encode("ascii") for part in parts)
    )


def _repeats(pin: bytearray, length: int) -> bool:
    return len(pin) % length == 0 and all(pin[at] == pin[at % length] for at in range(len(pin)))


def _runs(pin: bytearray, step: int) -> bool:
    return all((after - before) % 10 == step % 10 for before, after in pairwise(pin))
