"""Settings of a place: proposed by one person, in force when another approved them, every version kept."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from provisioning.fleet import proposals
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.desired.versions import wanted_below
from provisioning.fleet.proposals import Kind
from provisioning.fleet.schema.desired import SettingsBody, SettingsLayer
from provisioning.fleet.schema.proposals import Proposal
from provisioning.rules.desired import BodyRef, Unfit, check_city_settings

SETTINGS = "settings"
PROFILES = ("", "hall", "hospital", "village")


def propose_settings(
    actor: Actor,
    place_id: int,
    profile: str,
    settings: Mapping[str, Any],
    bodies: Iterable[Mapping[str, Any]],
    why: str,
    at_ms: int,
) -> int:
    """The proposal's number. ``settings``: the whole layer, tables of ``Settings`` of the kiosk; ``bodies``: name,
    sha256 and bytes of files that were brought before (``bodies.keep_body``). ``profile``: "" for all.

    Raises:
        NotFound: no such place. Refused: not this person's, or ``unfit``: the message says what is wrong in them.
    """
    told = [dict(body) for body in bodies]
    _fit(actor.tenant, profile, settings, told)
    facts = {"profile": profile, "settings": dict(settings), "bodies": told}
    return proposals.propose(actor, SETTINGS, _subject(place_id, profile), place_id, facts, why, at_ms)


def propose_return(actor: Actor, layer_id: int, why: str, at_ms: int) -> int:
    """Propose what an earlier layer said, as a new version. Raises as ``propose_settings``."""
    layer = SettingsLayer.get_or_none((SettingsLayer.id == layer_id) & (SettingsLayer.tenant == actor.tenant))
    if layer is None:
        raise NotFound
    return propose_settings(actor, layer.place_id, layer.profile, layer.settings, layer.bodies, why, at_ms)


def in_force(actor: Actor, place_id: int, profile: str = "") -> SettingsLayer | None:
    """The newest layer of exactly this place and profile."""
    return next(iter(history(actor, place_id, profile, 1)), None)


def history(actor: Actor, place_id: int, profile: str = "", limit: int = 50) -> list[SettingsLayer]:
    """Newest first."""
    mine = (SettingsLayer.tenant == actor.tenant) & (SettingsLayer.place == place_id)
    mine &= SettingsLayer.profile == profile
    return list(SettingsLayer.select().where(mine).order_by(SettingsLayer.version.desc()).limit(limit))


def _subject(place_id: int, profile: str) -> str:
    return f"settings:{place_id}:{profile or 'all'}"


def _fit(tenant: str, profile: str, settings: Mapping[str, Any], bodies: list[dict[str, Any]]) -> None:
    try:
        if profile not in PROFILES:
            raise Unfit("there is no such profile")
        told = msgspec.convert(bodies, list[BodyRef])
        check_city_settings(settings, [body.name for body in told])
    except (Unfit, msgspec.ValidationError) as error:
        raise Refused("unfit", str(error)) from None
    kept = {(row.sha256, row.bytes) for row in SettingsBody.select().where(SettingsBody.tenant == tenant)}
    missing = [body.name for body in told if (body.sha256, body.bytes) not in kept]
    if missing:
        raise Refused("no_body", f"Bring {missing[0]} first; it is not here.")


def _carry_out(approver: Actor, proposal: Proposal, at_ms: int) -> None:
    """Raises Refused: they no longer fit, since this program was updated or a file went."""
    facts = proposal.facts
    _fit(approver.tenant, facts["profile"], facts["settings"], facts["bodies"])
    place = proposal.place
    version = wanted_below(approver.tenant, place, facts["profile"], at_ms)
    SettingsLayer.create(
        tenant=approver.tenant,
        place=place,
        profile=facts["profile"],
        version=version,
        settings=facts["settings"],
        bodies=facts["bodies"],
        why=proposal.why,
        proposed_by=proposal.proposed_by,
        approved_by=approver.who,
        approved_ms=at_ms,
    )


proposals.register(SETTINGS, Kind("settings", _carry_out))
