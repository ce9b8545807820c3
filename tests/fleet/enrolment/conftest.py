"""A fleet in memory with somebody who installs terminals in each city."""

from pathlib import Path

import peewee
import pytest

from provisioning.fleet.actor import Actor
from provisioning.fleet.schema.places import PROVINCE, Place
from tests.fleet.conftest import CITY, OTHER
from tests.fleet.enrolment.asking import Desk
from tests.fleet.people import make_person

INSTALLER, APPROVER, STRANGER = (
    Actor(CITY, "person:installer"),
    Actor(CITY, "person:approver"),
    Actor(OTHER, "person:stranger"),
)
ADMINISTRATOR, PROVINCIAL = Actor(CITY, "person:administrator"), Actor(PROVINCE, "person:provincial")


@pytest.fixture
def desk(database: peewee.Database, tmp_path: Path) -> Desk:
    make_person(CITY, "installer", "operator")
    make_person(CITY, "approver", "approver")
    make_person(CITY, "administrator", "system_admin")
    make_person(OTHER, "stranger", "operator", "approver")
    make_person(PROVINCE, "provincial", "system_admin", "operator")
    return Desk(tmp_path / "home")


@pytest.fixture
def hall(desk: Desk) -> int:
    """The place where terminals of these tests stand."""
    return int(Place.get(Place.tenant == CITY).id)
