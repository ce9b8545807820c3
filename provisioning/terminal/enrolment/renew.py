"""Keeps the certificate: renewed at two thirds of its life, when the fleet says so, or when nobody believes it more.

It is asked for over the certificate that the key signed itself: so one that has expired while the terminal was dark, or
whose authority is gone, still leads to an answer. What the fleet makes of it is the fleet's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import trio

from kiosk.ports import HostRefused, Log, OutcomeUnknown
from provisioning.rules.enrolment import RENEW_AT
from provisioning.terminal.enrolment.enrol import Address, OpenLink
from provisioning.terminal.enrolment.est import RENEW, ask_certificate
from provisioning.terminal.enrolment.identity import Identity, Known, NotOurs
from provisioning.terminal.enrolment.standing import Record
from provisioning.token_key import TokenError

AWAY_MAX = 3  # polls answered "not known" in a row before the certificate is doubted
AGAIN_S = 3600.0  # after a refusal or silence; certificates last for months

Came = Literal["good", "renewed", "waiting", "refused", "no_answer"]


@dataclass
class Renewal:
    """One for the agent. ``believed``: the time, None where it is only a lower bound."""

    identity: Identity
    open_link: OpenLink
    address: Callable[[], Address]
    believed: Callable[[], datetime | None]
    record: Record
    log: Log
    _again_s: float = 0.0

    def due(self, known: Known, told: bool, away: int) -> bool:
        """``told``: the newest poll's answer says so. ``away``: how many polls in a row were answered "not known"."""
        now = self.believed()
        old = now is not None and now >= known.begins + (known.ends - known.begins) * RENEW_AT
        return told or old or away >= AWAY_MAX

    async def look(self, known: Known, told: bool, away: int = 0) -> Came:
        """Renew it if it is time. After "renewed" links are to be opened anew. Raises OSError: our own disk."""
        if not self.due(known, told, away) or trio.current_time() < self._again_s:
            return "good"
        link = self.open_link(self.address(), None)
        self._again_s = trio.current_time() + AGAIN_S
        try:
            request = await trio.to_thread.run_sync(self.identity.request)
            given = await ask_certificate(link, RENEW, request)
            if isinstance(given, float):
                self._again_s = trio.current_time() + given
                return self._noted("waiting", "late_renewal")
            await trio.to_thread.run_sync(self.identity.keep, given)
            return self._noted("renewed", "")
        except HostRefused as refused:
            return self._noted("refused", refused.code)
        except (NotOurs, TokenError) as error:
            return self._noted("refused", str(error))
        except OutcomeUnknown as silent:
            self._again_s = trio.current_time() + (silent.retry_after_s or AGAIN_S / 12)
            return "no_answer"
        finally:
            link.close()

    def _noted(self, came: Came, why: str) -> Came:
        self.log("certificate", outcome=came, why=why[:100])
        self.record.note(f"certificate_{came}", why)
        return came
