"""What every receipt carries in its QR code: its own row of the journal, so that the paper alone proves it."""

from kiosk.ports import Kiosk


def row_code(kiosk: Kiosk, seq: int) -> str:
    """``qr`` of a ``Receipt``; ``seq``: the entry that owes it, as ``journal.commit`` answered (money-rules 25)."""
    return kiosk.journal.row_code(kiosk.settings.terminal.terminal_id, seq)
