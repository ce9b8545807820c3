"""Postings as they stand in a row, in clear: ``"cash_box:10000 resident:-10000"``."""

from kiosk.domain.books import Account, Posting
from kiosk.domain.money import Fen


def stored_postings(postings: tuple[Posting, ...]) -> str:
    return " ".join([f"{posting.account.value}:{posting.amount_fen}" for posting in postings])


def read_postings(stored: str) -> tuple[Posting, ...]:
    """Raises ValueError: not such a text, or an account that never existed."""
    pairs = (part.rsplit(":", 1) for part in stored.split())
    return tuple(Posting(Account(account), Fen(int(amount))) for account, amount in pairs)
