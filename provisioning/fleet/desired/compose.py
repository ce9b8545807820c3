"""The document that one terminal gets: its city's layers from the root of the tree down, and who it is."""

from datetime import UTC, datetime, timedelta
from typing import Any

from kiosk.basics.signed import Signer
from provisioning.fleet.actor import NotFound
from provisioning.fleet.database import step
from provisioning.fleet.schema.desired import SettingsLayer
from provisioning.fleet.schema.places import Place
from provisioning.fleet.schema.terminals import Terminal
from provisioning.rules.desired import KIND, laid_over

STANDS = timedelta(days=30)  # for taking it; what is in force stays in force


def document(tenant: str, terminal_id: str, signer: Signer, epoch: int, at_ms: int) -> bytes:
    """Signed, as it goes on the wire. Raises NotFound: nothing was ever wanted of this terminal, or there is none."""
    with step():  # version and layers of one moment
        terminal = Terminal.get_or_none((Terminal.tenant == tenant) & (Terminal.terminal_id == terminal_id))
        if terminal is None or terminal.desired_version < 1:
            raise NotFound
        facts = {**composed(terminal), "metered": is_metered(terminal)}
        version = terminal.desired_version
    told = {"tenant": tenant, "terminal_id": terminal_id, "epoch": epoch, **facts}
    issued = datetime.fromtimestamp(at_ms / 1000, UTC)
    return signer.signed(KIND, version, issued, issued + STANDS, told)


def composed(terminal: Terminal) -> dict[str, Any]:
    """``settings`` and ``bodies``: each place's layer for all lies under that for the terminal's profile."""
    settings: dict[str, Any] = {}
    bodies: dict[str, Any] = {}
    places = _way_down(terminal)
    for place in places:
        for profile in ("", terminal.profile):
            layer = _newest(place, profile)
            if layer is not None:
                settings = laid_over(settings, layer.settings)
                bodies |= {body["name"]: body for body in layer.bodies}
    settings = laid_over(settings, {"terminal": _who(terminal, places[-1])})
    return {"settings": settings, "bodies": [bodies[name] for name in sorted(bodies)]}


def is_metered(terminal: Terminal) -> bool:
    """Where it stands, or where that lies: a district whose halls have modems is marked once."""
    return any(place.metered for place in _way_down(terminal))


def _way_down(terminal: Terminal) -> list[Place]:
    """From the city to the terminal's own place; ``path`` names them all."""
    ids = [int(one) for one in terminal.place.path.strip("/").split("/")]
    found = {
        place.id: place for place in Place.select().where(Place.id.in_(ids) & (Place.tenant == terminal.tenant_id))
    }
    return [found[one] for one in ids if one in found]


def _newest(place: Place, profile: str) -> SettingsLayer | None:
    mine = (
        (SettingsLayer.tenant == place.tenant_id) & (SettingsLayer.place == place) & (SettingsLayer.profile == profile)
    )
    layer: SettingsLayer | None = (
        SettingsLayer.select().where(mine).order_by(SettingsLayer.version.desc()).limit(1).first()
    )
    return layer


def _who(terminal: Terminal, place: Place) -> dict[str, str]:
    return {
        "terminal_id": terminal.terminal_id,
        "profile": terminal.profile,
        "place_zh": place.name_zh,
        "place_en": place.name_en,
    }
