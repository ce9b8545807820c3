"""Bounds of alerts and who is told: what is refused, what stays on record."""

import msgspec
import peewee
import pytest

from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.alerts.bounds import change_rule, rules
from provisioning.fleet.alerts.deliver import deliver, plan
from provisioning.fleet.alerts.standing import FIXED, SOURCES
from provisioning.fleet.alerts.told import ENDED, add_route, address_of, end_route, routes
from provisioning.fleet.people.persons import root
from provisioning.fleet.schema.alerts import Alert, Delivery
from provisioning.fleet.schema.audit import AuditRow
from provisioning.rules.alert_bounds import MEASURES, fits
from provisioning.rules.alerts import DEFAULTS, FIGURES, Rule
from tests.fleet.conftest import CITY, OTHER
from tests.fleet.people import make_person

AT_MS = 1_800_000_000_000
URL = "https://gateway.test/duty"
WHOLE_DAY = (0, 24)


@pytest.fixture
def runs(database: peewee.Database) -> Actor:
    """Who runs the city's places."""
    return make_person(CITY, "admin", "system_admin")


def test_every_figure_has_a_measure_in_which_the_usual_rules_lie() -> None:
    """No rule that a new city begins with would be refused from its page."""
    assert MEASURES.keys() == FIGURES.keys()
    assert [rule.name for rule in DEFAULTS if not fits(rule)] == []


def test_what_no_city_sets_is_named() -> None:
    """The page lists every part that the fleet itself watches."""
    assert FIXED.keys() == SOURCES.keys() | {"hall_dark", "expiring"}


@pytest.mark.parametrize(
    "slip", [{"bound": 0}, {"bound": 1e12}, {"bound": float("nan")}, {"for_s": -1}, {"for_s": 1e9}, {"figure": "none"}]
)
def test_a_slip_of_the_hand_is_refused(runs: Actor, slip: dict[str, object]) -> None:
    """Nothing is changed and nothing is on the trail."""
    usual = next(rule for rule in DEFAULTS if rule.name == "silent")
    with pytest.raises(Refused):
        change_rule(runs, msgspec.structs.replace(usual, **slip), True, "a slip", AT_MS)
    assert not any(known.changed_ms for known in rules(runs)) and AuditRow.select().count() == 0


def test_a_changed_rule_is_shown_with_what_is_usual(runs: Actor) -> None:
    """By whom and when; off or on; and another city's are as they were."""
    rule = Rule(name="hot", figure="temperature_c", bound=60)
    change_rule(runs, rule, False, "no air in the hall", AT_MS)
    hot = next(known for known in rules(runs) if known.rule.name == "hot")
    assert (hot.rule.bound, hot.enabled, hot.changed_by, hot.changed_ms) == (60, False, runs.who, AT_MS)
    assert hot.usual is not None and hot.usual.bound == 75
    assert AuditRow.get(AuditRow.act == "alert_rule").why == "no air in the hall"
    assert [known.rule for known in rules(Actor(OTHER, "person:x"))] == list(DEFAULTS)


@pytest.mark.parametrize(
    ("name", "hours", "after_s", "url"),
    [
        ("", WHOLE_DAY, 0, URL),
        ("duty", (8, 8), 0, URL),
        ("duty", (8, 25), 0, URL),
        ("duty", WHOLE_DAY, 8 * 86_400, URL),
        ("duty", WHOLE_DAY, 0, "https://who:pass@gateway.test/"),
        ("duty", WHOLE_DAY, 0, "https://gateway.test:99999/"),
        ("duty", WHOLE_DAY, 0, "https://[gateway/"),
        ("duty", WHOLE_DAY, 0, "https://gateway.test/告警"),
    ],
)
def test_a_route_that_would_tell_nobody_is_refused(
    runs: Actor, name: str, hours: tuple[int, int], after_s: int, url: str
) -> None:
    """Said where it is made, and not found out at night."""
    with pytest.raises(Refused):
        add_route(runs, root(CITY).id, name, url, "warning", hours, after_s, AT_MS)
    assert routes(runs) == []


def test_the_key_of_a_gateway_is_on_no_page_and_no_trail(runs: Actor) -> None:
    """The trail is exported and read by many; whoever has the key sends messages in the city's name."""
    place = root(CITY).id
    made = add_route(runs, place, "duty", f"{URL}?key=secret", "warning", WHOLE_DAY, 0, AT_MS)
    end_route(runs, made, "another gateway", AT_MS)
    trail = [str(row.facts) for row in AuditRow.select()]
    assert len(trail) == 2 and all(URL in facts and "secret" not in facts for facts in trail)
    assert address_of(f"{URL}?key=secret") == f"{URL}?…"


def test_an_ended_route_tells_nobody_and_keeps_what_it_told(runs: Actor) -> None:
    """What waited for its gateway is given up, with the reason; it is ended once."""
    place = root(CITY)
    Alert.create(tenant=CITY, rule="device", subject="T0000001", place=place, began_ms=AT_MS, told_ms=AT_MS)
    made = add_route(runs, place.id, "duty", URL, "warning", WHOLE_DAY, 0, AT_MS)
    assert plan(CITY, AT_MS) == 1
    with pytest.raises(NotFound):
        end_route(Actor(OTHER, "person:admin"), made, "not theirs", AT_MS)
    end_route(runs, made, "another gateway", AT_MS)
    assert plan(CITY, AT_MS) == deliver(CITY, lambda url, body: "", AT_MS + 1) == 0
    assert [(row.why, row.gave_up_ms, row.sent_ms) for row in Delivery.select()] == [(ENDED, AT_MS, None)]
    assert routes(runs) == []
    with pytest.raises(NotFound):
        end_route(runs, made, "again", AT_MS)
