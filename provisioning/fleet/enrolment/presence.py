"""Two places with one identity: noticed at the next poll of either, decided by people. ``rules/presence.py``."""

from collections.abc import Iterator, Mapping, Sequence

from provisioning.fleet import audit, proposals
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.database import step
from provisioning.fleet.schema.enrolment import Presence
from provisioning.fleet.schema.proposals import Proposal
from provisioning.fleet.schema.terminals import Terminal, TerminalEvent
from provisioning.fleet.touch import touch
from provisioning.rules.presence import NOBODY, Finding, Life, judge

KIND = "doubt"
IN_DOUBT = Refused("in_doubt", "Two places speak as this terminal. A person must decide first.")


def lives(terminals: Sequence[int]) -> Mapping[int, Life]:
    """Who speaks for each of these rows, for the live register; one that never told anything is left out."""
    rows = Presence.select(Presence.terminal, Presence.boot, Presence.run).where(Presence.terminal.in_(terminals))
    return {row.terminal_id: Life(row.boot, row.run) for row in rows}


def hear(terminal_key: int, asks: Life, address: str, at_ms: int) -> None:
    """Somebody with this terminal's certificate speaks, and is not who spoke last. Touches the database.

    Raises:
        Refused: ``in_doubt``: somebody else speaks for this terminal.
    """
    with step():
        touch(Terminal.id == terminal_key, at_ms)  # two that speak at once are judged one after the other
        terminal = Terminal.get_by_id(terminal_key)
        known = Presence.get_or_none(Presence.terminal == terminal_key)
        speaks = Life(known.boot, known.run) if known else NOBODY
        before = Life(known.before_boot, known.before_run) if known else NOBODY
        refused = Life(known.other_boot, known.other_run) if known else NOBODY
        finding = judge(speaks, before, asks, refused, known is not None and known.doubted_ms is not None)
        if finding in (Finding.FIRST, Finding.LATER):
            _follow(terminal, speaks, asks, address, at_ms)
        elif finding is Finding.RETURNED:
            assert known is not None, "only who was known can return"
            _doubt(terminal, known, speaks, known.address, at_ms)
            _speak(terminal_key, asks, address, at_ms)
        elif finding is Finding.SECOND:
            assert known is not None, "only beside a first there is a second"
            _doubt(terminal, known, asks, address, at_ms)
    if finding is Finding.SECOND:
        raise IN_DOUBT


def doubted(actor: Actor) -> Iterator[Presence]:
    """Terminals of this city that two places speak for, the newest doubt first."""
    mine = (Terminal.tenant == actor.tenant) & Presence.doubted_ms.is_null(False)
    yield from Presence.select(Presence, Terminal).join(Terminal).where(mine).order_by(Presence.doubted_ms.desc())


def propose(actor: Actor, terminal_id: str, believe: str, why: str, at_ms: int) -> int:
    """Somebody looked on site. ``believe``: "first", who speaks now; "second", who was refused, which is right where an
    older disk was put back. Both have the same key: where the disk was really copied, stop the terminal instead.

    Raises:
        NotFound: no such terminal in this city, or nobody doubts it.
        Refused: as ``proposals.propose``.
    """
    if believe not in ("first", "second"):
        raise Refused("malformed", "Believe the first or the second.")
    with step():
        known = _in_doubt(actor.tenant, terminal_id)
        if known is None:
            raise NotFound
        facts = {"believe": believe, "other_run": known.other_run}
        return proposals.propose(actor, KIND, terminal_id, known.terminal.place_id, facts, why, at_ms)


def _in_doubt(tenant: str, terminal_id: str) -> Presence | None:
    mine = (Terminal.tenant == tenant) & (Terminal.terminal_id == terminal_id)
    rows = Presence.select(Presence, Terminal).join(Terminal).where(mine & Presence.doubted_ms.is_null(False))
    found: Presence | None = rows.first()
    return found


def _follow(terminal: Terminal, speaks: Life, asks: Life, address: str, at_ms: int) -> None:
    if speaks == NOBODY:
        Presence.create(terminal=terminal, boot=asks.boot, run=asks.run, address=address, since_ms=at_ms)
    else:
        was = {"before_boot": speaks.boot, "before_run": speaks.run}
        Presence.update(**was).where(Presence.terminal == terminal.id).execute()
        _speak(terminal.id, asks, address, at_ms)


def _speak(terminal_key: int, asks: Life, address: str, at_ms: int) -> None:
    now = {"boot": asks.boot, "run": asks.run, "address": address, "since_ms": at_ms}
    Presence.update(**now).where(Presence.terminal == terminal_key).execute()


def _doubt(terminal: Terminal, known: Presence, other: Life, address: str, at_ms: int) -> None:
    """On record once for each stranger, not at each of its polls."""
    if known.doubted_ms is not None and known.other_run == other.run:
        return
    told = {"doubted_ms": at_ms, "other_boot": other.boot, "other_run": other.run, "other_address": address}
    told |= {"before_boot": 0, "before_run": ""}
    Presence.update(**told).where(Presence.terminal == terminal.id).execute()
    facts = {"boot": known.boot, "address": known.address, "other_boot": other.boot, "other_address": address}
    TerminalEvent.create(tenant=terminal.tenant_id, terminal=terminal, at_ms=at_ms, what="two_places", facts=facts)
    audit.record(Actor(terminal.tenant_id, "fleet"), at_ms, "two_places", terminal.terminal_id, "", facts)


def _carry_out(approver: Actor, proposal: Proposal, at_ms: int) -> None:
    known = _in_doubt(proposal.tenant_id, proposal.subject)
    if known is None or known.other_run != proposal.facts["other_run"]:
        raise Refused("decided", "This is not as it was when it was proposed. Look again.")
    if proposal.facts["believe"] == "second":
        _speak(known.terminal_id, Life(known.other_boot, known.other_run), known.other_address, at_ms)
        lost = {"other_boot": known.boot, "other_run": known.run, "other_address": known.address}
        Presence.update(**lost).where(Presence.terminal == known.terminal_id).execute()
    clear = {"doubted_ms": None, "before_boot": 0, "before_run": ""}
    Presence.update(**clear).where(Presence.terminal == known.terminal_id).execute()
    touch(Terminal.id == known.terminal_id, at_ms)


proposals.register(KIND, proposals.Kind("readmit", _carry_out))
