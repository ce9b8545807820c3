"""Who does something in the fleet, and for which city."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Actor:
    """``who``: ``person:login``, ``terminal:T0000001``, or ``fleet`` itself. ``tenant``: the city whose things it may
    touch; everything that it asks for carries it."""

    tenant: str
    who: str


class NotFound(Exception):
    """There is no such thing in this city. What another city has is not told apart from what nobody has."""


class Refused(Exception):
    """It is not done. ``code`` is for programs, the message for people."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code
