"""The tree of places: what a mistake may take out of it, and what it may not."""

import peewee
import pytest

from provisioning.fleet import places, proposals
from provisioning.fleet.actor import Refused
from provisioning.fleet.desired.acts import propose_settings
from provisioning.fleet.schema.people import Grant
from provisioning.fleet.schema.places import Place
from tests.fleet.conftest import CITY
from tests.fleet.people import hall_in, make_person

NOW_MS = 1_800_000_000_000


def test_a_place_made_by_mistake_goes(database: peewee.Database) -> None:
    """Nothing was ever there."""
    administrator, hall = make_person(CITY, "admin", "system_admin"), hall_in(Place.get(Place.tenant == CITY))
    places.remove(administrator, hall.id, "twice", NOW_MS)
    assert Place.get_or_none(Place.id == hall.id) is None


def test_a_place_that_something_names_stays_refused(database: peewee.Database) -> None:
    """A proposal that was withdrawn long ago, a role that somebody holds there: told in words, and nothing is lost."""
    administrator, operator = make_person(CITY, "admin", "system_admin"), make_person(CITY, "op", "operator")
    proposed, held = (hall_in(Place.get(Place.tenant == CITY)) for _ in range(2))
    number = propose_settings(operator, proposed.id, "", {}, [], "a try", NOW_MS)
    proposals.withdraw(operator, number, NOW_MS)
    make_person(CITY, "here", "viewer", place=held.id)
    for hall in (proposed, held):
        with pytest.raises(Refused) as refused:
            places.remove(administrator, hall.id, "tidy", NOW_MS)
        assert refused.value.code == "not_empty"
        assert Place.get_by_id(hall.id).path == hall.path
    assert Grant.select().where(Grant.place == held).count() == 1
