"""``rehearse``: a city with people who can sign in and terminals with certificates, at once. Never in production.

For demonstrations and measurements: keys of terminals are made here and written into a folder, which no enrolment does.
"""

import argparse
import secrets
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import peewee
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from provisioning.fleet import ca
from provisioning.fleet.actor import Actor, Refused
from provisioning.fleet.commands.city import add_city
from provisioning.fleet.commands.person import add_person
from provisioning.fleet.database import open_database, step
from provisioning.fleet.enrolment.csr import subject_of
from provisioning.fleet.enrolment.expected import Expected, preregister
from provisioning.fleet.enrolment.places import Seat
from provisioning.fleet.identity import serial_hex
from provisioning.fleet.people.sealing import load_seal
from provisioning.fleet.schema.places import PROVINCE, Place
from provisioning.fleet.schema.terminals import Certificate, Terminal
from provisioning.fleet.settings import FleetSettings
from provisioning.fleet.updates.rehearsal import rehearse_releases
from provisioning.fleet.web import now_ms

NAMES = {"demo-city": ("示例市", "Demo City"), PROVINCE: ("示例省", "Demo Province")}
PEOPLE = {
    "operator": ["operator", "viewer"],
    "approver": ["approver"],
    "officer-1": ["key_officer"],
    "officer-2": ["key_officer"],
    "security": ["security_admin"],
    "system": ["system_admin"],
    "auditor": ["auditor"],  # who opens the complaint desk, too
}
DAYS = 90.0
ROWS = 500


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--city", default="demo-city")
    parser.add_argument(
        "--out", type=Path, required=True, help="keys, certificates and who may sign in, for tests only"
    )
    parser.add_argument("--people", action="store_true", help="one person for each role, their first sign-in in OUT")
    parser.add_argument("--terminals", type=int, default=0)
    parser.add_argument(
        "--certificates", type=int, default=1000, help="for so many of them, with a key; others have none"
    )
    parser.add_argument(
        "--expect", metavar="SERIAL=NUMBER[:PROFILE]", help="a terminal that will enrol by itself (needs --people)"
    )
    parser.add_argument("--prefix", default="R", help="of their numbers")


def run(settings: FleetSettings, asked: argparse.Namespace) -> int:
    if settings.production:
        print("This fleet serves residents: nothing is rehearsed on it.", file=sys.stderr)
        return 1
    open_database(settings.database_url)
    asked.out.mkdir(parents=True, exist_ok=True, mode=0o700)
    place = _city(asked.city)
    if asked.people:
        _write(asked.out / "first-sign-in.txt", "".join(_people(settings, asked.city)))
        _city(PROVINCE)  # whose trail says who published software
        rehearse_releases(settings, asked.out, now_ms())
    if asked.expect:
        serial, _, rest = asked.expect.partition("=")
        number, _, profile = rest.partition(":")
        seat = Seat(serial, number, _hall(place).id, profile or "hall")
        preregister(Actor(asked.city, "person:operator"), [Expected(seat=seat)], now_ms())
    _terminals(settings, place, asked)
    return 0


def _city(code: str) -> Place:
    with suppress(peewee.IntegrityError):  # it is there already
        add_city(code, *NAMES.get(code, (code, code)), at_ms=now_ms())
    place: Place = Place.get((Place.tenant == code) & Place.parent.is_null())
    return place


def _hall(city: Place) -> Place:
    """As a terminal calls its place before it is told one."""
    names = {"name_zh": "一楼大厅", "name_en": "Ground floor hall"}
    hall: Place = Place.create(tenant=city.tenant_id, parent=city, kind="hall", path="", **names)
    Place.update(path=f"{city.path}{hall.id}/").where(Place.id == hall.id).execute()
    return hall


def _people(settings: FleetSettings, city: str) -> Iterator[str]:
    seal = load_seal(Path(settings.home))
    for login, roles in PEOPLE.items():
        password = secrets.token_urlsafe(12)
        try:
            uri = add_person(city, login, login, roles, password, seal, now_ms())
        except Refused as refusal:
            yield f"{login}: {refusal}\n"
            continue
        yield f"{login}  password {password}  authenticator {uri}\n"


def _terminals(settings: FleetSettings, place: Place, asked: argparse.Namespace) -> None:
    """Their numbers, each with the serial number of its certificate, stand in OUT/terminals.txt."""
    authority = ca.issuing(Path(settings.home))
    made = [_terminal(authority, place, asked, number) for number in range(1, asked.terminals + 1)]
    at_ms = now_ms()
    for start in range(0, len(made), ROWS):
        part = made[start : start + ROWS]
        with step():
            fixed = {
                "tenant": place.tenant_id,
                "place": place,
                "state": "active",
                "created_ms": at_ms,
                "changed_ms": at_ms,
            }
            Terminal.insert_many([{"terminal_id": one[0], "serial": f"SN-{one[0]}", **fixed} for one in part]).execute()
            names = Terminal.terminal_id.in_([one[0] for one in part])
            keys = {row.terminal_id: row.id for row in Terminal.select(Terminal.id, Terminal.terminal_id).where(names)}
            issued = {"not_after_ms": at_ms + int(DAYS * 86_400_000)}
            Certificate.insert_many(
                [{"serial": serial, "terminal": keys[name], "pem": pem, **issued} for name, serial, pem in part]
            ).execute()
    _write(asked.out / "terminals.txt", "".join(f"{name} {serial}\n" for name, serial, _ in made))


def _terminal(authority: ca.Authority, place: Place, asked: argparse.Namespace, number: int) -> tuple[str, str, str]:
    """Number, serial number of its certificate, and the certificate ("" where none was asked for)."""
    terminal_id = f"{asked.prefix}{number:07d}"
    if number > asked.certificates:
        return terminal_id, secrets.token_hex(19).upper().rjust(40, "1"), ""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = subject_of(place.tenant_id, terminal_id, f"SN-{terminal_id}")
    certificate = ca.certificate_for(authority, subject, key.public_key(), datetime.now(UTC), DAYS)
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    form = serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
    _write(asked.out / f"{terminal_id}.pem", secret + pem)
    return terminal_id, serial_hex(certificate.serial_number), pem


def _write(path: Path, words: str) -> None:
    path.touch(mode=0o600)
    path.write_text(words)
