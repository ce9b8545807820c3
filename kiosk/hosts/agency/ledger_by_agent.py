"""The fleet's ledger, asked by way of the terminal's agent: the fleet knows its certificate and no other (ADR 55)."""

import json
from typing import Any

from kiosk.basics.control import ControlSilent, agent_path, ask_control
from kiosk.domain.ledger import LedgerAnswer, LedgerBatch
from kiosk.hosts.agency.ledger import HOST, answer_in, kept_in, wire_batch, word_in
from kiosk.hosts.shape import BadShape, Part, read
from kiosk.ports import HostRefused, OutcomeUnknown


class _Told(Part):
    """What the agent heard. ``body``: JSON, of an answer; ``code``: of a refusal; neither: ``unknown`` says why."""

    body: str = ""
    code: str = ""
    unknown: str = ""
    retry_after_s: float = 0.0


class LedgerByAgent:
    """Implements ``ports.Ledger``."""

    def __init__(self, run_dir: str) -> None:
        self._agent = agent_path(run_dir)

    async def kept_up_to(self) -> int:
        """Raises HostRefused, OutcomeUnknown."""
        return kept_in(await self._asked("ledger_kept"))

    async def word(self) -> bytes:
        """As of ``LedgerClient``; the agent only passes it on. Raises HostRefused, OutcomeUnknown."""
        return word_in(await self._asked("ledger_word"))

    async def keep(self, batch: LedgerBatch) -> LedgerAnswer:
        """Safe to repeat for ever, as the ledger keeps a row once. Raises HostRefused, OutcomeUnknown."""
        return answer_in(await self._asked(f"ledger_rows {json.dumps(wire_batch(batch))}"))

    async def _asked(self, word: str) -> Any:
        try:
            told = read(await ask_control(self._agent, word), _Told)
            body = json.loads(told.body) if told.body else None
        except ControlSilent:
            raise OutcomeUnknown(HOST, "no agent answers") from None
        except (BadShape, ValueError):
            raise OutcomeUnknown(HOST, "the agent says something else") from None
        if told.code:
            raise HostRefused(HOST, told.code, retry_after_s=told.retry_after_s)
        if not told.body:
            raise OutcomeUnknown(HOST, told.unknown or "the agent does not know", told.retry_after_s)
        return body
