"""What waits for terminals, from every part that has something for them: the live register's ``Errands``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from provisioning.fleet.actor import Actor
from provisioning.fleet.city_key import city_signer
from provisioning.fleet.enrolment import presence
from provisioning.fleet.keys import acts as keys
from provisioning.fleet.live.errands import Waiting
from provisioning.fleet.terminal_commands import acts
from provisioning.rules.poll import CommandAnswer
from provisioning.rules.presence import NOBODY, Life


@dataclass(frozen=True)
class TerminalErrands:
    """Implements ``Errands``. ``home``: of the fleet, where the cities' keys are."""

    home: Path

    def waiting(self, terminals: Sequence[int], at_ms: int) -> Mapping[int, Waiting]:
        commands = acts.waiting(terminals, at_ms, partial(city_signer, self.home))
        lives, blocks = presence.lives(terminals), keys.waiting(terminals, at_ms)
        return {
            key: Waiting(
                commands=tuple(map(_until, commands.get(key, ()))),
                key_blocks=blocks.get(key, ()),
                life=lives.get(key, NOBODY),
            )
            for key in commands.keys() | lives.keys() | blocks.keys()
        }

    def take_answers(self, actor: Actor, terminal: int, answers: Sequence[CommandAnswer], at_ms: int) -> None:
        acts.note_answers(actor, terminal, answers, at_ms)

    def hear_life(self, terminal: int, life: Life, address: str, at_ms: int) -> None:
        presence.hear(terminal, life, address, at_ms)


def _until(command: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    ends = datetime.fromisoformat(command["document"]["expires_at"])
    return int(ends.timestamp() * 1000), command
