"""What wants a person: found, told once, taken, kept quiet, and over by itself."""

import http.server
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import peewee
import pytest

from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.alerts.acts import acknowledge, end_quiet, keep_quiet, open_alerts
from provisioning.fleet.alerts.bounds import change_rule
from provisioning.fleet.alerts.deliver import AGAIN_MS_MAX, GIVE_UP_MS, by_https, deliver, plan
from provisioning.fleet.alerts.standing import SOURCES, Standing, settle
from provisioning.fleet.alerts.told import add_route
from provisioning.fleet.alerts.watch import Watch
from provisioning.fleet.ledger.boards import alert as ledger_alert
from provisioning.fleet.schema.alerts import Alert
from provisioning.fleet.schema.ledger import LedgerAlert
from provisioning.fleet.schema.places import Place
from provisioning.fleet.schema.terminals import Certificate, Terminal, TerminalHealth
from provisioning.rules.alerts import DEFAULTS, FIGURES, Observed, Rule, raised
from provisioning.rules.poll import Consumable, Health, Machine, Money, Slot, Use, WorkingKeys
from simulators.pki import make_pki
from tests.fleet.conftest import CITY, OTHER
from tests.fleet.people import hall_in, make_person
from tests.fleet.terminals import add_terminal

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)  # ten in the morning in the city
NOW_MS = int(NOW.timestamp() * 1000)
HOUR_MS = 3_600_000
OPERATOR, ADMINISTRATOR = Actor(CITY, "person:operator"), Actor(CITY, "person:administrator")
GOOD = Health(at=NOW.isoformat(), serving=True, slots={"card_reader": Slot(condition="ready")})


@dataclass
class City:
    """Terminals of one place, each heard with a report."""

    now_ms: int = NOW_MS
    watch: Watch = field(default_factory=lambda: Watch(CITY))

    def heard(self, terminal_id: str, health: Health = GOOD, ago_ms: int = 0) -> None:
        row = Terminal.get_or_none(Terminal.terminal_id == terminal_id) or add_terminal(terminal_id, CITY)
        told = {"seen_ms": self.now_ms - ago_ms, "report": msgspec.to_builtins(health)}
        TerminalHealth.insert(terminal=row.id, **told).on_conflict(
            conflict_target=[TerminalHealth.terminal], update=told
        ).execute()

    def look(self, after_ms: int = 0) -> list[tuple[str, str]]:
        """Rule and subject of what is told now."""
        self.now_ms += after_ms
        while not self.watch.look(self.now_ms):
            pass
        return [(one.rule, one.subject) for one in open_alerts(OPERATOR)]


@pytest.fixture
def city(database: peewee.Database) -> City:
    make_person(CITY, "operator", "operator")
    make_person(CITY, "second", "operator")
    make_person(CITY, "administrator", "system_admin")
    return City()


BAD: dict[str, Health] = {
    "not_serving": Health(at="", serving=False),
    "bad_slots": Health(at="", serving=True, slots={"pin_pad": Slot(condition="unknown")}),
    "days_left": Health(at="", serving=True, consumables={"receipt_paper": Consumable(left=40, days_left=1.5)}),
    "unsent_age_s": Health(at="", serving=True, money=Money(unsent_count=1, unsent_oldest="2026-11-19T08:00:00+08:00")),
    "suspense_age_s": Health(at="", serving=True, money=Money(suspense_oldest="2026-11-20T08:00:00+08:00")),
    "disk_free_bytes": Health(at="", serving=True, machine=Machine(disk_free_bytes=1000)),
    "disk_wear_percent": Health(at="", serving=True, machine=Machine(disk_wear_percent=93.0)),
    "temperature_c": Health(at="", serving=True, machine=Machine(temperature_c=80.0)),
    "clock_wrong_s": Health(at="", serving=True, machine=Machine(clock_offset_ms=-500_000)),
    "rtc_battery_low": Health(at="", serving=True, machine=Machine(rtc_battery="low")),
    "keys_overdue": Health(at="", serving=True, keys={"bank": WorkingKeys(age_s=86_401, age_s_max=86_400)}),
    "failed_percent": Health(at="", serving=True, use=Use(sessions=20, failed_interactions=3)),
}


@pytest.mark.parametrize("rule", DEFAULTS, ids=[rule.name for rule in DEFAULTS])
def test_each_rule_is_raised_by_its_figure_and_by_no_good_report(rule: Rule) -> None:
    """A terminal that is well raises nothing; one whose figure is bad raises this rule."""
    assert raised(rule, Observed(10.0, NOW, GOOD)) in (False, None)
    trouble = "not whole" if rule.figure == "settings_trouble" else ""
    assert raised(rule, Observed(8 * 86_400.0, NOW, BAD.get(rule.figure, GOOD), trouble)) is True


