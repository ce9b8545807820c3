"""Which board a terminal has. The first that speaks is believed; another one waits until two people registered it."""

from provisioning.fleet import audit, proposals
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.database import step
from provisioning.fleet.ledger.rows import NOTHING_BEFORE
from provisioning.fleet.schema.ledger import Board, LedgerAlert, Newcomer
from provisioning.fleet.schema.proposals import Proposal
from provisioning.fleet.schema.terminals import Terminal

KIND = "board"


def board_in_service(tenant: str, terminal_id: str) -> Board | None:
    """None: it has never been heard."""
    mine = (Board.tenant == tenant) & (Board.terminal_id == terminal_id)
    return Board.get_or_none(mine & Board.replaced_ms.is_null())


def boards(tenant: str, terminal_id: str) -> list[Board]:
    """The one in service first, then the others, newest first."""
    mine = (Board.tenant == tenant) & (Board.terminal_id == terminal_id)
    return list(Board.select().where(mine).order_by(Board.replaced_ms.desc(nulls="first")))


def board_of(actor: Actor, terminal_id: str, public_key: str, at_ms: int) -> Board:
    """The board that this key signs for; the terminal's first one is enrolled here.

    Raises:
        Refused: ``board_not_registered``: the terminal has another board, and a person must say so first.
    """
    known = boards(actor.tenant, terminal_id)
    if not known:
        return _enrolled(actor, terminal_id, public_key, at_ms)
    for board in known:
        if board.public_key == public_key:
            return board
    newcomer = {"tenant": actor.tenant, "terminal_id": terminal_id, "public_key": public_key, "at_ms": at_ms}
    Newcomer.insert(newcomer).on_conflict_ignore().execute()
    raise Refused("board_not_registered", "终端主板未登记 The terminal's board is not registered")


def newcomers(actor: Actor, terminal_id: str) -> list[str]:
    """Public keys of boards that spoke as this terminal and that nobody has registered, oldest first."""
    mine = (Newcomer.tenant == actor.tenant) & (Newcomer.terminal_id == terminal_id)
    return [one.public_key for one in Newcomer.select().where(mine).order_by(Newcomer.at_ms)]


def propose(actor: Actor, terminal_id: str, public_key: str, why: str, at_ms: int) -> int:
    """The proposal's number. Whoever proposes compared the key with the one that the workshop wrote down.

    Raises:
        NotFound: no such terminal in this city.
        Refused: ``no_newcomer``; or as ``proposals.propose``.
    """
    with step():
        terminal = Terminal.get_or_none((Terminal.tenant == actor.tenant) & (Terminal.terminal_id == terminal_id))
        if terminal is None:
            raise NotFound(terminal_id)
        _must_have_asked(actor, terminal_id, public_key)
        return proposals.propose(actor, KIND, terminal_id, terminal.place_id, {"board": public_key}, why, at_ms)


def replace_board(actor: Actor, approver: str, terminal_id: str, public_key: str, at_ms: int, why: str) -> Board:
    """Two people say that ``terminal_id`` has another board from now on; its chain begins at row 1.

    Raises:
        NotFound: no such terminal here. Refused: ``two_people``, ``no_newcomer``.
    """
    if not approver or approver == actor.who:
        raise Refused("two_people", "A second person must approve this.")
    with step():
        old = board_in_service(actor.tenant, terminal_id)
        if old is None:
            raise NotFound(terminal_id)
        _must_have_asked(actor, terminal_id, public_key)
        Board.update(replaced_ms=at_ms).where(Board.id == old.id).execute()
        mine = (Newcomer.terminal_id == terminal_id) & (Newcomer.public_key == public_key)
        Newcomer.delete().where(mine).execute()
        facts = {"approver": approver, "old": old.public_key, "old_seq": old.seq, "new": public_key}
        audit.record(actor, at_ms, "board_replaced", terminal_id, why, facts)
        return _enrolled(actor, terminal_id, public_key, at_ms)


def alert(tenant: str, terminal_id: str, seq: int, why: str, at_ms: int) -> None:
    """For a person to look at; the same is told once."""
    told = {"tenant": tenant, "terminal_id": terminal_id, "seq": seq, "why": why, "at_ms": at_ms}
    LedgerAlert.insert(told).on_conflict_ignore().execute()


def _enrolled(actor: Actor, terminal_id: str, public_key: str, at_ms: int) -> Board:
    facts = {"tenant": actor.tenant, "terminal_id": terminal_id, "public_key": public_key, "first_seen_ms": at_ms}
    Board.insert(link=NOTHING_BEFORE, **facts).on_conflict_ignore().execute()
    board: Board = Board.get((Board.terminal_id == terminal_id) & (Board.public_key == public_key))
    return board


def _must_have_asked(actor: Actor, terminal_id: str, public_key: str) -> None:
    if public_key not in newcomers(actor, terminal_id):
        raise Refused("no_newcomer", "No board with this key has shown itself.")


def _carry_out(approver: Actor, proposal: Proposal, at_ms: int) -> None:
    proposer = Actor(proposal.tenant_id, proposal.proposed_by)
    replace_board(proposer, approver.who, proposal.subject, proposal.facts["board"], at_ms, proposal.why)


proposals.register(KIND, proposals.Kind("readmit", _carry_out))
