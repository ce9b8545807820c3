"""Who may do what with alerts, asked by the acts themselves."""

from collections.abc import Callable

import peewee
import pytest

from provisioning.fleet.actor import Actor, Refused
from provisioning.fleet.alerts.acts import acknowledge, end_quiet, keep_quiet
from provisioning.fleet.alerts.bounds import change_rule
from provisioning.fleet.alerts.told import add_route, end_route, routes
from provisioning.fleet.schema.alerts import Alert
from provisioning.rules.alerts import Rule
from tests.fleet.conftest import CITY
from tests.fleet.people import hall_in, make_person
from tests.fleet.terminals import add_terminal

AT_MS = 1_800_000_000_000
URL = "https://gateway.test/duty"


def test_only_who_works_there_acts_on_alerts(database: peewee.Database) -> None:
    """Nobody without the role, nobody of another hall; bounds and routes are whose who runs the places."""
    terminal = add_terminal("T0000001", CITY)
    operator = make_person(CITY, "operator", "operator")
    viewer = make_person(CITY, "viewer", "viewer")
    beside = make_person(CITY, "beside", "operator", "system_admin", place=hall_in(terminal.place).id)
    told = {"tenant": CITY, "rule": "device", "subject": "T0000001", "place": terminal.place, "terminal": terminal}
    alert = Alert.create(**told, began_ms=AT_MS, told_ms=AT_MS)
    quiet = keep_quiet(operator, terminal.place_id, "", 3600, "new floor", AT_MS)
    rule = Rule(name="silent", figure="silent_s", bound=60)
    theirs: list[Callable[[Actor], object]] = [
        lambda who: acknowledge(who, alert.id, "", AT_MS),
        lambda who: keep_quiet(who, terminal.place_id, "", 3600, "x", AT_MS),
        lambda who: end_quiet(who, quiet, AT_MS),
    ]
    administrators: list[Callable[[Actor], object]] = [
        lambda who: change_rule(who, rule, True, "x", AT_MS),
        lambda who: add_route(who, terminal.place_id, "duty", URL, "warning", (0, 24), 0, AT_MS),
    ]
    runs = make_person(CITY, "admin", "system_admin")
    route = add_route(runs, terminal.place_id, "duty", URL, "warning", (0, 24), 0, AT_MS)
    administrators.append(lambda who: end_route(who, route, "gone", AT_MS))
    refused = [(act, who) for act in (*theirs, *administrators) for who in (viewer, beside)]
    for act, who in [*refused, *((act, operator) for act in administrators)]:
        with pytest.raises(Refused, match="not yours"):
            act(who)
    for act in theirs:
        act(operator)
    assert Alert.get().acknowledged_by == operator.who
    assert [one.id for one in routes(operator)] == [route]
