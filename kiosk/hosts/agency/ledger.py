"""Client of the agency's ledger, ``docs/hosts/agency_ledger.yaml``: copies of journal rows. INVENTED."""

import base64
import json
from typing import Annotated, Any, Literal

import msgspec

from kiosk.domain.ledger import LedgerAnswer, LedgerBatch, LedgerRow
from kiosk.hosts.answers import understood
from kiosk.hosts.shape import Part, read
from kiosk.ports import HostLink, OutcomeUnknown

HOST = "agency_ledger"

_Seq = Annotated[int, msgspec.Meta(ge=0)]


class _Kept(Part):
    kept_up_to: _Seq


class _Result(Part):
    seq: _Seq
    result: Literal["kept", "known", "gap", "differs", "broken"]


class _RowsKept(Part):
    kept_up_to: _Seq
    results: list[_Result]


class LedgerClient:
    """Implements ``ports.Ledger``."""

    def __init__(self, link: HostLink, terminal_id: str) -> None:
        self._link = link
        self._path = f"/v1/terminals/{terminal_id}"

    async def kept_up_to(self) -> int:
        """Raises OutcomeUnknown."""
        return kept_in((await self._link.call("GET", f"{self._path}/kept")).body)

    async def word(self) -> bytes:
        """What it keeps, as a document that the terminal judges itself (kind ``journal_kept``).

        Raises:
            HostRefused: ``no_word``, this ledger signs nothing; OutcomeUnknown.
        """
        return word_in((await self._link.call("GET", f"{self._path}/acknowledgement")).body)

    async def keep(self, batch: LedgerBatch) -> LedgerAnswer:
        """Safe to repeat for ever: the ledger keeps a row once.

        Raises:
            HostRefused: ``head_not_signed``, ``board_not_registered``, ``board_replaced``. OutcomeUnknown.
        """
        return answer_in((await self._link.call("POST", f"{self._path}/rows", body=wire_batch(batch))).body)


def kept_in(body: Any) -> int:
    """Raises OutcomeUnknown."""
    return understood(HOST, lambda: read(body, _Kept)).kept_up_to


def answer_in(body: Any) -> LedgerAnswer:
    """Raises OutcomeUnknown."""
    told = understood(HOST, lambda: read(body, _RowsKept))
    refused = next((one for one in told.results if one.result not in ("kept", "known")), None)
    return LedgerAnswer(told.kept_up_to, refused.result, refused.seq) if refused else LedgerAnswer(told.kept_up_to)


def word_in(body: Any) -> bytes:
    """Raises OutcomeUnknown."""
    if not isinstance(body, dict):
        raise OutcomeUnknown(HOST, "no document")
    return json.dumps(body, ensure_ascii=False).encode()


def wire_batch(batch: LedgerBatch) -> dict[str, Any]:
    head = batch.head
    return {
        "rows": [_wire_row(row) for row in batch.rows],
        "head": {
            "seq": head.seq,
            "link": head.link.hex(),
            "signature": head.signature.hex(),
            "public_key": head.public_key.hex(),
        },
        "periods": [{"period": period, "wrapped": _base64(key)} for period, key in sorted(batch.periods.items())],
    }


def _wire_row(row: LedgerRow) -> dict[str, Any]:
    return {
        "seq": row.seq,
        "at": row.at,
        "act": row.act,
        "case_code": row.case_code,
        "card_index": row.card_index,
        "period": row.period,
        "postings": row.postings,
        "sealed": _base64(row.sealed),
        "link": row.link.hex(),
    }


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
