"""Receipts that terminals say came out, as hospital and agency each keep them. INVENTED in form.

``docs/hosts/hospital.yaml``, ``docs/hosts/social_insurance.yaml``. What a counter looks up; nothing follows from it.
"""

import sqlite3
from datetime import datetime
from typing import Annotated

import msgspec

from simulators.hosts.sandbox import Ask, Part, Refusal, Reply, Route, json_reply, question, required_key
from simulators.hosts.sandbox import route as to

SCHEMA = """
    CREATE TABLE IF NOT EXISTS receipt_records (key TEXT PRIMARY KEY, card_number TEXT, record TEXT);
"""
_Amount = Annotated[int, msgspec.Meta(ge=0, le=10**12)]


class Record(Part):
    terminal_id: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z_-]{1,40}$")]
    case_code: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{6}$")]
    paper: Annotated[int, msgspec.Meta(ge=1)]
    kind: Annotated[str, msgspec.Meta(pattern=r"^[a-z_]{1,40}$")]
    reference: Annotated[str, msgspec.Meta(max_length=64)]
    owed_at: datetime
    printed_at: datetime
    reprint: bool
    paid_out_fen: _Amount
    owed_fen: _Amount
    held_fen: _Amount


class _Told(Part):
    card_number: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Z]{9}$")]
    record: Record


class RecordDesk:
    """One key is one record."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def routes(self) -> list[Route]:
        return [to("POST", "/v1/receipts/records", self._keep)]

    def of_card(self, card_number: str) -> list[Record]:
        """In the order in which they were told."""
        asked = "SELECT record FROM receipt_records WHERE card_number = ? ORDER BY rowid"
        return [msgspec.json.decode(told, type=Record) for (told,) in self._db.execute(asked, (card_number,))]

    def _keep(self, ask: Ask) -> Reply:
        told, key = question(ask, _Told), required_key(ask)
        record = msgspec.json.encode(told.record, order="deterministic").decode()
        self._db.execute("INSERT OR IGNORE INTO receipt_records VALUES (?, ?, ?)", (key, told.card_number, record))
        known = self._db.execute("SELECT card_number, record FROM receipt_records WHERE key = ?", (key,)).fetchone()
        if tuple(known) != (told.card_number, record):
            raise Refusal(409, "key_reused", "请求编号重复")
        return json_reply({"done": True})
