"""A city as it is on a working day: places, terminals in every state, people, things that wait. All of it invented."""

from datetime import UTC, datetime
from typing import Any

from provisioning.fleet import places, proposals
from provisioning.fleet.actor import Actor
from provisioning.fleet.database import step
from provisioning.fleet.desired.acts import propose_settings
from provisioning.fleet.enrolment import expected, requests
from provisioning.fleet.enrolment.places import Seat
from provisioning.fleet.live.seen import Gathered
from provisioning.fleet.people import persons
from provisioning.fleet.rollouts import plan
from provisioning.fleet.rollouts.advance import advance_all
from provisioning.fleet.schema.enrolment import EnrolmentRequest, Presence
from provisioning.fleet.schema.places import Place, Tenant
from provisioning.fleet.schema.software import DistributionSet
from provisioning.fleet.schema.terminals import Certificate, Terminal, TerminalEvent
from provisioning.fleet.terminal_commands import acts as commands
from provisioning.rules.poll import (
    Consumable,
    Head,
    Health,
    Machine,
    Money,
    PollQuestion,
    Slot,
    TypedKey,
    Use,
    WorkingKeys,
)
from provisioning.rules.rollouts import Gate
from tests.fleet.people import make_person

FINGERPRINT = "5a" * 32
MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
WELL = {"card_reader": "ready", "pin_pad": "ready", "receipt_printer": "ready", "cash_acceptor": "ready"}
# Number, place, minutes since it was heard (None: never), slots that are not well, and what else is special of it.
TERMINALS: tuple[tuple[str, str, int | None, dict[str, str], dict[str, Any]], ...] = (
    ("T0000001", "Riverside hall", 1, {}, {}),
    ("T0000002", "Riverside hall", 2, {"receipt_printer": "degraded"}, {"left": 40}),
    ("T0000003", "Riverside hall", 1, {"card_reader": "fault"}, {"serving": False}),
    ("T0000004", "People's hospital", 3, {}, {"suspense_fen": 32_150}),
    ("T0000005", "People's hospital", 600, {}, {}),
    ("T0000006", "Stone Bridge village", 0, {}, {"in_service": False}),
    ("T0000007", "Stone Bridge village", None, {}, {"state": "registered"}),
    ("T0000008", "People's hospital", 9000, {}, {"state": "stopped"}),
)


def build(city: str, at_ms: int) -> Actor:
    """Fill an empty city; the system administrator who made its places."""
    Tenant.update(name_zh="示例市", name_en="Sample City").where(Tenant.code == city).execute()
    admin = make_person(city, "chen", "system_admin")
    root = persons.root(city)
    Place.update(name_zh="示例市", name_en="Sample City").where(Place.id == root.id).execute()
    river = places.add(admin, root.id, "district", "临江区", "Riverside district", at_ms)
    hill = places.add(admin, root.id, "district", "石桥镇", "Stone Bridge township", at_ms)
    places.add(admin, river, "hall", "临江大厅", "Riverside hall", at_ms)
    places.add(admin, river, "hall", "市人民医院", "People's hospital", at_ms)
    places.add(admin, hill, "hall", "石桥村服务站", "Stone Bridge village", at_ms)
    for number, place, minutes, bad, more in TERMINALS:
        _terminal(city, number, Place.get(Place.name_en == place), minutes, {**WELL, **bad}, more, at_ms)
    _busy(city, at_ms)
    return admin


