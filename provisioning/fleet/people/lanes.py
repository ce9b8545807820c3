"""How often somebody may try to sign in.

Tries are counted in lanes. From a browser that signed in before, the lane is that browser's; from anywhere else it is
the login's and the address's. So a stranger who guesses can close the login for strangers, not for the person's own
browser, and not for other people.
"""

import ipaddress
from collections.abc import Iterable

from provisioning.fleet.database import step
from provisioning.fleet.schema.people import Lane

WINDOW_MS = 15 * 60 * 1000
LOGIN_TRIES, ADDRESS_TRIES, BROWSER_TRIES = 5, 30, 10
NAME_MAX = 100


def lanes_of(login: str, address: str, browser: str) -> dict[str, int]:
    """Lane -> tries in a window. ``browser``: a browser known for this login, "" for none."""
    if browser:
        return {f"browser:{browser}"[:NAME_MAX]: BROWSER_TRIES}
    return {f"login:{login}"[:NAME_MAX]: LOGIN_TRIES, f"address:{_network(address)}": ADDRESS_TRIES}


def try_once(lanes: dict[str, int], at_ms: int) -> bool:
    """Count a try before anything is looked at, so that many at once are counted too. False: one lane is closed."""
    with step():
        over = (Lane.since_ms <= at_ms - WINDOW_MS) | (
            Lane.since_ms > at_ms + WINDOW_MS
        )  # by a clock that was set back
        Lane.delete().where(over).execute()
        opened = True
        for name, most in sorted(lanes.items()):
            Lane.insert(name=name, tries=0, since_ms=at_ms).on_conflict_ignore().execute()
            room = (Lane.name == name) & (Lane.tries < most)
            opened &= Lane.update(tries=Lane.tries + 1).where(room).execute() == 1
        return opened


def forgive(lanes: Iterable[str]) -> None:
    """Whoever signed in starts anew. Addresses do not: behind one there may be a guesser, too."""
    own = [name for name in lanes if not name.startswith("address:")]
    Lane.delete().where(Lane.name.in_(own)).execute()


def _network(address: str) -> str:
    """An IPv6 site has more addresses than anybody can count: its /64 is one."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network((known, 64), strict=False)) if known.version == 6 else str(known)
