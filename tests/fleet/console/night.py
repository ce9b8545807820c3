"""What wants somebody in the sample city: a call, alerts, a visit whose money is not settled, keys on their way."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.basics.signed import Signer
from provisioning.fleet import proposals
from provisioning.fleet.actor import Actor
from provisioning.fleet.alerts.bounds import change_rule
from provisioning.fleet.alerts.standing import SOURCES, settle
from provisioning.fleet.alerts.told import add_route
from provisioning.fleet.alerts.watch import Watch
from provisioning.fleet.calls.acts import call
from provisioning.fleet.desired.acts import propose_settings
from provisioning.fleet.desired.bodies import keep_body
from provisioning.fleet.keys.acts import answer, propose_load
from provisioning.fleet.ledger import cases
from provisioning.fleet.ledger.rows import NOTHING_BEFORE
from provisioning.fleet.people.persons import root
from provisioning.fleet.schema.keys import KeyLoad
from provisioning.fleet.schema.ledger import Board, KeptRow
from provisioning.fleet.schema.places import Place
from provisioning.fleet.schema.terminals import Terminal
from provisioning.rules.alerts import Rule
from provisioning.rules.keys import KeyAnswer, KeyBlock
from tests.fleet.people import make_person

CASE = "451207"
STEPS = (
    ("2026-11-22T09:14:02+08:00", "note_credited", "cash_box:10000 resident:-10000"),
    ("2026-11-22T09:14:40+08:00", "settle_handed_over", "resident:10000 suspense:-10000"),
)


def falls(city: str, at_ms: int) -> None:
    """On a city that ``town.build`` made."""
    terminal = Terminal.get(Terminal.terminal_id == "T0000001")
    caller = Actor(city, "terminal:T0000001")
    call(caller, terminal.id, "key-1", "451206", "paper_left", "paper_left", at_ms - 700_000)
    _visit(city, at_ms)
    _keys(city, at_ms)
    _told(city, at_ms)
    Watch(city).look(at_ms)
    Watch(city).look(at_ms + 1_000_000)
    settle(city, SOURCES, at_ms)


def documents(city: str, home: Path, at_ms: int) -> None:
    """The agency's offline policy of the whole city, and a hotlist of its first hall that is nearly over."""
    signer = Signer("agency", Ed25519PrivateKey.generate())
    operator, approver = make_person(city, "he", "operator"), make_person(city, "lv", "approver")
    now = datetime.fromtimestamp(at_ms / 1000, UTC)
    ages = {"age_s_max": 400 * 86_400, "hotlist_age_s_max": 7 * 86_400}
    policy = signer.signed("offline_policy", 12, now - timedelta(days=320), now + timedelta(days=100), ages)
    hotlist = signer.signed("hotlist", 31, now - timedelta(days=6), now + timedelta(days=1), {"count": 0})
    hall = Place.select().where((Place.tenant == city) & (Place.kind == "hall")).order_by(Place.id).first()
    for place, name, wire in ((root(city), "offline-policy.json", policy), (hall, "hotlist.json", hotlist)):
        kept = keep_body(operator, home, [wire], at_ms)
        body = {"name": f"offline/{name}", "sha256": kept.sha256, "bytes": kept.bytes}
        settings = {"offline": {"documents": "body:offline"}}
        proposal = propose_settings(operator, place.id, "", settings, [body], "每年更换", at_ms)
        proposals.approve(approver, proposal, at_ms)


def _told(city: str, at_ms: int) -> None:
    """Two routes, and a bound of the city's own."""
    runs, place, url = make_person(city, "xu", "system_admin"), root(city).id, "https://gateway.example/sms"
    add_route(runs, place, "值班台", f"{url}?key=a-key-of-the-gateway", "warning", (8, 20), 0, at_ms)
    add_route(runs, place, "夜间主任", url, "urgent", (0, 24), 1800, at_ms)
    rule = Rule(name="hot", figure="temperature_c", bound=70, for_s=300)
    change_rule(runs, rule, True, "夏天厅里没有空调", at_ms - 3_600_000)


def _visit(city: str, at_ms: int) -> None:
    board = Board.create(
        tenant=city, terminal_id="T0000001", public_key="ab" * 32, link=NOTHING_BEFORE, first_seen_ms=at_ms, seq=2
    )
    for seq, (at, act, postings) in enumerate(STEPS, 1):
        clear = {"at": at, "act": act, "postings": postings, "period": "2026-11", "card_index": "cd" * 32}
        KeptRow.create(board=board, seq=seq, case_code=CASE, sealed="", link=f"{seq:064d}", **clear)
    cases.note(board.id, [(CASE, at, postings) for at, _, postings in STEPS])


def _keys(city: str, at_ms: int) -> None:
    first, second = (make_person(city, name, "key_officer") for name in ("qian", "wu"))
    told = {
        "block_id": "",
        "domain": "social",
        "form": "master",
        "slot": 5,
        "block": "AB" * 16,
        "check_value": "8CA64D",
    }
    blocks = [msgspec.convert({**told, "terminal_id": name}, KeyBlock) for name in ("T0000001", "T0000004")]
    proposals.approve(second, propose_load(first, blocks, "每年更换", at_ms), at_ms)
    row = KeyLoad.select().join(Terminal).where(Terminal.terminal_id == "T0000001").get()
    agrees = KeyAnswer(result="done", check_value="8CA64DE9")
    answer(Actor(city, "terminal:T0000001"), row.terminal_id, row.block_id, agrees, at_ms)
