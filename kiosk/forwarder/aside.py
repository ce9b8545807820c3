"""``python -m kiosk notices``: what hosts refused too often, and the way out of it, by the running forwarder.

One person may have a notice told once more; that it is never told needs two (money-rules 30). Their names are what they
type, and stand in the journal: who may log in on a terminal is the operator's rule.
"""

from pathlib import Path
from typing import Any

from kiosk.basics.control import ask_control

NOTHING = "nothing was put aside under this key"
OVERTAKEN = (
    "not released: its holder reported the card as lost again since, and told now it would lift that report; "
    "two people end it with give-up"
)
TWO_PEOPLE = "two different people must say that a notice is given up, and why"


def asked_words(verb: str, key: str, by: str, approver: str, why: str) -> str:
    """The question for the forwarder's socket. Raises ValueError: what is missing, for the person who typed."""
    if verb == "list":
        return "put_aside"
    if verb not in ("release", "give-up"):
        raise ValueError("notices wants list, release KEY or give-up KEY")
    if not key or not by:
        raise ValueError(f"notices {verb} wants the key, and --by with who says so")
    if " " in by + approver + key:
        raise ValueError("a key and a person's number have no blanks")
    if verb == "release":
        return f"release {key} {by}"
    if not approver or not why or approver == by:
        raise ValueError(f"{TWO_PEOPLE}: --by, --approver, --why")
    return f"give_up {key} {by} {approver} {why}"


async def bring_on(socket: Path, question: str) -> str:
    """What the forwarder answers, for a person. Raises ControlSilent: it does not run."""
    answer = await ask_control(socket, question)
    return answer if isinstance(answer, str) else _listed(answer)


def _listed(waiting: list[dict[str, Any]]) -> str:
    if not waiting:
        return "no notice was put aside"
    return "\n".join(f"{one['key']}  {one['host']}  {one['act']}  refused: {one['reason']}" for one in waiting)
