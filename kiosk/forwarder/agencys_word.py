"""The agency's word that it keeps this journal, over the line: asked when the terminal is to be closed for good.

The ledger's number (``ledger`` on the forwarder's socket) says how far its copy is; only this document, signed and for
the journal's own chain, lets rows go (money-rules 28). It lies beside the journal then, where root judges it again.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import trio

from kiosk.basics.signed import NotTrusted
from kiosk.ports import Clock, HostRefused, Log, OutcomeUnknown
from kiosk.records.evidence import take_word
from kiosk.settings.config import ConfigError, Settings
from offline_queue.reader import UNREADABLE


class Vouches(Protocol):
    async def word(self) -> bytes:
        """A signed document. Raises HostRefused, OutcomeUnknown."""
        ...


@dataclass(frozen=True)
class AgencysWord:
    settings: Settings
    ledger: Vouches
    clock: Clock
    log: Log

    async def ask(self) -> dict[str, Any]:
        """``kept_up_to`` and how many rows are ``newer``; or ``refused``: why nothing may be destroyed."""
        told = await self._judged()
        self.log("agencys_word", seq=told.get("kept_up_to", 0), why=str(told.get("refused", ""))[:120])
        return told

    async def _judged(self) -> dict[str, Any]:
        try:
            wire = await self.ledger.word()
            word = await trio.to_thread.run_sync(take_word, self.settings, wire, self.clock.now())
        except HostRefused as refused:
            return {"refused": f"the ledger refuses its word: {refused.code}"}
        except OutcomeUnknown:
            return {"refused": "the ledger does not answer"}
        except (NotTrusted, ConfigError) as refused:
            return {"refused": str(refused)}
        except (OSError, *UNREADABLE) as error:
            return {"refused": type(error).__name__}
        return {"kept_up_to": word.kept_up_to, "newer": word.newer}
