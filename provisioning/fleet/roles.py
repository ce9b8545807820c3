"""Who may do what, as one pure table: docs/fleet.md, "Who may do what".

A role is held for a place and holds in all that lies below it. Where an act takes two people, one proposes and another
approves (``provisioning.fleet.proposals``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

ALL = frozenset(
    {"viewer", "operator", "key_officer", "bank_key_officer", "approver", "auditor", "system_admin", "security_admin"}
)
# Nobody is two of these: who runs the machines, who gives rights and who reads the trail watch one another.
ADMINISTRATORS = frozenset({"system_admin", "security_admin", "auditor"})


@dataclass(frozen=True)
class Rule:
    """Which roles begin an act, and which must agree; ``approves`` is empty where one person is enough."""

    proposes: frozenset[str]
    approves: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Held:
    """A role of one person. ``path``: of the place in whose subtree it holds, "/1/5/"."""

    role: str
    path: str


def _one(*roles: str) -> Rule:
    return Rule(frozenset(roles))


_OPERATOR = _one("operator")
_APPROVED = Rule(frozenset({"operator"}), frozenset({"approver"}))

ACTS: Mapping[str, Rule] = {
    "look": Rule(ALL),
    # one person
    "acknowledge": _OPERATOR,
    "out_of_service": _OPERATOR,
    "back_in_service": _OPERATOR,
    "restart": _OPERATOR,
    "reboot": _OPERATOR,
    "test_page": _OPERATOR,
    "doctor": _OPERATOR,
    "logs": _OPERATOR,
    "enrol": _OPERATOR,
    "stop": _OPERATOR,  # a stolen terminal waits for nobody
    "move": _OPERATOR,
    "swap": _OPERATOR,
    "places": _one("system_admin"),
    "certificates": _one("system_admin"),
    "artifacts": _one("system_admin", "operator"),
    "audit": _one("auditor"),
    "complaints": _one("auditor"),
    # two people
    "settings": _APPROVED,
    "rollout": _APPROVED,
    "reboot_place": _APPROVED,
    "picture": _APPROVED,
    "decommission": _APPROVED,
    "wipe": _APPROVED,
    "readmit": _APPROVED,  # an expired certificate, or one of two that claim to be the same terminal
    "keys": Rule(frozenset({"key_officer"}), frozenset({"key_officer"})),
    "keys_bank": Rule(frozenset({"bank_key_officer"}), frozenset({"bank_key_officer"})),  # the acquirer's own people
    "people": Rule(frozenset({"security_admin"}), frozenset({"approver"})),
}


def may(held: Iterable[Held], act: str, path: str) -> bool:
    """Whether these roles begin ``act`` at the place with this path.

    Raises:
        KeyError: there is no such act.
    """
    return _holds(held, ACTS[act].proposes, path)


def may_approve(held: Iterable[Held], act: str, path: str) -> bool:
    """Whether these roles approve ``act`` there; never where one person is enough. Raises as ``may``."""
    return _holds(held, ACTS[act].approves, path)


def takes_two(act: str) -> bool:
    return bool(ACTS[act].approves)


def clashing(roles: Iterable[str]) -> frozenset[str]:
    """Those of the three administrators that would be one person; empty where there is no such clash."""
    both = ADMINISTRATORS & set(roles)
    return both if len(both) > 1 else frozenset()


def _holds(held: Iterable[Held], roles: frozenset[str], path: str) -> bool:
    return any(one.role in roles and path.startswith(one.path) for one in held)
