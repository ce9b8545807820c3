"""Moves rollouts on, a look at a time: terminals join, waves are judged, and one that is not well goes back.

Any process may look; whoever moved ``ticked_ms`` first has this look. All that a look decides stands in one step, so a
process that dies in the middle leaves the rollout as it was.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from provisioning.fleet import audit
from provisioning.fleet.actor import Actor, NotFound
from provisioning.fleet.database import step
from provisioning.fleet.rollouts.members import GONE, counts, given_another, not_yet_in
from provisioning.fleet.rollouts.plan import waves_of
from provisioning.fleet.schema.rollouts import Member, Rollout, Wave
from provisioning.fleet.schema.software import Action
from provisioning.fleet.schema.terminals import Terminal, TerminalHealth
from provisioning.fleet.software.assign import assign, cancel
from provisioning.rules.rollouts import Gate, Verdict, enough, judge

LOOK_MS = 5_000
MOVES = ("running", "finished", "returning")
FLEET = "fleet"  # who does what no person does
GIVES_NOTHING = "its set was put aside"


def advance_all(at_ms: int) -> int:
    """Look at every rollout that is due; how many were looked at. Touches the database."""
    # Read to the end first: SQLite refuses a step at once, however long it may wait, where a question still stands open
    # whose rows another process has changed since.
    due = [int(row.id) for row in Rollout.select(Rollout.id).where(_due(at_ms)).order_by(Rollout.id)]
    return sum(advance(rollout_id, at_ms) for rollout_id in due)


def advance(rollout_id: int, at_ms: int) -> bool:
    """Whether this look was ours."""
    try:
        with step():
            if Rollout.update(ticked_ms=at_ms).where((Rollout.id == rollout_id) & _due(at_ms)).execute() != 1:
                return False
            rollout: Rollout = Rollout.get_by_id(rollout_id)
            _Look(rollout, waves_of(rollout), at_ms).take()
    except NotFound:
        _hold(rollout_id, at_ms)
    return True


def _due(at_ms: int) -> Any:
    """One that was looked at in the future was so by a clock that was set back since."""
    return ((Rollout.ticked_ms <= at_ms - LOOK_MS) | (Rollout.ticked_ms > at_ms)) & Rollout.state.in_(MOVES)


def _hold(rollout_id: int, at_ms: int) -> None:
    """What it gives was put aside meanwhile: a person decides what becomes of it, and no other rollout waits."""
    with step():
        rollout: Rollout = Rollout.get_by_id(rollout_id)
        Rollout.update(state="paused", why=GIVES_NOTHING).where(Rollout.id == rollout_id).execute()
        who, facts = Actor(rollout.tenant_id, FLEET), {"rollout": rollout_id}
        audit.record(who, at_ms, "rollout_paused", rollout.name[:80], GIVES_NOTHING, facts)


class _Look:
    def __init__(self, rollout: Rollout, waves: Sequence[Wave], at_ms: int) -> None:
        self._rollout, self._waves, self._at_ms = rollout, waves, at_ms
        self._actor = Actor(rollout.tenant_id, FLEET)
        self._gate = msgspec.convert(rollout.gate, Gate)

    def take(self) -> None:
        if self._rollout.state == "returning":
            self._end_return()
            return
        for wave in self._waves:
            if wave.state == "waiting":
                self._begin(wave)
            self._join(wave)
            if wave.state == "running" and not self._judge(wave):
                return
        if self._rollout.state == "running":
            self._become("finished", "")

    def _begin(self, wave: Wave) -> None:
        wave.state, wave.began_ms = "running", self._at_ms
        Wave.update(state="running", began_ms=self._at_ms).where(Wave.id == wave.id).execute()
        audit.record(self._actor, self._at_ms, "wave_began", self._rollout.name[:80], facts=self._named(wave))

    def _join(self, wave: Wave) -> None:
        joining = dict(not_yet_in(self._rollout, wave, self._waves))
        if not joining:
            return
        made = self._assign(wave, list(joining), self._rollout.set_id)
        unsent = dict(_unsent(list(made)))
        rows = [
            {
                "rollout": self._rollout.id,
                "wave": wave.id,
                "terminal": terminal,
                "before": joining[terminal],
                "action": action,
                "joined_ms": self._at_ms,
                "unsent_before": unsent.get(terminal),
            }
            for terminal, action in made.items()
        ]
        for first in range(0, len(rows), 100):
            Member.insert_many(rows[first : first + 100]).execute()
        wave.well_since_ms = None
        Wave.update(well_since_ms=None).where(Wave.id == wave.id).execute()
        facts = {**self._named(wave), "terminals": len(rows)}
        audit.record(self._actor, self._at_ms, "wave_joined", self._rollout.name[:80], facts=facts)

    def _judge(self, wave: Wave) -> bool:
        """Whether the next wave may follow."""
        now = counts(wave, self._gate, self._at_ms)
        well_ms = self._well_since(wave) if enough(self._gate, now) else None
        told = judge(self._gate, now, (self._at_ms - well_ms) / 1000 if well_ms is not None else 0.0)
        if told.verdict is Verdict.RETURN:
            self._return(wave, told.why)
        if well_ms is None and wave.well_since_ms is not None:
            Wave.update(well_since_ms=None).where(Wave.id == wave.id).execute()
        if told.verdict is not Verdict.PASS:
            return False
        wave.state = "passed"
        Wave.update(state="passed", ended_ms=self._at_ms).where(Wave.id == wave.id).execute()
        facts = {**self._named(wave), "counts": msgspec.to_builtins(now)}
        audit.record(self._actor, self._at_ms, "wave_passed", self._rollout.name[:80], facts=facts)
        return True

    def _well_since(self, wave: Wave) -> int:
        if wave.well_since_ms is None:
            wave.well_since_ms = self._at_ms
            Wave.update(well_since_ms=self._at_ms).where(Wave.id == wave.id).execute()
        return int(wave.well_since_ms)

    def _return(self, wave: Wave, why: str) -> None:
        """All of the wave goes back to what it had, also where it is well: a wave is of one version or of the other."""
        members = list(Member.select().where(Member.wave == wave.id))
        cancel(self._actor, [member.action_id for member in members], self._at_ms)
        theirs = given_another(self._rollout, wave)
        back = [member for member in members if member.terminal_id not in theirs]
        for before in {member.before_id for member in back if member.before_id is not None}:
            keys = [member.terminal_id for member in back if member.before_id == before]
            for terminal, action in self._assign(wave, keys, before, back=True).items():
                here = (Member.rollout == self._rollout.id) & (Member.terminal == terminal)
                Member.update(back=action).where(here).execute()
        Wave.update(state="returning", ended_ms=self._at_ms).where(Wave.id == wave.id).execute()
        self._become("returning", f"{wave.name}: {why}")
        unknown = sum(member.before_id is None for member in members)  # nobody knows what they had
        facts = {**self._named(wave), "terminals": len(members), "nothing_before": unknown, "bound": why}
        audit.record(self._actor, self._at_ms, "wave_returns", self._rollout.name[:80], why, facts)

    def _end_return(self) -> None:
        """Returned once no action back is under way. A dark one is waited for: it goes back when it comes. One that
        was stopped or retired comes only by another enrolment, and is waited for no more."""
        wave = next(wave for wave in self._waves if wave.state == "returning")
        going_back = Member.select().join(Action, on=Member.back == Action.id).where(Member.wave == wave.id)
        here = Terminal.select(Terminal.id).where(Terminal.state == "active")
        if going_back.where(Action.active & Member.terminal.in_(here)).exists():
            return
        Wave.update(state="returned").where(Wave.id == wave.id).execute()
        self._become("returned", self._rollout.why)
        facts = {**self._named(wave), "not_returned": going_back.where(Action.status.in_(GONE)).count()}
        audit.record(self._actor, self._at_ms, "wave_returned", self._rollout.name[:80], facts=facts)

    def _become(self, state: str, why: str) -> None:
        self._rollout.state = state
        Rollout.update(state=state, why=why).where(Rollout.id == self._rollout.id).execute()

    def _named(self, wave: Wave) -> dict[str, int | str]:
        return {"rollout": int(self._rollout.id), "wave": int(wave.number), "name": str(wave.name)}

    def _assign(self, wave: Wave, terminals: Sequence[int], set_id: int, back: bool = False) -> dict[int, int]:
        told: dict[str, Any] = {"rollout": int(self._rollout.id), "group": int(wave.number), "back": back}
        return assign(self._actor, terminals, set_id, self._at_ms, **told)


def _unsent(terminals: Sequence[int]) -> list[tuple[int, int | None]]:
    found: list[tuple[int, int | None]] = []
    for first in range(0, len(terminals), 500):
        part = TerminalHealth.terminal.in_(terminals[first : first + 500])
        rows: Any = TerminalHealth.select(TerminalHealth.terminal, TerminalHealth.unsent_count).where(part).tuples()
        found.extend(rows)
    return found
