"""``claim ...``: sticks for terminals that nobody confirms by hand. Two people sign, on machines of their own.

claim key --out ann.key --name ann                   on Ann's machine, once; prints her public key
claim trust --name ann --public HEX --tenant C --by L   on the server: her signature counts in this city
claim retire --name ann --why W --tenant C --by L       on the server: not any more
claim draft --out DIR --rows F.csv --place N ...     on the server: one claim for each SERIAL,NUMBER[,PROFILE]
claim sign DIR --key ann.key                         on Ann's machine, then on Bob's
claim show DIR                                       what is in it, and who has signed

DIR is then copied to the stick as yikatong/claims.
"""

import argparse
import csv
import secrets
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from kiosk.basics.signed import NotTrusted, cosigned, unsigned
from provisioning.fleet.actor import NotFound, Refused
from provisioning.fleet.commands.asking import actor_of, add_city
from provisioning.fleet.commands.own_key import make_own_key, read_own_key
from provisioning.fleet.enrolment import claims
from provisioning.fleet.enrolment.places import Seat, check_seat
from provisioning.fleet.settings import FleetSettings
from provisioning.fleet.web import now_ms
from provisioning.rules.enrolment import CLAIM_KIND, CLAIM_VERSION
from provisioning.rules.network import Network, NetworkUnfit, check

OFFLINE = ("key", "sign", "show")
DAYS = 30


def add_arguments(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    key = acts.add_parser("key", help="a key of your own, under a passphrase")
    key.add_argument("--out", type=Path, required=True)
    key.add_argument("--name", required=True)
    for act in ("trust", "retire"):
        one = acts.add_parser(act, help="whose signature counts")
        one.add_argument("--name", required=True)
        one.add_argument("--public" if act == "trust" else "--why", required=True)
        add_city(one)
    draft = acts.add_parser("draft", help="claims to be signed")
    draft.add_argument("--out", type=Path, required=True)
    draft.add_argument("--rows", type=Path, required=True, help="CSV: SERIAL,NUMBER[,PROFILE]")
    draft.add_argument("--place", type=int, required=True)
    draft.add_argument("--network", type=Path, help="JSON, see provisioning/rules/network.py; the same for all")
    draft.add_argument("--fleet-url", default="", help="where it is another than the image's; with --fleet-ca")
    draft.add_argument("--fleet-ca", type=Path)
    draft.add_argument("--days", type=int, default=DAYS, help="how long they hold")
    add_city(draft)
    for act in ("sign", "show"):
        one = acts.add_parser(act, help="needs no settings and no line")
        one.add_argument("folder", type=Path)
        if act == "sign":
            one.add_argument("--key", type=Path, required=True)


def needs_settings(asked: argparse.Namespace) -> bool:
    return asked.act not in OFFLINE


def run(settings: FleetSettings | None, asked: argparse.Namespace) -> int:
    acts: dict[str, Callable[[FleetSettings | None, argparse.Namespace], int]] = {
        "key": _key, "trust": _trust, "retire": _retire, "draft": _draft, "sign": _sign, "show": _show,
    }  # fmt: skip
    try:
        return acts[asked.act](settings, asked)
    except NotFound:
        print("There is no such thing in this city.", file=sys.stderr)
    except (Refused, NotTrusted, NetworkUnfit, OSError, ValueError, msgspec.MsgspecError) as error:
        print(error, file=sys.stderr)
    return 1


def _key(settings: FleetSettings | None, asked: argparse.Namespace) -> int:
    print(make_own_key(asked.out, asked.name))
    return 0


def _trust(settings: FleetSettings | None, asked: argparse.Namespace) -> int:
    actor = actor_of(_given(settings), asked)
    if actor is None:
        return 1
    claims.add_key(actor, asked.name, bytes.fromhex(asked.public), now_ms())
    return 0


def _retire(settings: FleetSettings | None, asked: argparse.Namespace) -> int:
    actor = actor_of(_given(settings), asked)
    if actor is None:
        return 1
    claims.retire_key(actor, asked.name, asked.why, now_ms())
    return 0


def _draft(settings: FleetSettings | None, asked: argparse.Namespace) -> int:
    actor = actor_of(_given(settings), asked)
    if actor is None:
        return 1
    shared = _shared(asked)
    with asked.rows.open(newline="", encoding="utf-8") as file:
        seats = [Seat(row[0], row[1], asked.place, *row[2:3]) for row in csv.reader(file) if row]
    for seat in seats:
        check_seat(actor.tenant, seat)
    asked.out.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    for seat in seats:
        facts = {**msgspec.structs.asdict(seat), **shared, "claim": secrets.token_hex(16), "tenant": actor.tenant}
        wire = unsigned(CLAIM_KIND, CLAIM_VERSION, now, now + timedelta(days=asked.days), facts)
        (asked.out / f"{seat.serial}.json").write_bytes(wire)
    print(f"{len(seats)} claims in {asked.out}: two people sign them now.")
    return 0


def _shared(asked: argparse.Namespace) -> dict[str, Any]:
    """What is the same in every claim of a stick."""
    shared: dict[str, Any] = {}
    if asked.network:
        network = msgspec.json.decode(asked.network.read_bytes(), type=Network)
        check(network)
        shared["network"] = msgspec.to_builtins(network)
    if bool(asked.fleet_url) != bool(asked.fleet_ca):
        raise ValueError("--fleet-url and --fleet-ca belong together")
    if asked.fleet_url:
        shared |= {"fleet_url": asked.fleet_url, "fleet_ca": asked.fleet_ca.read_text()}
    return shared


def _sign(settings: FleetSettings | None, asked: argparse.Namespace) -> int:
    signer = read_own_key(asked.key)
    for path in _claims(asked.folder):
        path.write_bytes(cosigned(path.read_bytes(), signer))
    return _show(settings, asked)


def _show(settings: FleetSettings | None, asked: argparse.Namespace) -> int:
    for path in _claims(asked.folder):
        told = msgspec.json.decode(path.read_bytes())
        document, signers = told["document"], [one["key"] for one in told["signatures"]]
        who = f"{document['serial']} -> {document['terminal_id']} of {document['tenant']}, place {document['place']}"
        print(f"{who}, until {document['expires_at'][:10]}, signed by {', '.join(signers) or 'nobody'}")
    return 0


def _claims(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*.json"))
    if not found:
        raise ValueError(f"{folder}: no claims in it")
    return found


def _given(settings: FleetSettings | None) -> FleetSettings:
    assert settings is not None, "__main__ wants them"
    return settings
