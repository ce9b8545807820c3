"""Draws up and publishes trust lists. Two approvers sign each with their own keys, which no server holds."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from kiosk.basics.signed import NotTrusted, unsigned
from provisioning.fleet import audit
from provisioning.fleet.actor import Actor, Refused
from provisioning.fleet.city_key import city_keys, make_key
from provisioning.fleet.database import step
from provisioning.fleet.enrolment import claims
from provisioning.fleet.epoch.acts import locked
from provisioning.fleet.schema.terminals import Terminal
from provisioning.fleet.schema.trust import TrustList
from provisioning.fleet.touch import touch
from provisioning.fleet.trust.lists import approvers, newest, trusted_now
from provisioning.rules.trust import SIGNERS_MIN, TRUST_KIND, Trust, read_trust

HARDLY_EVER = timedelta(days=36_500)


def draft(actor: Actor, home: Path, now: datetime, new_key: bool = False, drop: Sequence[str] = ()) -> bytes:
    """The next list without a signature: the city's people of today, and its keys but for those that are dropped.

    ``new_key``: the city signs by a key that is made now. The key before stays believed unless it is dropped: what was
    signed a moment ago must still hold.

    Raises:
        Refused: it would leave no key, or fewer than two people.
    """
    number, before = newest(actor.tenant), trusted_now(home, actor.tenant)
    keys, signs = dict(before.keys), before.signs
    if new_key:
        signs, public = make_key(home, actor.tenant, number + 1)
        keys[signs] = public.public_bytes_raw().hex()
    people = {one.name: one.public_key for one in claims.keys(actor.tenant)}
    kept = {name: key for name, key in keys.items() if name not in drop}
    if signs not in kept or len(set(people.values())) < SIGNERS_MIN:
        raise Refused("nobody_left", "A list needs the key that signs, and two people. Add --new-key, or people first.")
    trust = {"tenant": actor.tenant, "signs": signs, "keys": kept, "approvers": people}
    return unsigned(TRUST_KIND, number + 1, now, now + HARDLY_EVER, trust)


def publish(actor: Actor, home: Path, wire: bytes, at_ms: int) -> int:
    """From now on every terminal of the city is told of it, and the city signs by the key that it names.

    Raises:
        Refused: not signed by two approvers whom terminals believe now, not the next one, of another city, names a
            person who is no approver any more, or a key that this fleet does not hold.
    """
    with step():
        if locked(actor.tenant) is None:
            raise Refused("not_found", "There is no such city.")
        number = newest(actor.tenant) + 1
        try:
            trust, signers = read_trust(wire, approvers(actor.tenant), actor.tenant, number)
        except NotTrusted as error:
            raise Refused("not_trusted", f"This list cannot be published: {error}.") from None
        _check(actor.tenant, home, trust)
        row = {"signs": trust.signs, "wire": wire.decode(), "published_ms": at_ms}
        TrustList.create(tenant=actor.tenant, number=number, **row)
        touch(Terminal.tenant == actor.tenant, at_ms)
        facts = {"signed_by": list(signers), "signs": trust.signs, "keys": sorted(trust.keys)}
        audit.record(actor, at_ms, "trust_published", f"trust list {number}", facts=facts)
        return number


def _check(tenant: str, home: Path, trust: Trust) -> None:
    here = {one.name: one.public_key for one in claims.keys(tenant)}
    if any(here.get(name) != key for name, key in trust.approvers.items()):
        raise Refused("not_current", "It names somebody who is no approver any more. Draw up a new list.")
    held = {name: key.public_bytes_raw().hex() for name, key in city_keys(home, tenant).items()}
    if held.get(trust.signs) != trust.keys[trust.signs]:
        raise Refused("no_such_key", "This fleet does not hold the key that the city would sign by.")
