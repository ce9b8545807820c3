"""The hospital's register of receipts that wait for their holders, ``docs/hosts/hospital.yaml``. INVENTED in form."""

import json
import sqlite3
from datetime import date
from typing import Annotated

import msgspec

from simulators.hosts.sandbox import Ask, Part, Refusal, Reply, Route, json_reply, question, required_key
from simulators.hosts.sandbox import route as to

SCHEMA = """
    CREATE TABLE IF NOT EXISTS receipts (
        serial INTEGER PRIMARY KEY, key TEXT UNIQUE, card_number TEXT, receipt TEXT, taken_by TEXT DEFAULT ''
    );
"""
SHOWN_MAX = 60
_CardNumber = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Z]{9}$")]
_Key = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]{4,64}$")]
_Amount = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
_Word = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class _Receipt(Part):
    terminal_id: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z_-]{1,40}$")]
    case_code: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{6}$")]
    settled_on: date
    department: Annotated[str, msgspec.Meta(max_length=120)]
    settlement_id: _Word
    total_fen: _Amount
    fund_fen: _Amount
    account_fen: _Amount
    shared_account_fen: _Amount
    cash_fen: _Amount
    owed_fen: _Amount


class _Registration(Part):
    card_number: _CardNumber
    receipt: _Receipt


class _OfCard(Part):
    card_number: _CardNumber


class _About(Part):
    receipt_key: _Key


class ReceiptDesk:
    """One receipt is taken by one key."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def routes(self) -> list[Route]:
        return [
            to("POST", "/v1/receipts", self._hold),
            to("POST", "/v1/receipts/of-card", self._of_card),
            to("POST", "/v1/receipts/take", self._take),
        ]

    def waiting(self, card_number: str) -> list[tuple[str, str]]:
        """Key and receipt (JSON) of what nobody took yet, oldest first."""
        asked = "SELECT key, receipt FROM receipts WHERE card_number = ? AND taken_by = '' ORDER BY serial LIMIT ?"
        return self._db.execute(asked, (card_number, SHOWN_MAX)).fetchall()

    def _hold(self, ask: Ask) -> Reply:
        held, key = question(ask, _Registration), required_key(ask)
        told = msgspec.json.encode(held.receipt, order="deterministic").decode()
        self._db.execute(
            "INSERT OR IGNORE INTO receipts (key, card_number, receipt) VALUES (?, ?, ?)", (key, held.card_number, told)
        )
        known = self._db.execute("SELECT card_number, receipt FROM receipts WHERE key = ?", (key,)).fetchone()
        if tuple(known) != (held.card_number, told):
            raise Refusal(409, "key_reused", "请求编号重复")
        return json_reply({"done": True})

    def _of_card(self, ask: Ask) -> Reply:
        rows = self.waiting(question(ask, _OfCard).card_number)
        return json_reply({"receipts": [{"key": key, "receipt": json.loads(told)} for key, told in rows]})

    def _take(self, ask: Ask) -> Reply:
        about, key = question(ask, _About).receipt_key, required_key(ask)
        found = self._db.execute("SELECT taken_by FROM receipts WHERE key = ?", (about,)).fetchone()
        if found is None:
            raise Refusal(404, "no_such_receipt", "未查到凭条")
        if found[0] not in ("", key):
            raise Refusal(409, "taken", "凭条已在别处打印")
        self._db.execute("UPDATE receipts SET taken_by = ? WHERE key = ?", (key, about))
        return json_reply({"done": True})
