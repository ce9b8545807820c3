"""Carries key blocks from two officers of a domain to the pads of its terminals, and their check values back."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from kiosk.basics.signed import Signer
from provisioning.fleet import audit, proposals
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.database import step
from provisioning.fleet.enrolment.places import must_be_allowed
from provisioning.fleet.lowest import lowest_common
from provisioning.fleet.schema.keys import KeyLoad
from provisioning.fleet.schema.proposals import Proposal
from provisioning.fleet.schema.terminals import Terminal
from provisioning.fleet.touch import touch
from provisioning.rules.keys import DOMAINS, GOOD_FOR_MS, KIND, KeyAnswer, KeyBlock

ACTS = {"social": "keys", "bank": "keys_bank"}  # of provisioning.fleet.roles: each domain has its own officers
BLOCKS_MAX = 500  # of one proposal; a hall's, not a province's: each pad has a block of its own
CARRIED = ("domain", "form", "master", "slot", "block", "check_value", "pad")


def propose_load(actor: Actor, blocks: Sequence[KeyBlock], why: str, at_ms: int) -> int:
    """The proposal's number. All of one domain, for terminals of this city; the approver sees all but the blocks.

    Raises:
        NotFound: a terminal that is none of this city. Refused: none, too many, two domains, or not this officer's.
    """
    domains = {block.domain for block in blocks}
    if len(domains) != 1 or len(blocks) > BLOCKS_MAX:
        raise Refused("bad_blocks", f"Key blocks come at most {BLOCKS_MAX} at once, all of one domain.")
    with step():
        terminals = _terminals(actor, {block.terminal_id for block in blocks})
        place = lowest_common(actor.tenant, [terminal.place.path for terminal in terminals.values()])
        told = [msgspec.to_builtins(block) for block in blocks]
        domain = domains.pop()
        subject, trail = f"{len(blocks)} {domain} key blocks", {"blocks": _bare(told)}
        return proposals.propose(actor, _kind(domain), subject, place, {"blocks": told}, why, at_ms, trail=trail)


def withdraw(actor: Actor, block_id: str, why: str, at_ms: int) -> None:
    """Before the pad had it. Raises NotFound; Refused: not their domain or place, answered, or no reason was given."""
    if not why.strip():
        raise Refused("no_reason", "Say why; it stands on the audit trail.")
    with step():
        row = _row(actor, block_id)
        must_be_allowed(actor, ACTS[row.domain], row.terminal.place)
        waiting = (KeyLoad.block_id == block_id) & (KeyLoad.state == "waiting")
        if KeyLoad.update(state="withdrawn", block="", why=why).where(waiting).execute() != 1:
            raise Refused("answered", "The terminal answered already.")
        touch(Terminal.id == row.terminal_id, at_ms)
        audit.record(actor, at_ms, "key_withdrawn", row.terminal.terminal_id, why, {"block": block_id})


def waiting(terminals: Collection[int], at_ms: int) -> dict[int, tuple[str, ...]]:
    """Numbers of the blocks that wait for each of these terminals (keys of their rows), oldest first."""
    open_now = (KeyLoad.state == "waiting") & (KeyLoad.expires_ms > at_ms) & KeyLoad.terminal.in_([*terminals])
    found: dict[int, tuple[str, ...]] = {}
    for row in KeyLoad.select(KeyLoad.block_id, KeyLoad.terminal).where(open_now).order_by(KeyLoad.created_ms):
        found[row.terminal_id] = (*found.get(row.terminal_id, ()), str(row.block_id))
    return found


def document(terminal: int, block_id: str, signer: Signer, at_ms: int) -> bytes:
    """The block for its terminal, signed by the city. Raises NotFound: answered, expired, or another terminal's."""
    mine = (KeyLoad.block_id == block_id) & (KeyLoad.terminal == terminal)
    row = KeyLoad.get_or_none(mine & (KeyLoad.state == "waiting") & (KeyLoad.expires_ms > at_ms))
    if row is None:
        raise NotFound(f"key block {block_id}")
    facts = msgspec.to_builtins(_block_of(row))
    begins, ends = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (row.created_ms, row.expires_ms))
    return signer.signed(KIND, 1, begins, ends, facts)


