"""Where the power may go: every effect burns the fuse down by one, and at zero it is gone.

An effect is what a later life could find: a sync of the journal's disk, a command that reaches a device, a question
that reaches a host, an answer that reaches us.
"""

from collections.abc import Callable
from dataclasses import dataclass, field


class PowerCut(BaseException):
    """Not an Exception: no handler of ours may live through it."""


@dataclass
class Fuse:
    """``left``: how many effects still happen; None is for ever. ``dead`` until ``power_on``. ``aim``: only effects
    whose name holds this are counted. ``just_before``: the power waits for one more of them, which does not happen."""

    left: int | None = None
    burnt: list[str] = field(default_factory=list)
    armed: bool = False  # effects before that are not counted: nothing was at stake
    dead: bool = False
    aim: str = ""
    just_before: bool = False
    on_death: Callable[[], None] = lambda: None

    def light(self, left: int | None, aim: str = "", *, just_before: bool = False) -> None:
        self.left, self.aim, self.just_before = left, aim, just_before

    def burn(self, effect: str) -> None:
        """Raises PowerCut: this effect does not happen any more."""
        if not self.dead and not self.armed:
            return
        if not self.dead and self.left is not None and self.left <= 0 and self._is_time(effect):
            self.dead = True
            self.on_death()
        if self.dead:
            raise PowerCut
        if self.left is not None and self.aim in effect:
            self.left -= 1
        self.burnt.append(effect)

    def _is_time(self, effect: str) -> bool:
        return not self.just_before or self.aim in effect

    def power_on(self, left: int | None = None) -> None:
        self.dead, self.left = False, left
