"""Keys that ask for a certificate, and what people say to them."""

from collections.abc import Iterator

import msgspec
import peewee

from provisioning.fleet import audit
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.database import step
from provisioning.fleet.enrolment.crowd import make_room
from provisioning.fleet.enrolment.places import Seat, check_seat, must_be_allowed
from provisioning.fleet.schema.enrolment import EnrolmentRequest, ExpectedTerminal
from provisioning.fleet.schema.places import PROVINCE, Place
from provisioning.fleet.schema.terminals import Terminal
from provisioning.rules.network import Network


def waiting(actor: Actor) -> Iterator[EnrolmentRequest]:
    """Requests of this city that want an answer, newest first; the province also sees those of no city yet."""
    mine = EnrolmentRequest.tenant == actor.tenant
    if actor.tenant == PROVINCE:
        mine |= EnrolmentRequest.tenant.is_null()
    rows = EnrolmentRequest.select().where((EnrolmentRequest.state == "waiting") & mine)
    yield from rows.order_by(EnrolmentRequest.last_ms.desc()).limit(500)


def find(actor: Actor, fingerprint: str) -> EnrolmentRequest:
    """The one with exactly this fingerprint, as a phone reads it off the glass: of this city, or of none yet.

    Raises:
        NotFound: nobody asks with this key, or it is another city's.
    """
    request = EnrolmentRequest.get_or_none(EnrolmentRequest.fingerprint == fingerprint)
    if request is None or request.tenant_id not in (None, actor.tenant):
        raise NotFound
    return request


def confirm(
    actor: Actor,
    fingerprint: str,
    terminal_id: str,
    place_id: int,
    at_ms: int,
    *,
    profile: str = "hall",
    network: Network | None = None,
    why: str = "",
) -> EnrolmentRequest:
    """Somebody who stands in front of it compared the fingerprint: this key may become this terminal at this place.

    A terminal that is known already gets a new key by it: its old certificates end when the new one is issued.

    Raises:
        NotFound: no such request or place in this city.
        Refused: answered already, malformed, not this person's place, or number or serial belong to another.
    """
    with step():
        request = find(actor, fingerprint)
        seat = Seat(request.serial, terminal_id, place_id, profile)
        must_be_allowed(actor, "enrol", check_seat(actor.tenant, seat))
        known = Terminal.get_or_none(Terminal.serial == request.serial)
        if known is not None:  # it stays where it stands, so that is where this must be theirs to say
            must_be_allowed(actor, "enrol", known.place)
        return accept(actor, request, seat, "person", at_ms, network=network, why=why)


def refuse(actor: Actor, fingerprint: str, why: str, at_ms: int) -> None:
    """This key never gets a certificate. Its terminal makes a new one when an installer resets it.

    Raises:
        NotFound: no such request in this city.
        Refused: answered already, not this person's to say, or no reason given.
    """
    if not why.strip():
        raise Refused("no_reason", "Say why, for whoever installs it.")
    with step():
        request = find(actor, fingerprint)
        must_be_allowed(actor, "enrol", city_of(actor.tenant))
        _decide(request, "refused", actor, why)
        request.tenant_id = actor.tenant
        request.save()
        audit.record(actor, at_ms, "enrolment_refuse", request.serial, why, {"fingerprint": fingerprint})


def accept(
    actor: Actor,
    request: EnrolmentRequest,
    seat: Seat,
    how: str,
    at_ms: int,
    *,
    network: Network | None = None,
    why: str = "",
) -> EnrolmentRequest:
    """Make the terminal where there is none and let the next question of this key be answered. Inside a step; whoever
    calls has checked the seat."""
    _decide(request, "confirmed", actor, why)
    request.tenant_id, request.how, request.terminal = actor.tenant, how, _seated(actor.tenant, seat, at_ms)
    request.network = msgspec.to_builtins(network) if network else None
    request.save()
    facts = {"fingerprint": request.fingerprint, "serial": seat.serial, "place": seat.place, "how": how}
    audit.record(actor, at_ms, "enrolment_confirm", seat.terminal_id, why, facts)
    return request


def asked_by(fingerprint: str, serial: str, address: str, at_ms: int) -> EnrolmentRequest:
    """The request of this key, made or moved to now. Inside a step.

    Raises:
        Refused: the key asked for another serial number before.
    """
    request = EnrolmentRequest.get_or_none(EnrolmentRequest.fingerprint == fingerprint)
    if request is None:
        return _first(fingerprint, serial, address, at_ms)
    if request.serial != serial:
        raise Refused("serial_differs", "This key asked for another serial number before.")
    EnrolmentRequest.update(last_ms=at_ms, address=address).where(EnrolmentRequest.fingerprint == fingerprint).execute()
    return request


def city_of(tenant: str) -> Place:
    """The root of a city's tree. Raises NotFound: it has none."""
    place = Place.get_or_none((Place.tenant == tenant) & Place.parent.is_null())
    if place is None:
        raise NotFound
    return place


def tenant_of(serial: str) -> str | None:
    """The city that knows this serial number already."""
    for table in (Terminal, ExpectedTerminal):
        known = table.get_or_none(table.serial == serial)
        if known is not None:
            return str(known.tenant_id)
    return None


def _first(fingerprint: str, serial: str, address: str, at_ms: int) -> EnrolmentRequest:
    make_room(at_ms)
    row = {"serial": serial, "address": address, "first_ms": at_ms, "last_ms": at_ms, "tenant": tenant_of(serial)}
    # Two questions of one key at the same moment: the second finds the first one's row.
    EnrolmentRequest.insert(fingerprint=fingerprint, **row).on_conflict_ignore().execute()
    found: EnrolmentRequest = EnrolmentRequest.get_by_id(fingerprint)
    return found


def _decide(request: EnrolmentRequest, state: str, actor: Actor, why: str) -> None:
    """Only one of two who answer at the same moment finds it waiting."""
    still = (EnrolmentRequest.fingerprint == request.fingerprint) & (EnrolmentRequest.state == "waiting")
    if EnrolmentRequest.update(state=state).where(still).execute() != 1:
        raise Refused("decided", "This was answered already.")
    request.state, request.decided_by, request.why = state, actor.who, why.strip()


def _seated(tenant: str, seat: Seat, at_ms: int) -> Terminal:
    known: Terminal | None = Terminal.get_or_none(Terminal.serial == seat.serial)
    if known is not None:
        return known
    row = {"terminal_id": seat.terminal_id, "serial": seat.serial, "place": seat.place, "profile": seat.profile}
    try:
        return Terminal.create(tenant=tenant, created_ms=at_ms, changed_ms=at_ms, **row)
    except peewee.IntegrityError:
        raise Refused("number_taken", "Another terminal has this number. Choose a free one.") from None
