"""From an answer's shape to the three outcomes: what cannot be understood is unknown, never guessed."""

from collections.abc import Callable
from typing import TypeVar

from kiosk.hosts.shape import BadShape
from kiosk.ports import OutcomeUnknown

T = TypeVar("T")


def understood(host: str, decode: Callable[[], T]) -> T:
    """Run a codec.

    Raises:
        OutcomeUnknown: the answer has not the documented shape.
    """
    try:
        return decode()
    except BadShape as error:
        raise OutcomeUnknown(host, f"answer not understood: {error}") from None
