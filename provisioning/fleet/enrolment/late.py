"""Terminals that were dark until their certificate expired: one renewal with the old key, if two people agree."""

from collections.abc import Iterator

from provisioning.fleet import audit, proposals
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.database import step
from provisioning.fleet.schema.enrolment import LateRenewal
from provisioning.fleet.schema.proposals import Proposal
from provisioning.fleet.schema.terminals import Terminal

KIND = "late_renewal"


def waiting(actor: Actor) -> Iterator[LateRenewal]:
    """Terminals of this city that ask for it and have no consent yet."""
    mine = (Terminal.tenant == actor.tenant) & LateRenewal.agreed_ms.is_null()
    rows = LateRenewal.select(LateRenewal, Terminal).join(Terminal).where(mine)
    yield from rows.order_by(LateRenewal.asked_ms)


def propose(actor: Actor, terminal_id: str, why: str, at_ms: int) -> int:
    """Somebody knows why it was dark, and that it still stands where it did. The proposal's number.

    Raises:
        NotFound: no such terminal in this city, or it does not ask.
        Refused: as ``proposals.propose``.
    """
    with step():
        terminal = Terminal.get_or_none((Terminal.tenant == actor.tenant) & (Terminal.terminal_id == terminal_id))
        asked = None if terminal is None else _open(terminal)
        if terminal is None or asked is None:
            raise NotFound
        facts = {"fingerprint": asked.fingerprint}
        number = proposals.propose(actor, KIND, terminal_id, terminal.place_id, facts, why, at_ms)
        LateRenewal.update(proposal=number).where(LateRenewal.fingerprint == asked.fingerprint).execute()
        return number


def agreed(terminal: Terminal, fingerprint: str, at_ms: int) -> bool:
    """Whether it may be renewed now; spends the consent. Notes that it asks. Inside a step.

    Raises:
        Refused: it was renewed late before: a key that is not looked after ends.
    """
    row = LateRenewal.get_or_none(LateRenewal.fingerprint == fingerprint)
    if row is None:
        LateRenewal.create(fingerprint=fingerprint, terminal=terminal, asked_ms=at_ms)
        who = Actor(terminal.tenant_id, f"terminal:{terminal.terminal_id}")
        audit.record(who, at_ms, "late_renewal_ask", terminal.terminal_id, "", {"fingerprint": fingerprint})
        return False
    if row.used_ms is not None:
        raise Refused("late_before", "This key was renewed after its end once before. Enrol the terminal anew.")
    unspent = (LateRenewal.fingerprint == fingerprint) & LateRenewal.used_ms.is_null()
    unspent &= LateRenewal.agreed_ms.is_null(False)
    return bool(LateRenewal.update(used_ms=at_ms).where(unspent).execute() == 1)


def _open(terminal: Terminal) -> LateRenewal | None:
    mine = (LateRenewal.terminal == terminal.id) & LateRenewal.agreed_ms.is_null()
    found: LateRenewal | None = LateRenewal.select().where(mine).order_by(LateRenewal.asked_ms.desc()).first()
    return found


def _carry_out(approver: Actor, proposal: Proposal, at_ms: int) -> None:
    mine = (Terminal.tenant == proposal.tenant_id) & (Terminal.terminal_id == proposal.subject)
    terminal = Terminal.get_or_none(mine)
    if terminal is None or terminal.state != "active":
        raise Refused("stopped", "This terminal was stopped meanwhile.")
    asked = (LateRenewal.fingerprint == proposal.facts["fingerprint"]) & LateRenewal.agreed_ms.is_null()
    asked &= LateRenewal.terminal == terminal.id
    if LateRenewal.update(agreed_ms=at_ms, agreed_by=approver.who).where(asked).execute() != 1:
        raise Refused("decided", "This was agreed to already.")


proposals.register(KIND, proposals.Kind("readmit", _carry_out))