@pytest.mark.parametrize("figure", sorted(FIGURES.keys() - {"silent_s", "settings_trouble"}))
def test_what_cannot_be_told_raises_nothing_and_ends_nothing(figure: str) -> None:
    """Without any report, unknown is the answer."""
    assert raised(Rule(name="x", figure=figure, bound=1), Observed(10.0, NOW, None)) is None


def test_an_alert_is_told_after_its_time_and_ends_by_itself(city: City) -> None:
    """A device that is bad for a moment calls nobody; one that stays bad does, until it is well."""
    city.heard("T0000001", BAD["bad_slots"])
    assert city.look() == []
    city.heard("T0000001")
    assert city.look(60_000) == []
    assert Alert.select().count() == 0, "nobody heard of it"
    city.heard("T0000001", BAD["bad_slots"])
    city.look()
    city.heard("T0000001", BAD["bad_slots"])
    assert city.look(900_000) == [("device", "T0000001")]
    city.heard("T0000001")
    assert city.look() == []
    assert Alert.get().ended_ms == city.now_ms


def test_a_dark_hall_is_one_call(city: City) -> None:
    """Four of four terminals silent: one alert of the hall; back again, none."""
    for number in range(4):
        city.heard(f"T000000{number}", ago_ms=3 * HOUR_MS)
    city.look()
    assert [rule for rule, _ in city.look()] == ["hall_dark"]
    for number in range(4):
        city.heard(f"T000000{number}")
    assert city.look() == []


def test_one_of_many_that_is_silent_is_its_own_call(city: City) -> None:
    """Three others of its hall are heard."""
    city.heard("T0000000", ago_ms=3 * HOUR_MS)
    for number in range(1, 4):
        city.heard(f"T000000{number}")
    assert city.look() == [("silent", "T0000000")]


def test_a_person_takes_it_once(city: City) -> None:
    """The second is told that somebody has it; another city never finds it."""
    city.heard("T0000001", ago_ms=3 * HOUR_MS)
    city.heard("T0000002")
    city.look()
    (alert,) = open_alerts(OPERATOR)
    with pytest.raises(NotFound):
        acknowledge(Actor(OTHER, "person:stranger"), alert.id, "", NOW_MS)
    acknowledge(OPERATOR, alert.id, "on my way", NOW_MS)
    with pytest.raises(Refused):
        acknowledge(Actor(CITY, "person:second"), alert.id, "", NOW_MS)


def test_a_city_changes_its_bounds(city: City) -> None:
    """A village that is dark for days wants no call after two hours; a rule that is off calls nobody."""
    city.heard("T0000001", ago_ms=3 * HOUR_MS)
    city.heard("T0000002")
    assert city.look() == [("silent", "T0000001")]
    change_rule(ADMINISTRATOR, Rule(name="silent", figure="silent_s", bound=86_400), True, "villages", NOW_MS)
    assert city.look() == []
    change_rule(ADMINISTRATOR, Rule(name="silent", figure="silent_s", bound=60), False, "off", NOW_MS)
    assert city.look() == []
    with pytest.raises(Refused):
        change_rule(ADMINISTRATOR, Rule(name="x", figure="no such", bound=1), True, "x", NOW_MS)


