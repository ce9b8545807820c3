"""Updates on their way: waves, how each does, and what a person may do with them."""

import msgspec
from starlette.responses import Response

from provisioning.fleet.actor import Refused
from provisioning.fleet.console.page import Page, go
from provisioning.fleet.console.render import show
from provisioning.fleet.console.tree import places
from provisioning.fleet.console.visit import Visit
from provisioning.fleet.rollouts import plan
from provisioning.fleet.rollouts.members import counts
from provisioning.fleet.schema.places import Place
from provisioning.fleet.schema.rollouts import Rollout, Wave
from provisioning.fleet.schema.software import DistributionSet
from provisioning.rules.rollouts import Gate

MINUTE_S = 60
WAVES_SHOWN = 8  # that the form offers; the command line takes more
SETS_SHOWN = 100
# Bounds that the form offers; the others keep their usual values.
BOUNDS = ("success_percent_min", "error_percent_max", "overdue_percent_max", "failed_interactions_percent_max")


def draw_list(visit: Visit) -> Response:
    mine = (DistributionSet.tenant == visit.city) & ~DistributionSet.deleted
    sets = DistributionSet.select().where(mine).order_by(DistributionSet.id.desc()).limit(SETS_SHOWN)
    known = {one.id: one for one in DistributionSet.select().where(DistributionSet.tenant == visit.city)}
    told = {"rollouts": plan.rollouts(visit.actor), "sets": list(sets), "known": known}
    choices = {"places": places(visit), "waves": range(1, WAVES_SHOWN + 1), "bounds": BOUNDS}
    gate = {"gate": Gate(), "minute": MINUTE_S}
    return show(visit, "rollouts.html", proposes=visit.may("rollout"), **told, **choices, **gate)


def propose(visit: Visit) -> Response:
    name, chosen, waves = visit.field("name"), visit.number("set"), _waves(visit)
    number = plan.propose(visit.actor, name, chosen, waves, _gate(visit), visit.field("why"), visit.at_ms)
    return go(f"{visit.base}/proposals/{number}", "proposed")


def _waves(visit: Visit) -> list[plan.PlannedWave]:
    """In the order of the form; a wave without a place is none."""
    names = {str(place.id): place.name_zh if visit.language == "zh" else place.name_en for place in places(visit)}
    told = [visit.field(f"wave{number}") for number in range(1, WAVES_SHOWN + 1)]
    return [plan.PlannedWave(names[place], (int(place),)) for place in told if place in names]


def _gate(visit: Visit) -> Gate:
    """Raises Refused: a bound that is no percentage, or minutes that are none."""
    try:
        told: dict[str, float | bool] = {name: float(visit.field(name)) for name in BOUNDS if visit.field(name)}
        if minutes := visit.field("soak_minutes"):
            told["soak_s"] = int(minutes) * MINUTE_S
        told["over_metered"] = visit.field("over_metered") == "yes"
        return msgspec.convert(told, Gate)
    except (ValueError, msgspec.ValidationError):
        raise Refused("bounds", "A bound is a number between 0 and 100, and a time whole minutes.") from None


def rollout_of(visit: Visit) -> Rollout:
    return plan.rollout_of(visit.actor, visit.params["rollout"])


def draw(visit: Visit) -> Response:
    rollout = rollout_of(visit)
    gate = msgspec.convert(rollout.gate, Gate)
    named = {place.path: place for place in Place.select().where(Place.tenant == visit.city)}

    def told(wave: Wave) -> dict[str, object]:
        where = [named[path] for path in wave.paths if path in named]
        return {"wave": wave, "counts": counts(wave, gate, visit.at_ms), "places": where}

    waves = [told(wave) for wave in plan.waves_of(rollout)]
    turns = plan.may_turn(visit.actor, rollout)
    return show(visit, "rollout.html", rollout=rollout, gate=gate, waves=waves, turns=turns)


def pause(visit: Visit) -> Response:
    plan.pause(visit.actor, rollout_of(visit).id, visit.field("why"), visit.at_ms)
    return go(visit.path, "saved")


def resume(visit: Visit) -> Response:
    plan.resume(visit.actor, rollout_of(visit).id, visit.field("why"), visit.at_ms)
    return go(visit.path, "saved")


def stop(visit: Visit) -> Response:
    plan.stop(visit.actor, rollout_of(visit).id, visit.field("why"), visit.at_ms)
    return go(visit.path, "saved")


ROUTES = [
    Page("/console/{tenant}/rollouts", draw_list, {"propose": propose}).route(),
    Page("/console/{tenant}/rollouts/{rollout:int}", draw, {"pause": pause, "resume": resume, "stop": stop}).route(),
]
