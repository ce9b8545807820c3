"""Where a terminal is to stand, and whether this person may say so."""

from typing import Annotated

import msgspec

from provisioning.fleet import roles
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.people.held import held_by
from provisioning.fleet.schema.places import Place
from provisioning.fleet.schema.terminals import Terminal
from provisioning.rules.enrolment import SERIAL
from provisioning.rules.poll import TERMINAL_ID

Serial = Annotated[str, msgspec.Meta(pattern=SERIAL)]
Number = Annotated[str, msgspec.Meta(pattern=TERMINAL_ID)]
Profile = Annotated[str, msgspec.Meta(pattern=r"^(hall|hospital|village)$")]


class Seat(msgspec.Struct, frozen=True):
    """What becomes of a serial number: which terminal, where. ``place`` is a row's id."""

    serial: Serial
    terminal_id: Number
    place: int
    profile: Profile = "hall"


def place_of(tenant: str, place_id: int) -> Place:
    """Raises NotFound: no such place in this city."""
    place = Place.get_or_none((Place.id == place_id) & (Place.tenant == tenant))
    if place is None:
        raise NotFound
    return place


def must_be_allowed(actor: Actor, act: str, place: Place) -> None:
    """Raises Refused: this person may not do it there."""
    if not roles.may(held_by(actor), act, place.path):
        raise Refused("not_yours", "This is not yours to do at this place. Ask somebody who works there.")


def check_seat(tenant: str, seat: Seat) -> Place:
    """The place, where nothing stands against this terminal being there.

    Raises:
        NotFound: no such place in this city.
        Refused: malformed, or number or serial belong to another terminal or city.
    """
    place = place_of(tenant, seat.place)
    try:
        msgspec.convert(msgspec.to_builtins(seat), Seat)
    except msgspec.ValidationError as error:
        raise Refused("malformed", f"{error}") from None
    same_number = Terminal.get_or_none(Terminal.terminal_id == seat.terminal_id)
    if same_number is not None and (same_number.serial, same_number.tenant_id) != (seat.serial, tenant):
        raise Refused("number_taken", "Another terminal has this number. Choose a free one.")
    same_serial = Terminal.get_or_none(Terminal.serial == seat.serial)
    if same_serial is not None and (same_serial.terminal_id, same_serial.tenant_id) != (seat.terminal_id, tenant):
        raise Refused("serial_taken", "This serial number belongs to another terminal. Compare it with the plate.")
    return place
