"""Sending a command, and hearing what became of it."""

import json
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kiosk.basics.signed import Signer
from provisioning.fleet import audit, proposals, roles
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.database import step
from provisioning.fleet.enrolment.stop import end
from provisioning.fleet.people.held import held_by
from provisioning.fleet.proposals import Kind
from provisioning.fleet.schema.commands import Command
from provisioning.fleet.schema.places import Place
from provisioning.fleet.schema.proposals import Proposal
from provisioning.fleet.schema.terminals import Terminal
from provisioning.fleet.touch import touch
from provisioning.rules.commands import COMMANDS_WAITING_MAX, KIND, RULES
from provisioning.rules.poll import CommandAnswer

WIPED = "wiped"  # why its certificates are revoked
TERMINALS_MAX = 5000  # that one act reaches


@dataclass(frozen=True)
class Target:
    """One terminal, or with ``terminal_id`` "" all active ones below a place."""

    terminal_id: str = ""
    place_id: int = 0


@dataclass(frozen=True)
class Sent:
    """``commands``: on their way, by number; or with ``proposal`` what another person must approve first."""

    commands: tuple[str, ...] = ()
    proposal: int = 0


def send(actor: Actor, target: Target, act: str, arguments: Mapping[str, Any], why: str, at_ms: int) -> Sent:
    """``act``: of ``provisioning.rules.commands.RULES``.

    Raises:
        NotFound: no such terminal or place in this city.
        Refused: not this person's, no reason given, wrong arguments, too many wait for a terminal.
    """
    if act not in RULES or not RULES[act].fits(arguments):
        raise Refused("arguments", "This command does not take these arguments.")
    if not why.strip():
        raise Refused("no_reason", "Say why; it stands on the audit trail.")
    with step():
        place, terminals = _reached(actor, target)
        right = _right(act, target)
        if roles.takes_two(right):
            facts = {"act": act, "arguments": dict(arguments), "terminal_id": target.terminal_id}
            subject = target.terminal_id or f"place:{place.id}"
            return Sent(proposal=proposals.propose(actor, _kind(right), subject, place.id, facts, why, at_ms))
        if not roles.may(held_by(actor), right, place.path):
            raise Refused("not_yours", "This is not yours to do here.")
        return Sent(_send(actor, terminals, act, arguments, why, at_ms))


def withdraw(actor: Actor, command: str, why: str, at_ms: int) -> None:
    """Before it was answered; a terminal that has it already may still obey it.

    Raises NotFound; Refused: answered, not this person's, or no reason given.
    """
    with step():
        row = _one(actor, command)
        if not roles.may(held_by(actor), RULES[row.act].right, row.terminal.place.path):
            raise Refused("not_yours", "This is not yours to do here.")
        if row.state != "waiting" or not why.strip():
            raise Refused("answered", "The terminal answered already, or no reason was given.")
        Command.update(state="withdrawn", answer=why.strip()).where(Command.command == command).execute()
        _changed([row.terminal_id], at_ms)
        audit.record(actor, at_ms, "withdraw_command", row.terminal.terminal_id, why, {"command": command})


def waiting(
    terminals: Collection[int], at_ms: int, signer_of: Callable[[str], Signer]
) -> dict[int, list[dict[str, Any]]]:
    """Signed documents for each of these terminals (keys of their rows) that has any, oldest first: for its poll.
    What is told again is the same document."""
    open_now = (Command.state == "waiting") & (Command.expires_ms > at_ms) & Command.terminal.in_([*terminals])
    found: dict[int, list[dict[str, Any]]] = {}
    for row in Command.select(Command, Terminal).join(Terminal).where(open_now).order_by(Command.created_ms):
        found.setdefault(row.terminal_id, []).append(_signed(row, signer_of(row.tenant_id)))
    return found


def note_answers(caller: Actor, terminal: int, answers: Iterable[CommandAnswer], at_ms: int) -> None:
    """What a terminal's poll tells of its commands; ``terminal``: key of its row. An answer that was heard before, or
    of a command that is not this terminal's, changes nothing."""
    for answer in answers:
        with step():
            mine = (Command.command == answer.command) & (Command.terminal == terminal)
            told = {"state": answer.result, "answered_ms": at_ms, "answer": answer.why, "facts": answer.facts}
            fresh = Command.state.in_(["waiting", "withdrawn"])
            if Command.update(**told).where(mine & fresh).execute() != 1:
                continue
            row = Command.get_by_id(answer.command)
            facts = {"command": row.command, "act": row.act, "result": answer.result}
            audit.record(caller, at_ms, "command_answered", row.terminal.terminal_id, answer.why, facts)
            _follow(row, caller, at_ms)


def of_terminal(actor: Actor, terminal_id: str, limit: int = 50) -> list[Command]:
    """Newest first."""
    mine = (Command.tenant == actor.tenant) & (Terminal.terminal_id == terminal_id)
    return list(Command.select().join(Terminal).where(mine).order_by(Command.created_ms.desc()).limit(limit))


