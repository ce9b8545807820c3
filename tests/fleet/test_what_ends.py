"""What ends one day: signed documents that places bring to their terminals, authorities, roles of signed software."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import peewee
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.basics.signed import Signer
from provisioning.fleet import ca, proposals
from provisioning.fleet.actor import Actor
from provisioning.fleet.alerts.acts import acknowledge, open_alerts
from provisioning.fleet.alerts.deliver import Send, deliver, plan
from provisioning.fleet.alerts.standing import settle
from provisioning.fleet.alerts.told import add_route
from provisioning.fleet.desired.acts import propose_settings
from provisioning.fleet.desired.bodies import keep_body
from provisioning.fleet.expiring import everything
from provisioning.fleet.expiring import standing as ending
from provisioning.fleet.schema.alerts import Alert
from provisioning.fleet.schema.places import PROVINCE, Place
from provisioning.fleet.settings import FleetSettings
from tests.fleet.conftest import CITY, OTHER
from tests.fleet.people import hall_in, make_person

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)
DAY_MS = 86_400_000
NOW_MS = int(NOW.timestamp() * 1000)
OPERATOR, APPROVER = Actor(CITY, "person:operator"), Actor(CITY, "person:approver")
ADMINISTRATOR = Actor(CITY, "person:administrator")
AGENCY = Signer("agency", Ed25519PrivateKey.generate())
AGES = {"age_s_max": 400 * 86_400, "hotlist_age_s_max": 7 * 86_400}
TIERS = [(91, None), (89, "notice"), (31, "notice"), (29, "warning"), (8, "warning"), (6, "urgent"), (-1, "urgent")]


def signed(kind: str, version: int, days: float, issued: datetime = NOW, **facts: Any) -> bytes:
    return AGENCY.signed(kind, version, issued, issued + timedelta(days=days), facts)


@dataclass
class Office:
    """A city whose places bring documents."""

    home: Path
    settings: FleetSettings = field(init=False)

    def __post_init__(self) -> None:
        self.settings = FleetSettings(home=str(self.home), public=str(self.home / "public"))

    def brings(self, place: Place, **bodies: bytes) -> None:
        """In force from now on, in place of what this place brought before."""
        named = {name: keep_body(OPERATOR, self.home, [wire], NOW_MS) for name, wire in bodies.items()}
        told = [{"name": f"offline/{name}", "sha256": row.sha256, "bytes": row.bytes} for name, row in named.items()]
        settings = {"offline": {"documents": "body:offline"}}
        proposals.approve(APPROVER, propose_settings(OPERATOR, place.id, "", settings, told, "new", NOW_MS), NOW_MS)

    def ends(self, city: str = CITY) -> list[tuple[str, str, float]]:
        """Kind, version and days that are left."""
        return [(one.kind, one.name, one.days_left(NOW_MS)) for one in everything(city, self.settings, NOW_MS)]

    def looks(self, after_days: float) -> list[tuple[str, str]]:
        """Alerts that stand so many days later: how grave, and of what."""
        settle(CITY, {"expiring": partial(ending, self.settings)}, NOW_MS + int(after_days * DAY_MS))
        return [(one.severity, one.subject) for one in open_alerts(OPERATOR)]


@pytest.fixture
def office(database: peewee.Database, tmp_path: Path) -> Iterator[Office]:
    for login, role in (("operator", "operator"), ("approver", "approver"), ("administrator", "system_admin")):
        make_person(CITY, login, role)
    yield Office(tmp_path)


def root() -> Place:
    place: Place = Place.get((Place.tenant == CITY) & Place.parent.is_null())
    return place


def taking(told: list[str]) -> Send:
    """A gateway that takes every message and notes its address."""

    def send(url: str, body: bytes) -> str:
        told.append(url)
        return ""

    return send


def test_documents_in_force_are_listed_soonest_first(office: Office) -> None:
    """By their newest version and with what else the settings bring passed over; no other city sees them."""
    office.brings(root(), policy=signed("offline_policy", 1, 300, **AGES))
    emblem = b"\x89PNG not a document"
    office.brings(root(), policy=signed("offline_policy", 2, 200, **AGES), emblem=emblem, other=b'{"document": []}')
    office.brings(hall_in(root()), list=signed("psam_blocklist", 9, 100, serials=[]))
    assert office.ends() == [("psam_blocklist", "9", 100), ("offline_policy", "2", 200)]
    assert office.ends(OTHER) == []


@pytest.mark.parametrize(
    ("policy", "days"),
    [(None, 30), (AGES, 7), ({"age_s_max": 1, "hotlist_age_s_max": 60 * 86_400}, 30)],
    ids=["no policy beside it", "too old before its end", "its end before it is too old"],
)
def test_a_hotlist_ends_when_terminals_no_longer_use_it(
    office: Office, policy: dict[str, int] | None, days: float
) -> None:
    """By its own date, or when it is older than the policy beside it allows."""
    bodies = {"hotlist": signed("hotlist", 5, 30, count=0)}
    if policy:
        bodies["policy"] = signed("offline_policy", 1, 400, **policy)
    office.brings(root(), **bodies)
    assert [left for kind, _, left in office.ends() if kind == "hotlist"] == [days]


def test_a_body_that_cannot_be_read_now_is_read_later(office: Office) -> None:
    """A folder that was away for a moment hides nothing for good, and takes the page of what ends with it never."""
    office.brings(root(), policy=signed("offline_policy", 1, 300, **AGES))
    folder = office.home / "bodies"
    folder.rename(office.home / "away")
    assert office.ends() == []
    (office.home / "away").rename(folder)
    assert office.ends() == [("offline_policy", "1", 300)]


def test_a_hall_has_the_policy_of_its_city(office: Office) -> None:
    """A hotlist of the hall alone is too old by the rules that lie below it; a nearer policy counts instead."""
    hall = hall_in(root())
    office.brings(root(), policy=signed("offline_policy", 1, 400, **AGES))
    office.brings(hall, hotlist=signed("hotlist", 5, 60, count=0))
    assert ("hotlist", "5", 7) in office.ends()
    nearer = signed("offline_policy", 2, 400, **{**AGES, "hotlist_age_s_max": 3 * 86_400})
    office.brings(hall, hotlist=signed("hotlist", 5, 60, count=0), policy=nearer)
    assert ("hotlist", "5", 3) in office.ends()


@pytest.mark.parametrize(("base", "expected"), [(5, ("hotlist", "6", 33)), (4, ("hotlist", "5", 30))])
def test_changes_to_just_this_hotlist_renew_it(office: Office, base: int, expected: tuple[str, str, float]) -> None:
    """Changes to another list renew nothing."""
    changes = signed("hotlist_changes", 6, 30, NOW + timedelta(days=3), base_version=base, added=[], removed=[])
    office.brings(root(), hotlist=signed("hotlist", 5, 30, count=0), changes=changes)
    assert office.ends() == [expected]


def test_a_policy_that_is_too_old_ends(office: Office) -> None:
    """Though its own date is years away."""
    office.brings(root(), policy=signed("offline_policy", 1, 2000, **AGES))
    assert office.ends() == [("offline_policy", "1", 400)]


@pytest.mark.parametrize(("left", "severity"), TIERS)
def test_ninety_thirty_and_seven_days(office: Office, left: float, severity: str | None) -> None:
    """Of what lives for long: a plan, an order, nothing but doing it."""
    office.brings(root(), policy=signed("offline_policy", 3, 400, **AGES))
    subject = f"offline_policy 3, {root().name_zh}"
    assert office.looks(400 - left) == ([(severity, subject)] if severity else [])


@pytest.mark.parametrize(("left", "severity"), [(4, None), (3.4, "notice"), (2.2, "warning"), (1.1, "urgent")])
def test_what_lives_for_a_week_is_judged_by_its_own_life(office: Office, left: float, severity: str | None) -> None:
    """A hotlist of a week is no alert on the day on which it came."""
    office.brings(root(), hotlist=signed("hotlist", 5, 7, count=0))
    assert [grave for grave, _ in office.looks(7 - left)] == ([severity] if severity else [])


def test_each_degree_is_told_anew_and_ends_with_the_next_document(office: Office) -> None:
    """Whoever took the notice is told again at thirty days and at seven; a new version ends it."""
    told: list[str] = []
    add_route(ADMINISTRATOR, root().id, "duty", "https://gateway.test/duty", "warning", (0, 24), 0, NOW_MS)
    add_route(ADMINISTRATOR, root().id, "chief", "https://gateway.test/chief", "warning", (0, 24), 3600, NOW_MS)
    office.brings(root(), policy=signed("offline_policy", 3, 400, **AGES))
    taken = []
    for left in (80, 79, 20, 19):
        at_ms = NOW_MS + (400 - left) * DAY_MS
        office.looks(400 - left)
        plan(CITY, at_ms)
        deliver(CITY, taking(told), at_ms)
        taken.append(len(told))
        if left == 80:
            acknowledge(OPERATOR, open_alerts(OPERATOR)[0].id, "asked the agency", at_ms)
    assert taken == [1, 1, 2, 3]
    assert [url.rpartition("/")[2] for url in told] == ["duty", "duty", "chief"], "a notice calls no second person"
    assert Alert.select().count() == 2
    office.brings(root(), policy=signed("offline_policy", 4, 800, **{**AGES, "age_s_max": 800 * 86_400}))
    assert office.looks(382) == []


def test_a_notice_that_nobody_takes_calls_no_second_person(office: Office) -> None:
    """It has months."""
    told: list[str] = []
    add_route(ADMINISTRATOR, root().id, "chief", "https://gateway.test/chief", "warning", (0, 24), 3600, NOW_MS)
    office.brings(root(), policy=signed("offline_policy", 3, 400, **AGES))
    for day in (320, 321):
        office.looks(day)
        plan(CITY, NOW_MS + day * DAY_MS)
        deliver(CITY, taking(told), NOW_MS + day * DAY_MS)
    assert told == []


def test_what_all_need_is_an_alert_of_the_province(office: Office) -> None:
    """An authority that ends in twenty days: the province hears of it, each city does not."""
    ca.add(office.home, "first", NOW, days=20)
    for city in (PROVINCE, CITY):
        settle(city, {"expiring": partial(ending, office.settings)}, NOW_MS)
    assert [(one.subject, one.severity) for one in Alert.select()] == [("authority first", "warning")]
    assert [kind for kind, *_ in office.ends()] == ["authority"]
