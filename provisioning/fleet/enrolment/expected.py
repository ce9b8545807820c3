"""Serial numbers registered before their terminals are plugged in: nothing is typed or confirmed on site."""

from collections.abc import Iterator, Sequence

import msgspec

from provisioning.fleet import audit
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.database import step
from provisioning.fleet.enrolment.places import Seat, check_seat, must_be_allowed, place_of
from provisioning.fleet.enrolment.requests import accept
from provisioning.fleet.schema.enrolment import EnrolmentRequest, ExpectedTerminal
from provisioning.fleet.schema.terminals import Terminal
from provisioning.rules.network import Network

ROWS_MAX = 5_000  # of one act
STANDS_MS = 90 * 24 * 3600 * 1000


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """One serial number. ``fingerprint`` "": the maker did not tell it, so the first key that names the serial is
    taken, until ``until_ms`` (None: ``STANDS_MS`` from now). Whoever knows the serial can be first: keep it short."""

    seat: Seat
    fingerprint: str = ""
    network: Network | None = None
    until_ms: int | None = None


def preregister(actor: Actor, rows: Sequence[Expected], at_ms: int) -> int:
    """All of them or none; how many.

    Raises:
        NotFound: a place is not of this city.
        Refused: malformed, too many, not this person's place, a serial or number is taken or stands twice.
    """
    if len(rows) > ROWS_MAX:
        raise Refused("too_many", f"At most {ROWS_MAX} at once. Make several files of it.")
    for name in ("serial", "terminal_id"):
        told = [getattr(row.seat, name) for row in rows]
        if len(set(told)) != len(told):
            raise Refused("twice", "A serial number or terminal number stands twice in the file.")
    with step():
        for row in rows:
            _preregister(actor, row, at_ms)
        audit.record(actor, at_ms, "enrolment_preregister", f"{len(rows)} serial numbers", "", {"rows": len(rows)})
    return len(rows)


def expected(actor: Actor) -> Iterator[ExpectedTerminal]:
    """Of this city and not plugged in yet, by serial number."""
    mine = (ExpectedTerminal.tenant == actor.tenant) & ExpectedTerminal.used_ms.is_null()
    yield from ExpectedTerminal.select().where(mine).order_by(ExpectedTerminal.serial)


def withdraw(actor: Actor, serial: str, why: str, at_ms: int) -> None:
    """It is not expected any more.

    Raises:
        NotFound: this city does not expect it, or it came already.
        Refused: not this person's place.
    """
    with step():
        mine = (ExpectedTerminal.tenant == actor.tenant) & (ExpectedTerminal.serial == serial)
        row = ExpectedTerminal.get_or_none(mine & ExpectedTerminal.used_ms.is_null())
        if row is None:
            raise NotFound
        must_be_allowed(actor, "enrol", row.place)
        row.delete_instance()
        audit.record(actor, at_ms, "enrolment_withdraw", serial, why)


def meet(request: EnrolmentRequest, at_ms: int) -> EnrolmentRequest:
    """Accept a waiting request whose serial number is expected. Inside a step. One that a person or a stick made a
    terminal meanwhile waits for a person: who comes first no longer counts.

    Raises:
        Refused: it is expected with another key, or another one came first.
    """
    row = ExpectedTerminal.get_or_none((ExpectedTerminal.serial == request.serial) & ExpectedTerminal.used_ms.is_null())
    if row is None or row.until_ms <= at_ms or Terminal.get_or_none(Terminal.serial == row.serial) is not None:
        return request
    if row.fingerprint and row.fingerprint != request.fingerprint:
        raise Refused("another_key", "This serial number is expected with another key.")
    seat = Seat(row.serial, row.terminal_id, row.place_id, row.profile)
    check_seat(row.tenant_id, seat)
    still = (ExpectedTerminal.serial == row.serial) & ExpectedTerminal.used_ms.is_null()
    if ExpectedTerminal.update(used_ms=at_ms).where(still).execute() != 1:
        raise Refused("another_key", "Another key came first for this serial number.")
    network = msgspec.convert(row.network, Network) if row.network else None
    return accept(Actor(row.tenant_id, row.created_by), request, seat, "expected", at_ms, network=network)


def _preregister(actor: Actor, row: Expected, at_ms: int) -> None:
    place = check_seat(actor.tenant, row.seat)
    must_be_allowed(actor, "enrol", place_of(actor.tenant, place.id))
    if Terminal.get_or_none(Terminal.serial == row.seat.serial) is not None:
        raise Refused("serial_taken", f"{row.seat.serial} is a terminal already. Confirm a new key of it by hand.")
    told = msgspec.structs.asdict(row.seat)
    told |= {"tenant": actor.tenant, "fingerprint": row.fingerprint, "created_ms": at_ms, "created_by": actor.who}
    told |= {"network": msgspec.to_builtins(row.network) if row.network else None}
    told |= {"until_ms": row.until_ms or at_ms + STANDS_MS}
    clash = (ExpectedTerminal.serial == row.seat.serial) | (ExpectedTerminal.terminal_id == row.seat.terminal_id)
    if ExpectedTerminal.get_or_none(clash) is not None:
        raise Refused("expected_already", f"{row.seat.serial} or its number is expected already.")
    ExpectedTerminal.create(**told)