class Gateway:
    """Takes messages, or not."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.asked = 0
        self.answers = ""

    def __call__(self, url: str, body: bytes) -> str:
        self.asked += 1
        if not self.answers:
            self.taken.append(f"{url} {msgspec.json.decode(body)['subject']}")
        return self.answers


URL = "https://gateway.test/duty"


def silent_terminal(city: City) -> Any:
    city.heard("T0000001", ago_ms=3 * HOUR_MS)
    city.heard("T0000002")
    city.look()
    return Place.get(Place.tenant == CITY)


def tell(city: City, gateway: Gateway, after_ms: int = 0) -> list[str]:
    city.now_ms += after_ms
    plan(CITY, city.now_ms)
    deliver(CITY, gateway, city.now_ms)
    return gateway.taken


def test_a_message_goes_once_and_again_only_until_it_is_taken(city: City) -> None:
    """A gateway that fails is asked again, later each time, and not for ever."""
    place, gateway = silent_terminal(city), Gateway()
    add_route(ADMINISTRATOR, place.id, "duty", URL, "warning", (0, 24), 0, NOW_MS)
    gateway.answers = "status 502"
    assert tell(city, gateway) == tell(city, gateway, 10_000) == []
    assert gateway.asked == 1, "not before its time"
    gateway.answers = ""
    assert tell(city, gateway, 30_000) == [f"{URL} T0000001"]
    assert tell(city, gateway, HOUR_MS) == [f"{URL} T0000001"], "told once"


def test_a_gateway_that_is_gone_is_given_up_after_a_day(city: City) -> None:
    """Nothing piles up."""
    place, gateway = silent_terminal(city), Gateway()
    add_route(ADMINISTRATOR, place.id, "duty", URL, "warning", (0, 24), 0, NOW_MS)
    gateway.answers = "OSError"
    for _ in range(2 * GIVE_UP_MS // AGAIN_MS_MAX):
        tell(city, gateway, AGAIN_MS_MAX)
    asked = gateway.asked
    tell(city, gateway, AGAIN_MS_MAX)
    assert gateway.asked == asked < 50


def test_the_second_route_hears_of_what_nobody_took(city: City) -> None:
    """Escalation: an hour later the next one is told; who takes it in time spares them."""
    place, gateway = silent_terminal(city), Gateway()
    add_route(ADMINISTRATOR, place.id, "chief", URL, "warning", (0, 24), 3600, NOW_MS)
    assert tell(city, gateway, HOUR_MS - 1000) == []
    assert tell(city, gateway, 2000) == [f"{URL} T0000001"]
    assert open_alerts(OPERATOR)[0].escalated_ms == city.now_ms


@pytest.mark.parametrize(
    ("severity", "hours", "goes"),
    [("warning", (8, 18), True), ("warning", (18, 8), False), ("warning", (9, 11), True), ("urgent", (0, 24), False)],
)
def test_routes_choose_by_hour_and_severity(city: City, severity: str, hours: tuple[int, int], goes: bool) -> None:
    """It is ten in the morning there, and only a warning."""
    place, gateway = silent_terminal(city), Gateway()
    add_route(ADMINISTRATOR, place.id, "duty", URL, severity, hours, 0, NOW_MS)
    assert bool(tell(city, gateway)) is goes


def test_maintenance_is_quiet_and_still_shown(city: City) -> None:
    """Nobody is told, the page shows it; afterwards they are told."""
    place, gateway = silent_terminal(city), Gateway()
    add_route(ADMINISTRATOR, place.id, "duty", URL, "warning", (0, 24), 0, NOW_MS)
    quiet = keep_quiet(OPERATOR, place.id, "", 3600, "new floor", city.now_ms)
    assert tell(city, gateway) == []
    assert city.look() == [("silent", "T0000001")]
    end_quiet(OPERATOR, quiet, city.now_ms)
    assert tell(city, gateway) == [f"{URL} T0000001"]


@pytest.mark.parametrize("url", ["http://gateway.test/", "https://", "file:///etc/passwd", "gateway"])
def test_an_address_that_is_no_https_is_refused(city: City, url: str) -> None:
    """Messages leave by TLS only."""
    place = Place.get(Place.tenant == CITY)
    with pytest.raises(Refused):
        add_route(ADMINISTRATOR, place.id, "duty", url, "warning", (0, 24), 0, NOW_MS)


def test_what_the_fleet_itself_sees_is_an_alert_too(city: City) -> None:
    """A journal that does not fit, and a certificate that ends: warned at thirty days, urgent at seven."""
    terminal = add_terminal("T0000001", CITY, "0A")
    ledger_alert(CITY, "T0000001", 7, "gap", NOW_MS)
    Certificate.update(not_after_ms=NOW_MS + 20 * 86_400_000).where(Certificate.terminal == terminal.id).execute()
    settle(CITY, SOURCES, NOW_MS)
    assert {(one.rule, one.severity) for one in open_alerts(OPERATOR)} == {
        ("ledger", "urgent"),
        ("certificate", "warning"),
    }
    settle(CITY, SOURCES, NOW_MS + 14 * 86_400_000)
    assert {one.severity for one in open_alerts(OPERATOR)} == {"urgent"}
    Certificate.create(serial="0B", terminal=terminal, not_after_ms=NOW_MS + 400 * 86_400_000, pem="")
    LedgerAlert.update(settled_ms=NOW_MS).execute()
    settle(CITY, SOURCES, NOW_MS)
    assert open_alerts(OPERATOR) == []


@pytest.fixture
def gateway_port(tmp_path: Path) -> Iterator[tuple[int, ssl.SSLContext]]:
    """A real HTTPS gateway on loopback: takes /duty with and without its key, refuses all else."""
    pki = make_pki(tmp_path / "pki")

    class Takes(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204 if self.path in ("/duty", "/duty?key=1") else 403)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Tests are silent."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Takes)
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(pki.host_certificate, pki.host_key)
    server.socket = shown.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1], ssl.create_default_context(cafile=str(pki.hosts_ca))
    server.shutdown()
    server.server_close()


def test_messages_go_by_real_https(gateway_port: tuple[int, ssl.SSLContext]) -> None:
    """Taken, refused, and not told to who shows no certificate that holds."""
    port, context = gateway_port
    assert by_https(f"https://127.0.0.1:{port}/duty", b"{}", context) == ""
    assert by_https(f"https://127.0.0.1:{port}/else", b"{}", context) == "status 403"
    assert by_https(f"https://127.0.0.1:{port}/duty", b"{}") == "SSLCertVerificationError"


def test_a_key_in_the_query_goes_with_the_message(gateway_port: tuple[int, ssl.SSLContext]) -> None:
    """Many gateways know their caller by it; an address that cannot be one is a message not taken, and no crash."""
    port, context = gateway_port
    assert by_https(f"https://127.0.0.1:{port}/duty?key=1", b"{}", context) == ""
    assert by_https(f"https://127.0.0.1:{port}/duty?key=2", b"{}", context) == "status 403"
    assert by_https("https://127.0.0.1:99999/", b"{}", context) != ""
    assert by_https(f"https://127.0.0.1:{port}/告警", b"{}", context) == "UnicodeEncodeError"


def test_a_gateway_that_is_gone_holds_up_no_other(city: City) -> None:
    """Of many messages one waits for its answer; the other route is told in the same look."""
    place, gone, asked = silent_terminal(city), "https://gone.test/", list[str]()
    for number in range(3, 23):
        city.heard(f"T00000{number:02}", ago_ms=3 * HOUR_MS)
    for number in range(30, 80):
        city.heard(f"T00000{number:02}")
    city.look()
    for url in (gone, URL):
        add_route(ADMINISTRATOR, place.id, "duty", url, "warning", (0, 24), 0, NOW_MS)

    def send(url: str, body: bytes) -> str:
        asked.append(url)
        return "TimeoutError" if url == gone else ""

    plan(CITY, city.now_ms)
    assert deliver(CITY, send, city.now_ms) == 21
    assert asked.count(gone) == 1
    for _ in range(30):
        city.now_ms += GIVE_UP_MS
        deliver(CITY, send, city.now_ms)
    assert asked.count(gone) <= 2 * 21


def test_each_alert_has_its_section_in_the_runbook() -> None:
    """Whoever is called at night finds what to do."""
    page = (Path(__file__).parents[2] / "docs/runbook/alerts.md").read_text()
    titles = {word for line in page.splitlines() if line.startswith("## ") for word in line[3:].split(", ")}
    assert {rule.name for rule in DEFAULTS} | SOURCES.keys() | {"hall_dark", "expiring"} == titles


def test_alerts_of_a_terminal_that_was_stopped_or_moved(city: City) -> None:
    """One that was moved calls whoever works where it stands now; one that was stopped calls nobody any more."""
    city.heard("T0000001", ago_ms=24 * HOUR_MS)
    city.heard("T0000002")
    assert city.look(1) == [("silent", "T0000001")]
    hall = hall_in(Place.get(Place.tenant == CITY))
    Terminal.update(place=hall).where(Terminal.terminal_id == "T0000001").execute()
    city.heard("T0000003")
    Terminal.update(place=hall).where(Terminal.terminal_id == "T0000003").execute()
    city.look(1)
    assert [one.place_id for one in open_alerts(OPERATOR)] == [hall.id]
    Terminal.update(state="stopped").where(Terminal.terminal_id == "T0000001").execute()
    assert city.look(1) == []
    assert Alert.get(Alert.rule == "silent").ended_ms == city.now_ms


def test_what_stands_with_a_long_name_is_one_alert(city: City) -> None:
    """A rollout of a hundred characters that returned is told once, not at each look; two of one name are one."""
    source = {"rollout": lambda tenant, at_ms: [Standing("rollout", "n" * 100), Standing("rollout", "n" * 100)]}
    for minute in range(3):
        settle(CITY, source, NOW_MS + minute)
    assert [(one.subject, one.ended_ms) for one in Alert.select()] == [("n" * 80, None)]
    settle(CITY, {"rollout": lambda tenant, at_ms: []}, NOW_MS + 9)
    assert [one.ended_ms for one in Alert.select()] == [NOW_MS + 9]
