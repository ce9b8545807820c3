"""The complaint desk: what a journal's copy says about an act, for somebody who must explain it.

What stands in clear names nobody: acts, times, amounts between accounts. Each look needs a reason and is a row of the
audit trail before anything is shown. Names and numbers take the custodians (``recover``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from provisioning.fleet import audit
from provisioning.fleet.actor import Actor, Refused
from provisioning.fleet.database import step
from provisioning.fleet.ledger import cases
from provisioning.fleet.ledger.rows import ACCOUNTS
from provisioning.fleet.schema.ledger import Board, KeptRow

STORIES_MAX = 50
ROWS_MAX = 500


@dataclass(frozen=True)
class Wanted:
    """What is looked for; at least one of them. ``card_index``: the keyed hash that stands in the terminal's own
    records, 64 hex digits; ``begins`` and ``ends``: by the terminal's clock."""

    terminal_id: str = ""
    case_code: str = ""
    card_index: str = ""
    begins: datetime | None = None
    ends: datetime | None = None


@dataclass(frozen=True)
class Act:
    seq: int
    at: str
    act: str
    moved: dict[str, int]  # account -> fen


@dataclass
class Story:
    """One visit at one terminal. ``owed``: account -> fen that the terminal still owes or must explain."""

    terminal_id: str
    board: str
    case_code: str
    acts: list[Act] = field(default_factory=list)

    @property
    def owed(self) -> dict[str, int]:
        sums: dict[str, int] = {}
        for act in self.acts:
            for account, fen in act.moved.items():
                sums[account] = sums.get(account, 0) + fen
        return {account: -sums[account] for account in ACCOUNTS if sums.get(account, 0) < 0}


def look_up(actor: Actor, wanted: Wanted, why: str, at_ms: int) -> list[Story]:
    """Newest first; at most ``STORIES_MAX``.

    Raises:
        Refused: no reason, or nothing to look for.
    """
    if not why.strip():
        raise Refused("no_reason", "Say for which complaint you look; it stands on the audit trail.")
    if wanted == Wanted() or (not wanted.case_code and not wanted.card_index and wanted.begins is None):
        raise Refused("nothing_wanted", "Name a receipt code, a card's hash, or a time.")
    with step():
        asked = {name: str(value) for name, value in vars(wanted).items() if value}
        audit.record(actor, at_ms, "complaint_looked_up", wanted.terminal_id or "every terminal", why, asked)
    return _stories(actor, _cases(actor, wanted))


def open_cases(actor: Actor, terminal_ids: Sequence[str] = ()) -> list[Story]:
    """Where residents' money is still somewhere, by the copies: oldest first, at most ``STORIES_MAX``. Names nobody, so
    no reason is asked."""
    return _stories(actor, cases.holding(actor.tenant, terminal_ids, STORIES_MAX))


def _cases(actor: Actor, wanted: Wanted) -> list[tuple[int, str]]:
    where = Board.tenant == actor.tenant
    if wanted.terminal_id:
        where &= Board.terminal_id == wanted.terminal_id
    if wanted.case_code:
        where &= KeptRow.case_code == wanted.case_code
    if wanted.card_index:
        where &= KeptRow.card_index == wanted.card_index
    of_a_case = where & (KeptRow.case_code != "")
    rows = KeptRow.select(KeptRow.board, KeptRow.case_code, KeptRow.at).join(Board).where(of_a_case)
    found: dict[tuple[int, str], None] = {}
    for row in rows.order_by(KeptRow.seq.desc()).iterator():
        if _within(str(row.at), wanted):
            found[(int(row.board_id), str(row.case_code))] = None
            if len(found) >= STORIES_MAX:
                break
    return list(found)


def _within(at: str, wanted: Wanted) -> bool:
    """Text would do where all clocks had one zone; a clock that was set wrong has still a zone."""
    if wanted.begins is None and wanted.ends is None:
        return True
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return False
    return (wanted.begins is None or wanted.begins <= moment) and (wanted.ends is None or moment <= wanted.ends)


def _stories(actor: Actor, found: Iterable[tuple[int, str]]) -> list[Story]:
    boards = {int(board.id): board for board in Board.select().where(Board.tenant == actor.tenant)}
    return [_story(boards[board], case) for board, case in found]


def _story(board: Board, case_code: str) -> Story:
    mine = (KeptRow.board == board.id) & (KeptRow.case_code == case_code)
    rows = KeptRow.select().where(mine).order_by(KeptRow.seq).limit(ROWS_MAX)
    acts = [Act(row.seq, row.at, row.act, cases.moved(row.postings)) for row in rows]
    return Story(board.terminal_id, board.public_key[:16], case_code, acts)