def answer(caller: Actor, terminal: int, block_id: str, told: KeyAnswer, at_ms: int) -> None:
    """What the pad said; heard once. A check value that differs is a key that nobody may use: people must look.

    Raises:
        NotFound: no such block of this terminal.
    """
    with step():
        mine = (KeyLoad.block_id == block_id) & (KeyLoad.terminal == terminal)
        row = KeyLoad.get_or_none(mine)
        if row is None:
            raise NotFound(f"key block {block_id}")
        facts = {"state": told.result, "told_check_value": told.check_value, "why": told.why, "answered_ms": at_ms}
        if KeyLoad.update(**facts, block="").where(mine & (KeyLoad.state == "waiting")).execute() == 1:
            touch(Terminal.id == terminal, at_ms)
            seen = {"block": block_id, "domain": row.domain, "slot": row.slot, "expected": row.check_value}
            name = row.terminal.terminal_id
            audit.record(caller, at_ms, "key_answered", name, told.why, {**seen, "result": told.result})


def loads(actor: Actor, terminal_id: str = "") -> list[KeyLoad]:
    """Of this city, newest first; without the blocks themselves."""
    mine = KeyLoad.tenant == actor.tenant
    if terminal_id:
        mine &= KeyLoad.terminal.in_(Terminal.select(Terminal.id).where(Terminal.terminal_id == terminal_id))
    shown = [field for field in KeyLoad._meta.sorted_fields if field.name != "block"]
    return list(KeyLoad.select(*shown).where(mine).order_by(KeyLoad.created_ms.desc()).limit(500))


def _carry_out(approver: Actor, proposal: Proposal, at_ms: int) -> None:
    blocks = msgspec.convert(proposal.facts["blocks"], list[KeyBlock])
    terminals = _terminals(approver, {block.terminal_id for block in blocks})
    if not all(terminal.place.path.startswith(proposal.place.path) for terminal in terminals.values()):
        raise Refused("moved", "A terminal was moved since this was proposed. Propose it anew.")
    for block in blocks:
        told = {name: getattr(block, name) for name in CARRIED}
        people = {"proposed_by": proposal.proposed_by, "approved_by": approver.who}
        times = {"created_ms": at_ms, "expires_ms": at_ms + GOOD_FOR_MS}
        terminal = terminals[block.terminal_id].id
        KeyLoad.insert(
            block_id=str(uuid.uuid4()), tenant=approver.tenant, terminal=terminal, **told, **people, **times
        ).execute()
    touch(Terminal.id.in_([terminal.id for terminal in terminals.values()]), at_ms)
    # What was approved is on its way; the trail keeps what it was without the blocks.
    facts = {"blocks": _bare(proposal.facts["blocks"])}
    Proposal.update(facts=facts).where(Proposal.id == proposal.id).execute()


def _bare(blocks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Without the blocks themselves."""
    return [{name: value for name, value in one.items() if name != "block"} for one in blocks]


def _terminals(actor: Actor, names: Collection[str]) -> dict[str, Terminal]:
    mine = (Terminal.tenant == actor.tenant) & (Terminal.state == "active") & Terminal.terminal_id.in_([*names])
    found = {str(row.terminal_id): row for row in Terminal.select().where(mine)}
    if len(found) != len(names) or not found:
        raise NotFound("terminal")
    return found


def _row(actor: Actor, block_id: str) -> KeyLoad:
    row: KeyLoad | None = KeyLoad.get_or_none((KeyLoad.block_id == block_id) & (KeyLoad.tenant == actor.tenant))
    if row is None:
        raise NotFound(f"key block {block_id}")
    return row


def _block_of(row: KeyLoad) -> KeyBlock:
    carried = {name: getattr(row, name) for name in CARRIED}
    named = {"block_id": row.block_id, "terminal_id": row.terminal.terminal_id}
    return msgspec.convert({**carried, **named}, KeyBlock)


def _kind(domain: str) -> str:
    return f"keys_{domain}"


for _domain in DOMAINS:
    proposals.register(_kind(_domain), proposals.Kind(ACTS[_domain], _carry_out))
