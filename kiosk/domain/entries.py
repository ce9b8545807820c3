"""Entries of the journal as values: what is committed, what is found again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from kiosk.domain.books import Posting

Facts = Mapping[str, str | int]

# Acts that open an effect which may wait for days: nothing moves and nothing is unknown, whoever stops the machine.
ONLY_WAIT = ("settlement_ordered",)


@dataclass(frozen=True)
class NewNotice:
    """A message that some host must be told; ``key`` is made once and for ever.

    ``card_number``: in whose order it stands, if its act is entered without a card.
    """

    host: str
    act: str
    key: str
    facts: Facts = field(default_factory=dict)
    amount_fen: int = 0
    card_number: str = ""


@dataclass(frozen=True)
class NewEntry:
    """One act to be committed. ``opens``: the key of an effect begun; ``closes``: of one whose outcome this is.

    ``closes_too``: more of them, where one act is the outcome of several intents. ``only_if``: asked inside the commit,
    where no other process can write any more; False is AlreadyClosed, and nothing is written.
    """

    act: str
    case_code: str = ""
    facts: Facts = field(default_factory=dict)
    card_number: str = ""
    postings: tuple[Posting, ...] = ()
    opens: str = ""
    closes: str = ""
    closes_too: tuple[str, ...] = ()
    notices: tuple[NewNotice, ...] = ()
    only_if: Callable[[], bool] | None = None


class AlreadyClosed(Exception):
    """The effect that an entry closes is not open, or what it builds on does not hold any more: somebody else booked an
    outcome, and it is booked once."""


class JournalBusy(Exception):
    """The other process held the journal's file for longer than this one waits: of this act nothing was written."""


@dataclass(frozen=True)
class OwedNotice:
    """A notice to be sent; still owed until it was told. ``lane``: notices of one lane keep their order."""

    host: str
    act: str
    key: str
    tries: int
    facts: dict[str, str | int]
    lane: str = ""


class Word(Enum):
    """What a host says of one notice among several."""

    DONE = "done"
    REFUSED = "refused"
    LATER = "later"


@dataclass(frozen=True)
class NoticeResult:
    """``code``: why a notice was refused. ``retry_after_s``: when the host wants to hear of it again, 0 unsaid."""

    key: str
    word: Word
    code: str = ""
    retry_after_s: float = 0.0


@dataclass(frozen=True)
class StoredEntry:
    seq: int
    at: str
    act: str
    case_code: str
    facts: dict[str, str | int] | None  # None: its period's key was destroyed
    postings: tuple[Posting, ...]
