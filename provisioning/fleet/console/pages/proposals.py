"""What waits for another person, and what became of it."""

from typing import Any

from starlette.responses import Response

from provisioning.fleet import proposals as acts
from provisioning.fleet.actor import NotFound
from provisioning.fleet.console.compare import Line, compared
from provisioning.fleet.console.facts import facts
from provisioning.fleet.console.page import Page, go
from provisioning.fleet.console.render import show
from provisioning.fleet.console.visit import Visit
from provisioning.fleet.desired import acts as desired
from provisioning.fleet.schema.places import Place
from provisioning.fleet.schema.proposals import Proposal
from provisioning.terminal.toml import as_toml

SHOWN = 100


def draw_list(visit: Visit) -> Response:
    mine = acts.waiting_for(visit.actor, visit.at_ms)
    others = [one for one in acts.waiting(visit.actor, visit.at_ms) if one not in mine and visit.may("look", one.place)]
    over = (Proposal.state != "waiting") | (Proposal.expires_ms <= visit.at_ms)
    decided = _asked(visit).where(over).order_by(Proposal.id.desc()).limit(SHOWN)
    return show(visit, "proposals.html", mine=mine, others=others, decided=list(decided))


def draw_one(visit: Visit) -> Response:
    proposal = _own(visit)
    decides = state_of(proposal, visit.at_ms) == "waiting" and acts.may_decide(visit.actor, proposal)
    lines = _compared(visit, proposal)
    shown = {name: value for name, value in proposal.facts.items() if lines is None or name != "settings"}
    told = {"decides": decides, "lines": lines, "facts": list(facts(visit, shown))}
    return show(visit, "proposal.html", proposal=proposal, state=state_of(proposal, visit.at_ms), **told)


def _compared(visit: Visit, proposal: Proposal) -> list[Line] | None:
    """Settings beside those in force; None for what is no settings."""
    if proposal.kind != desired.SETTINGS:
        return None
    now = desired.in_force(visit.actor, proposal.place.id, proposal.facts["profile"])
    return compared(as_toml(now.settings) if now else "", as_toml(proposal.facts["settings"]))


def state_of(proposal: Proposal, at_ms: int) -> str:
    """As ``Proposal.state``, and "expired" for one that nobody approved in time."""
    over = proposal.state == "waiting" and proposal.expires_ms <= at_ms
    return "expired" if over else str(proposal.state)


def approve(visit: Visit) -> Response:
    return _decided(visit, acts.approve(visit.actor, _own(visit).id, visit.at_ms, visit.field("why")).id, "approved")


def refuse(visit: Visit) -> Response:
    proposal = _own(visit)
    acts.refuse(visit.actor, proposal.id, visit.field("why"), visit.at_ms)
    return _decided(visit, proposal.id, "refused")


def withdraw(visit: Visit) -> Response:
    proposal = _own(visit)
    acts.withdraw(visit.actor, proposal.id, visit.at_ms)
    return _decided(visit, proposal.id, "withdrawn")


def _decided(visit: Visit, proposal: int, done: str) -> Response:
    return go(f"{visit.base}/proposals/{proposal}", done)


def _asked(visit: Visit) -> Any:
    return Proposal.select(Proposal, Place).join(Place).where((Proposal.tenant == visit.city) & visit.sees(Place.path))


def _own(visit: Visit) -> Proposal:
    proposal: Proposal | None = _asked(visit).where(Proposal.id == visit.params["proposal"]).first()
    if proposal is None:
        raise NotFound
    return proposal


ROUTES = [
    Page("/console/{tenant}/proposals", draw_list).route(),
    Page(
        "/console/{tenant}/proposals/{proposal:int}",
        draw_one,
        {"approve": approve, "refuse": refuse, "withdraw": withdraw},
    ).route(),
]
