"""What waits for terminals beside their rows, and who takes their answers: other parts say so by this port."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from provisioning.fleet.actor import Actor
from provisioning.rules.poll import CommandAnswer
from provisioning.rules.presence import NOBODY, Life


@dataclass(frozen=True, slots=True)
class Waiting:
    """For one terminal. ``commands``: until when each holds (ms), and the signed document as an object. ``life``: of
    the agent that speaks for it."""

    commands: tuple[tuple[int, dict[str, Any]], ...] = ()
    key_blocks: tuple[str, ...] = ()
    renew_certificate: bool = False
    life: Life = NOBODY


class Errands(Protocol):
    """Plain functions that ask the database. Whoever adds an errand or takes one away calls ``touch`` in that step."""

    def waiting(self, terminals: Sequence[int], at_ms: int) -> Mapping[int, Waiting]:
        """By key of the terminal's row; a terminal for which nothing waits may be left out."""

    def take_answers(self, actor: Actor, terminal: int, answers: Sequence[CommandAnswer], at_ms: int) -> None:
        """Keep what became of commands. Committed when it returns: the poll is answered only then.

        One that is unknown or was answered before is no error: a terminal tells again what it is not sure of.
        """

    def hear_life(self, terminal: int, life: Life, address: str, at_ms: int) -> None:
        """Another one asks than spoke last for this terminal. ``address``: where from. Raises Refused: not believed."""
