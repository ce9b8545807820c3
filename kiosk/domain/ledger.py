"""Rows of the journal as copies go to the agency: sealed as they stand, chained, under a signed head."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class LedgerRow:
    """One row. ``sealed`` and ``link`` are bytes; the rest is clear and holds no personal data."""

    seq: int
    at: str
    act: str
    case_code: str
    card_index: str
    period: str
    postings: str
    sealed: bytes = field(repr=False)
    link: bytes


@dataclass(frozen=True)
class LedgerHead:
    """The newest row of a batch, signed by the terminal (Ed25519, 64 bytes; the public key has 32)."""

    seq: int
    link: bytes
    signature: bytes
    public_key: bytes


@dataclass(frozen=True)
class LedgerBatch:
    """Rows in order without a gap, and the months' sealing keys, wrapped to the agency: month -> bytes."""

    rows: tuple[LedgerRow, ...]
    head: LedgerHead
    periods: dict[str, bytes]


@dataclass(frozen=True)
class LedgerAnswer:
    """``refused``: result of the first row that was not kept, "" where all were: gap | differs | broken.
    ``refused_row``: which."""

    kept_up_to: int
    refused: str = ""
    refused_row: int = 0


@dataclass(frozen=True)
class StickCopy:
    """What was written onto a stick: rows ``first`` to ``last``, 0 where the agency keeps every row already.

    ``word``: what became of the agency's acknowledgement that lay on it: "" none | kept | refused.
    """

    first: int
    last: int
    word: str = ""


SILENT = "silent"  # nobody says how the second medium is


@dataclass(frozen=True)
class SecondCopy:
    """How the second medium is. ``why``: "" fine | missing | full | slow | other_journal | broken | silent.

    ``up_to``: the last row that was surely on it.
    """

    up_to: int = 0
    why: str = ""
