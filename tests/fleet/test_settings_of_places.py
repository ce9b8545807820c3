"""Settings of a city's terminals: layers, two people, versions, the document."""

from pathlib import Path
from typing import Any

import peewee
import pytest

from kiosk.basics.signed import read_signed
from provisioning.fleet import places, proposals
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.city_key import city_keys, city_signer
from provisioning.fleet.desired.acts import history, in_force, propose_return, propose_settings
from provisioning.fleet.desired.bodies import body_path, keep_body
from provisioning.fleet.desired.compose import document
from provisioning.fleet.desired.versions import wanted_anew
from provisioning.fleet.schema.places import Place
from provisioning.fleet.schema.terminals import Terminal
from tests.fleet.conftest import CITY, OTHER
from tests.fleet.people import make_person
from tests.fleet.terminals import add_terminal

AT = 1_800_000_000_000
OPERATOR, APPROVER = Actor(CITY, "person:operator"), Actor(CITY, "person:approver")


@pytest.fixture
def city(database: peewee.Database) -> Place:
    """A city with an operator, an approver, a hall below it, and one terminal in each."""
    root: Place = Place.get(Place.tenant == CITY)
    make_person(CITY, "operator", "operator")
    make_person(CITY, "approver", "approver")
    hall = Place.create(tenant=CITY, parent=root, kind="hall", name_zh="大厅", name_en="Hall", path="")
    Place.update(path=f"{root.path}{hall.id}/").where(Place.id == hall.id).execute()
    add_terminal("T0000001", CITY)
    inside = add_terminal("T0000002", CITY)
    Terminal.update(place=hall).where(Terminal.id == inside.id).execute()
    return root


def approved(place_id: int, settings: dict[str, Any], profile: str = "", bodies: Any = ()) -> None:
    proposals.approve(APPROVER, propose_settings(OPERATOR, place_id, profile, settings, bodies, "for a test", AT), AT)


def told(tmp_path: Path, terminal_id: str = "T0000001") -> dict[str, Any]:
    wire = document(CITY, terminal_id, city_signer(tmp_path, CITY), 0, AT)
    trusted = read_signed(wire, "desired_state", city_keys(tmp_path, CITY))
    return {**trusted.content}


def version_of(terminal_id: str) -> int:
    return int(Terminal.get(Terminal.terminal_id == terminal_id).desired_version)


def test_settings_are_in_force_once_another_person_approved(city: Place, tmp_path: Path) -> None:
    """Proposed, they change nothing; approved, every terminal below has a new version that says so."""
    proposal = propose_settings(OPERATOR, city.id, "", {"language": "en"}, (), "visitors come", AT)
    assert (version_of("T0000001"), in_force(OPERATOR, city.id)) == (0, None)
    proposals.approve(APPROVER, proposal, AT)
    assert (version_of("T0000001"), version_of("T0000002")) == (1, 1)
    assert told(tmp_path)["settings"]["language"] == "en"
    layer = in_force(OPERATOR, city.id)
    assert layer is not None and (layer.proposed_by, layer.approved_by) == ("person:operator", "person:approver")


def test_what_lies_nearer_counts_and_only_those_below_get_a_version(city: Place, tmp_path: Path) -> None:
    """A hall's layer lies over the city's, a profile's over that for all; others keep their version."""
    hall = Place.get(Place.kind == "hall")
    approved(city.id, {"timing": {"question_s": 60.0, "warning_s": 15}})
    approved(hall.id, {"timing": {"question_s": 120.0}})
    approved(hall.id, {"pin": {"digits_max": 8}}, profile="hall")
    assert (version_of("T0000001"), version_of("T0000002")) == (1, 3)
    inside = told(tmp_path, "T0000002")["settings"]
    assert inside["timing"] == {"question_s": 120.0, "warning_s": 15}
    assert inside["pin"] == {"digits_max": 8}
    assert inside["terminal"]["place_zh"] == "大厅"


def test_an_earlier_layer_comes_back_as_a_new_version(city: Place, tmp_path: Path) -> None:
    """What was in force is proposed again; versions never go down."""
    approved(city.id, {"language": "en"})
    approved(city.id, {"language": "zh"})
    oldest = history(OPERATOR, city.id)[-1]
    proposals.approve(APPROVER, propose_return(OPERATOR, oldest.id, "it was better", AT), AT)
    assert (version_of("T0000001"), told(tmp_path)["settings"]["language"]) == (3, "en")


