"""Who gets a new version. A terminal's version only grows, whatever changed: a layer, its place, its profile."""

from provisioning.fleet.database import step
from provisioning.fleet.schema.desired import DesiredCounter
from provisioning.fleet.schema.places import Place
from provisioning.fleet.schema.terminals import Terminal
from provisioning.fleet.touch import touch


def next_version(tenant: str) -> int:
    """Inside a step: the update locks the city's counter until it ends."""
    DesiredCounter.insert(tenant=tenant, version=0).on_conflict_ignore().execute()
    DesiredCounter.update(version=DesiredCounter.version + 1).where(DesiredCounter.tenant == tenant).execute()
    return int(DesiredCounter.get_by_id(tenant).version)


def wanted_anew(tenant: str, terminal_id: str, at_ms: int) -> int:
    """After a terminal was enrolled, moved, or given another profile: its settings are composed anew. The version."""
    with step():
        version = next_version(tenant)
        mine = (Terminal.tenant == tenant) & (Terminal.terminal_id == terminal_id)
        Terminal.update(desired_version=version).where(mine).execute()
        touch(mine, at_ms)
        return version


def wanted_below(tenant: str, place: Place, profile: str, at_ms: int) -> int:
    """A layer of this place and profile ("" for all) changed. Inside a step; the version."""
    version = next_version(tenant)
    places = Place.select(Place.id).where((Place.tenant == tenant) & Place.path.startswith(place.path))
    theirs = (Terminal.tenant == tenant) & Terminal.place.in_(places)
    if profile:
        theirs &= Terminal.profile == profile
    Terminal.update(desired_version=version).where(theirs).execute()
    touch(theirs, at_ms)
    return version
