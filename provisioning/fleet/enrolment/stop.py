"""A terminal is stolen, broken or not believed any more: from its next question on nobody answers it."""

from provisioning.fleet import audit
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.database import step
from provisioning.fleet.enrolment.places import must_be_allowed
from provisioning.fleet.schema.enrolment import EnrolmentRequest
from provisioning.fleet.schema.terminals import Certificate, Terminal
from provisioning.fleet.touch import touch


def stop(actor: Actor, terminal_id: str, why: str, at_ms: int) -> None:
    """Revoke its certificates for good. It comes back only with a new key that somebody confirms.

    Raises:
        NotFound: no such terminal in this city.
        Refused: not this person's to do, no reason, or it is not active.
    """
    if not why.strip():
        raise Refused("no_reason", "Say why, for whoever finds it.")
    with step():
        terminal = Terminal.get_or_none((Terminal.tenant == actor.tenant) & (Terminal.terminal_id == terminal_id))
        if terminal is None:
            raise NotFound
        must_be_allowed(actor, "stop", terminal.place)
        if terminal.state != "active":
            raise Refused("not_active", f"This terminal is {terminal.state}.")
        end(actor, terminal, "stopped", why, at_ms)


def end(actor: Actor, terminal: Terminal, state: str, why: str, at_ms: int) -> None:
    """Inside a step: ``state`` is stopped or retired. Whoever calls has asked whether this may be done."""
    assert state in ("stopped", "retired")
    Terminal.update(state=state).where(Terminal.id == terminal.id).execute()
    good = (Certificate.terminal == terminal.id) & Certificate.revoked_ms.is_null()
    Certificate.update(revoked_ms=at_ms, why_revoked=why).where(good).execute()
    mine = EnrolmentRequest.terminal == terminal.id
    EnrolmentRequest.update(state="refused", why=why, decided_by=actor.who).where(mine).execute()
    touch(Terminal.id == terminal.id, at_ms)
    audit.record(actor, at_ms, f"terminal_{state}", terminal.terminal_id, why)