def test_a_terminal_that_was_moved_gets_a_version_above_all(city: Place, tmp_path: Path) -> None:
    """A place whose settings are old is no way back to an old version."""
    approved(city.id, {"language": "en"})
    assert wanted_anew(CITY, "T0000002", AT) == 2
    assert (version_of("T0000001"), told(tmp_path, "T0000002")["version"]) == (1, 2)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"data_dir": "/tmp/x"}, "data_dir is not the city's to set"),
        ({"slots": {}}, "slots is not the city's to set"),
        ({"production": False}, "production is not the city's to set"),
        ({"agency_keys": {"recovery": "x"}}, "agency_keys is not the city's to set"),
        ({"offline": {"hotlist_key": "x"}}, "hotlist_key is not the city's to set"),
        ({"hosts": {"bank": {"url": "tls://b", "private_key": "x"}}}, "are the city's to set"),
        ({"hosts": {"hospital": {"url": "http://h"}}}, "not encrypted"),
        ({"city": {"emblem": "/etc/shadow"}}, "a path is not the city's to set"),
        ({"city": {"emblem": "body:emblem.png"}}, "a body that does not come"),
        ({"timing": {"question_s": "long"}}, "Expected `float`"),
        ({"timing": {"questions": 9.0}}, "unknown field"),
        ({"pin": {"digits_min": 2}}, "PIN lengths lie between"),
        ({"hours": {"opens": "18:00", "closes": "08:00"}}, "opens first"),
        ({"cash": {"next_note_s": 5.0}}, "next_note_s is 300 at least"),
        ({"cash": {"first_note_s": -1.0}}, "first_note_s is 30 at least"),
        ({"timing": {"question_s": 25.0}}, "question_s is 30 at least"),
        ({"settlement": {"processing_s_max": 0.0}}, "processing_s_max is too short"),
        ({"settlement": {"unknown_s_max": 3600.0}}, "unknown_s_max is 90 at most"),
    ],
)
def test_unfit_settings_are_refused(city: Place, settings: dict[str, Any], why: str) -> None:
    """What only a terminal may say of itself, and what is no setting, is not even proposed; the words say what."""
    with pytest.raises(Refused, match=why) as refusal:
        propose_settings(OPERATOR, city.id, "", settings, (), "for a test", AT)
    assert refusal.value.code == "unfit"


def test_settings_of_another_city_are_refused(city: Place, tmp_path: Path) -> None:
    """Places, layers and files of another city are nobody's."""
    stranger = Actor(OTHER, "person:stranger")
    approved(city.id, {"language": "en"})
    layer = in_force(OPERATOR, city.id)
    body = keep_body(OPERATOR, tmp_path, [b"emblem"], AT)
    assert layer is not None and in_force(stranger, city.id) is None
    with pytest.raises(NotFound):
        propose_settings(stranger, city.id, "", {"language": "zh"}, (), "for a test", AT)
    with pytest.raises(NotFound):
        propose_return(stranger, layer.id, "for a test", AT)
    with pytest.raises(NotFound):
        body_path(tmp_path, OTHER, body.sha256)


def test_settings_without_their_file_are_refused(city: Place, tmp_path: Path) -> None:
    """A body is brought first; then settings may speak of it by its name."""
    body = {"name": "emblem.png", "sha256": "0" * 64, "bytes": 6}
    with pytest.raises(Refused, match=r"Bring emblem\.png first"):
        propose_settings(OPERATOR, city.id, "", {"city": {"emblem": "body:emblem.png"}}, [body], "for a test", AT)
    kept = keep_body(OPERATOR, tmp_path, [b"emb", b"lem"], AT)
    approved(city.id, {"city": {"emblem": "body:emblem.png"}}, bodies=[{**body, "sha256": kept.sha256}])
    assert told(tmp_path)["bodies"] == [{**body, "sha256": kept.sha256}]
    assert body_path(tmp_path, CITY, kept.sha256).read_bytes() == b"emblem"


def test_a_metered_place_is_told_to_its_terminals(city: Place, tmp_path: Path) -> None:
    """The hall's line is paid by the byte: its terminal gets a new version that says so, one elsewhere does not; marked
    where the hall lies, all below are; and taken back, it is told as well. Whoever moves out has left it."""
    make_person(CITY, "admin", "system_admin")
    admin, hall = Actor(CITY, "person:admin"), Place.get(Place.kind == "hall")
    approved(city.id, {"language": "en"})

    def metered() -> list[bool]:
        return [told(tmp_path, terminal)["metered"] for terminal in ("T0000001", "T0000002")]

    assert metered() == [False, False]
    places.change(admin, hall.id, "大厅", "Hall", True, AT)
    assert (metered(), version_of("T0000002")) == ([False, True], 2)
    places.change(admin, city.id, "城", "City", True, AT)
    places.change(admin, hall.id, "大厅", "Hall", False, AT)
    assert metered() == [True, True]
    places.change(admin, city.id, "城", "City", False, AT)
    places.change(admin, hall.id, "大厅", "Hall", True, AT)
    places.move(OPERATOR, "T0000002", city.id, "to the city's own office", AT)
    assert metered() == [False, False]