def _follow(row: Command, caller: Actor, at_ms: int) -> None:
    """What the fleet itself knows of a terminal by a command that was obeyed."""
    in_service = {"out_of_service": False, "back_in_service": True}
    if row.state == "done" and row.act in in_service:
        Terminal.update(in_service=in_service[row.act]).where(Terminal.id == row.terminal_id).execute()
    if row.state == "done" and row.act == "wipe":  # its key is gone with its disk: nobody may show its certificate
        end(caller, row.terminal, "retired", WIPED, at_ms)
    _changed([row.terminal_id], at_ms)


def _reached(actor: Actor, target: Target) -> tuple[Place, list[Terminal]]:
    city = Terminal.tenant == actor.tenant
    if target.terminal_id:
        terminal = Terminal.get_or_none(city & (Terminal.terminal_id == target.terminal_id))
        if terminal is None:
            raise NotFound
        if terminal.state != "active":
            raise Refused("not_active", f"This terminal is {terminal.state}.")
        return terminal.place, [terminal]
    place = Place.get_or_none((Place.id == target.place_id) & (Place.tenant == actor.tenant))
    if place is None:
        raise NotFound
    below = Place.select(Place.id).where((Place.tenant == actor.tenant) & Place.path.startswith(place.path))
    found = list(Terminal.select().where(city & Terminal.place.in_(below) & (Terminal.state == "active")))
    if not 0 < len(found) <= TERMINALS_MAX:
        raise Refused("terminals", f"Between 1 and {TERMINALS_MAX} terminals can be reached at once.")
    return place, found


def _right(act: str, target: Target) -> str:
    rule = RULES[act]
    return rule.right if target.terminal_id else rule.right_of_place or rule.right


def _send(
    actor: Actor,
    terminals: Iterable[Terminal],
    act: str,
    arguments: Mapping[str, Any],
    why: str,
    at_ms: int,
    proposal: int = 0,
) -> tuple[str, ...]:
    sent: list[str] = []
    for terminal in terminals:
        open_now = (Command.terminal == terminal) & (Command.state == "waiting") & (Command.expires_ms > at_ms)
        if Command.select().where(open_now).count() >= COMMANDS_WAITING_MAX:
            raise Refused("too_many", f"{COMMANDS_WAITING_MAX} commands wait for {terminal.terminal_id} already.")
        told = {"act": act, "arguments": dict(arguments), "why": why.strip(), "sent_by": actor.who}
        times = {"created_ms": at_ms, "expires_ms": at_ms + RULES[act].stands_s * 1000}
        whose = {"tenant": terminal.tenant_id, "terminal": terminal, "proposal": proposal}
        command = str(uuid.uuid4())
        Command.create(command=command, **whose, **told, **times)
        audit.record(actor, at_ms, act, terminal.terminal_id, why, {"command": command, "arguments": dict(arguments)})
        sent.append(command)
    _changed([terminal.id for terminal in terminals], at_ms)
    return tuple(sent)


def _changed(terminals: list[int], at_ms: int) -> None:
    """Whoever keeps answers in memory reads these anew."""
    touch(Terminal.id.in_(terminals), at_ms)


def _signed(row: Command, signer: Signer) -> dict[str, Any]:
    issued, expires = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (row.created_ms, row.expires_ms))
    told = {"command": row.command, "tenant": row.tenant_id, "terminal_id": row.terminal.terminal_id}
    wire = signer.signed(KIND, 1, issued, expires, {**told, "act": row.act, "arguments": row.arguments})
    document: dict[str, Any] = json.loads(wire)
    return document


def _one(actor: Actor, command: str) -> Command:
    row: Command | None = Command.get_or_none((Command.command == command) & (Command.tenant == actor.tenant))
    if row is None:
        raise NotFound
    return row


def _kind(right: str) -> str:
    return f"command:{right}"


def _carry_out(approver: Actor, proposal: Proposal, at_ms: int) -> None:
    """Raises NotFound, Refused: the terminal went or was moved, or too many wait for it."""
    facts = proposal.facts
    place, terminals = _reached(approver, Target(facts["terminal_id"], proposal.place.id))
    if not place.path.startswith(proposal.place.path):
        raise Refused("moved", "The terminal was moved since this was proposed. Propose it anew.")
    proposer = Actor(approver.tenant, proposal.proposed_by)
    _send(proposer, terminals, facts["act"], facts["arguments"], proposal.why, at_ms, proposal.id)


_RIGHTS = {right for rule in RULES.values() for right in (rule.right, rule.right_of_place)}
for _each in sorted(right for right in _RIGHTS if right and roles.takes_two(right)):
    proposals.register(_kind(_each), Kind(_each, _carry_out))
