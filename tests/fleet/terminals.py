"""Terminals for tests of the fleet: rows as enrolment leaves them, headers as nginx sets them."""

import hashlib

from provisioning.fleet.schema.places import Place, Tenant
from provisioning.fleet.schema.terminals import Certificate, Terminal

TOKEN = "a-token-of-a-stock-client"
FAR_MS = 4_102_444_800_000  # 2100-01-01


def add_terminal(terminal_id: str, city: str, serial: str = "", state: str = "active") -> Terminal:
    """An enrolled terminal at the city's first place; ``serial``: of its certificate, "" for none."""
    place = Place.get(Place.tenant == city)
    row = {"tenant": city, "place": place, "state": state, "created_ms": 0, "changed_ms": 0}
    terminal: Terminal = Terminal.create(terminal_id=terminal_id, serial=f"SN-{terminal_id}", **row)
    if serial:
        Certificate.create(serial=serial, terminal=terminal, not_after_ms=FAR_MS, pem="")
    return terminal


def shown(serial: str, face: str = "terminals") -> dict[str, str]:
    """What nginx tells of a connection whose certificate it verified."""
    return {"X-Face": face, "X-Client-Verify": "SUCCESS", "X-Client-Serial": serial}


PEOPLE = {"X-Face": "people"}


def allow_token(terminal_id: str, city: str) -> None:
    """A city that takes stock clients, and ``TOKEN`` for one of them."""
    Tenant.update(settings={"target_tokens": True}).where(Tenant.code == city).execute()
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    Terminal.update(token_hash=digest).where(Terminal.terminal_id == terminal_id).execute()