def _busy(city: str, at_ms: int) -> None:
    """Settings in force and proposed, commands, a new terminal at the door, one that two places speak for, an update
    on its way."""
    operator, approver = make_person(city, "liu", "operator"), make_person(city, "sun", "approver")
    root = persons.root(city).id
    for question_s in (90.0, 120.0):
        told = {"language": "zh", "timing": {"question_s": question_s}}
        proposals.approve(approver, propose_settings(operator, root, "", told, (), "更多时间", at_ms), at_ms)
    propose_settings(
        operator, root, "", {"language": "zh", "timing": {"question_s": 150.0}}, (), "老人需要更多时间", at_ms
    )
    commands.send(operator, commands.Target("T0000003"), "restart", {}, "读卡器没有反应", at_ms)
    commands.send(operator, commands.Target("T0000004"), "picture", {}, "居民说屏幕不清楚", at_ms)
    with step():
        requests.asked_by(FINGERPRINT, "YK-2027-00815", "192.0.2.40", at_ms)
    EnrolmentRequest.update(tenant=city).execute()
    seat = Seat("YK-2027-00999", "T0000099", Place.get(Place.name_en == "Riverside hall").id)
    expected.preregister(operator, [expected.Expected(seat=seat)], at_ms)
    copied = Terminal.get(Terminal.terminal_id == "T0000005")
    other = {"other_boot": 12, "other_run": "bb" * 16, "other_address": "198.51.100.9", "doubted_ms": at_ms - DAY_MS}
    Presence.create(terminal=copied, boot=11, run="aa" * 16, address="192.0.2.5", since_ms=at_ms - 2 * DAY_MS, **other)
    whose = {"created_by": operator.who, "changed_by": operator.who, "created_ms": at_ms, "changed_ms": at_ms}
    new = DistributionSet.create(tenant=city, kind="app", name="kiosk", version="1.5.0", **whose)
    halls = [Place.get(Place.name_en == name) for name in ("Riverside hall", "Stone Bridge village")]
    waves = [plan.PlannedWave(place.name_zh, (place.id,)) for place in halls]
    number = plan.propose(operator, "春节前升级", new.id, waves, Gate(), "修复打印问题", at_ms)
    proposals.approve(approver, number, at_ms)
    advance_all(at_ms + 1)


def _terminal(
    city: str, number: str, place: Place, minutes: int | None, slots: dict[str, str], more: dict[str, Any], at_ms: int
) -> None:
    told = {"state": more.get("state", "active"), "in_service": more.get("in_service", True), "desired_version": 7}
    times = {"created_ms": at_ms - DAY_MS, "changed_ms": at_ms}
    terminal = Terminal.create(tenant=city, terminal_id=number, serial=f"YK-{number}", place=place, **told, **times)
    if minutes is None:
        return
    seen_ms = at_ms - minutes * MINUTE_MS
    gathered = Gathered()
    gathered.hear(terminal.id, city, seen_ms, PollQuestion(desired_version=7, health=_health(slots, more, at_ms)))
    gathered.flush()
    Certificate.create(serial=f"0A{terminal.id:04X}", terminal=terminal, not_after_ms=at_ms + 80 * DAY_MS, pem="")
    TerminalEvent.create(
        tenant=city,
        terminal=terminal,
        at_ms=seen_ms,
        what="slot",
        facts={"slot": "card_reader", "was": "fault", "is": "ready", "reason": ""},
    )


def _health(slots: dict[str, str], more: dict[str, Any], at_ms: int) -> Health:
    return Health(
        at=_iso(at_ms),
        serving=more.get("serving", True),
        slots={
            name: Slot(condition=word, reason="paper_low" if word == "degraded" else "") for name, word in slots.items()
        },
        consumables={
            "receipt_printer": Consumable(
                left=more.get("left", 620), of=800, days_left=2.5 if "left" in more else 31.0
            ),
            "cash_box": Consumable(left=410, of=1000, days_left=6.0),
        },
        money=Money(
            unsent_count=3,
            unsent_fen=45_600,
            unsent_oldest=_iso(at_ms - 25 * MINUTE_MS),
            suspense_fen=more.get("suspense_fen", 0),
            suspense_oldest=_iso(at_ms - DAY_MS) if more.get("suspense_fen") else "",
        ),
        keys={"bank": WorkingKeys(age_s=18_000, age_s_max=86_400)},
        typed_keys={"bank_master": TypedKey(check_value="8CA64DE9"), "social": TypedKey(in_doubt=True)},
        machine=Machine(disk_free_bytes=9_000_000_000, rtc_battery="good", temperature_c=41.5, up_s=400_000),
        use=Use(sessions=83, failed_interactions=2, staff_calls=1),
        versions={"kiosk": "1.4.0", "image": "2027.01"},
        head=Head(seq=120_331, link="ab" * 32, signature="cd" * 64, public_key="ef" * 32),
    )


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()


def place(name: str) -> Place:
    found: Place = Place.get(Place.name_en == name)
    return found
