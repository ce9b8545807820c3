"""``ca list | add | retire | drop``: who gives terminals their certificates, and how one follows another.

ca add NAME                  from now on trusted too; nginx reads its file again: nginx -s reload
ca retire OLD --by LOGIN     it gives no more, and its terminals renew within two weeks
ca drop OLD                  nobody believes its certificates any more; who was dark comes back by its key
"""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from provisioning.fleet import ca
from provisioning.fleet.actor import Actor, Refused
from provisioning.fleet.database import open_database
from provisioning.fleet.enrolment.roll_over import retire
from provisioning.fleet.schema.places import PROVINCE
from provisioning.fleet.settings import FleetSettings
from provisioning.fleet.web import now_ms
from provisioning.token_key import Token, TokenError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["list", "add", "retire", "drop"])
    parser.add_argument("name", nargs="?", default="")
    parser.add_argument("--by", default="", help="retire: your login; it stands on the province's audit trail")
    parser.add_argument("--token", type=Path, help="add: TOML that describes the token which holds its key")


def run(settings: FleetSettings, asked: argparse.Namespace) -> int:
    home = Path(settings.home)
    try:
        print(_done(settings, asked, home))
    except (Refused, TokenError, OSError, msgspec.MsgspecError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _done(settings: FleetSettings, asked: argparse.Namespace, home: Path) -> str:
    match asked.what:
        case "add":
            token = msgspec.toml.decode(asked.token.read_bytes(), type=Token) if asked.token else None
            made = ca.add(home, asked.name, datetime.now(UTC), token)
            return f"{made.name} is trusted. Have nginx read its configuration again."
        case "retire":
            if not asked.by:
                raise Refused("no_name", "Say who you are: --by LOGIN")
            open_database(settings.database_url)
            count = retire(Actor(PROVINCE, f"person:{asked.by}"), home, asked.name, now_ms())
            return f"{asked.name} gives no more certificates; {count} terminals renew within two weeks."
        case "drop":
            ca.drop(home, asked.name)
            return f"{asked.name} is not trusted any more. Have nginx read its configuration again."
        case _:
            return "\n".join(_line(one) for one in ca.authorities(home)) or "There is none yet."


def _line(one: ca.Authority) -> str:
    return f"{one.name}: until {one.certificate.not_valid_after_utc:%Y-%m-%d}" + (", retired" if one.retired else "")
