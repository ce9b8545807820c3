"""The agent's part of the fleet's ledger: the forwarder has the rows, we have the line and its certificate (ADR 55).

Rows pass as they are, sealed and under a signed head; nothing of them is read or kept here.
"""

import json
from typing import Any

from kiosk.ports import HostLink, HostRefused, OutcomeUnknown

NOT_YET = {"unknown": "not enrolled", "retry_after_s": 10.0}


class LedgerLine:
    def __init__(self, link: HostLink, terminal_id: str) -> None:
        self._link, self._path = link, f"/v1/terminals/{terminal_id}"

    async def kept(self) -> dict[str, Any]:
        """How far the fleet has them."""
        return await self._told("GET", "kept", None)

    async def word(self) -> dict[str, Any]:
        """What the fleet signs that it keeps; the forwarder judges it."""
        return await self._told("GET", "acknowledgement", None)

    async def rows(self, batch: str) -> dict[str, Any]:
        """``batch``: JSON as the ledger takes it."""
        return await self._told("POST", "rows", batch.encode())

    async def _told(self, method: str, what: str, body: bytes | None) -> dict[str, Any]:
        """``body`` of an answer, or ``code`` of a refusal, or why nobody knows; with the seconds to wait for."""
        try:
            answer = await self._link.call(method, f"{self._path}/{what}", body=body)
        except HostRefused as refused:
            return {"code": refused.code, "retry_after_s": refused.retry_after_s}
        except OutcomeUnknown as silence:
            return {"unknown": silence.why, "retry_after_s": silence.retry_after_s}
        return {"body": json.dumps(answer.body, default=str)}
