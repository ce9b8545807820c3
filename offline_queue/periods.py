"""One sealing key for each month and kind of record, kept in the journal itself, wrapped for the terminal and for the
agency."""

import os

from cryptography.hazmat.primitives.asymmetric import rsa

from kiosk.domain.record_kinds import MONEY, kind_of_period, period_name
from offline_queue.layout import Sql
from offline_queue.sealing import Root, Sealer, wrap_for_agency

_KEY_BYTES = 32
_OF_PERIOD = "select for_terminal from period where period = ?"
_MAKE = "insert or replace into period(period, for_terminal, for_agency) values (?, ?, ?)"
_READABLE = "select period from period where for_terminal != x'' order by period"
_NOT_WRAPPED = "select period from period where for_terminal != x'' and for_agency = x'' order by period"
_WRAP = "update period set for_agency = ? where period = ?"
_DESTROY = "update period set for_terminal = x'', for_agency = x'' where period = ?"


class Periods:
    """Opens and makes the periods' sealers. Without ``recovery`` (no agency key yet) nothing is wrapped for it."""

    def __init__(self, sql: Sql, root: Root, recovery: rsa.RSAPublicKey | None) -> None:
        self._sql = sql
        self._root = root
        self.recovery = recovery
        self._sealers: dict[str, Sealer] = {}
        self._month = ""  # the one that rows are written in
        self._period_of: dict[str, str] = {}  # kind -> the period that its rows are sealed under in this month

    def sealer(self, month: str, kind: str) -> tuple[str, Sealer]:
        """The period of a row of this kind that is written in this month, and the sealer for it; makes the period's key
        inside the caller's commit if it is the first. What was destroyed gets no other key, whatever the clock says:
        its rows are sealed under the newest that there is."""
        if month != self._month:
            self.undone()  # forgets also what another process has destroyed since
            self._month = month
        period = self._period_of.get(kind)
        if period is None:
            period = self._period_of[kind] = self._period_for(month, kind)
        known = self._existing(period)
        if known is None:
            key = os.urandom(_KEY_BYTES)
            for_agency = wrap_for_agency(key, self.recovery) if self.recovery else b""
            self._sql(_MAKE, (period, self._root.wrap(key, period), for_agency))
            known = self._sealers[period] = Sealer(key)
        return period, known

    def _period_for(self, month: str, kind: str) -> str:
        period = period_name(month, kind)
        if self._wrapped(period) != b"":
            return period
        readable = self.readable()
        return max((one for one in readable if kind_of_period(one) == MONEY), default=readable[-1])

    def readable(self) -> list[str]:
        """Periods whose key is there, oldest first."""
        return [period for (period,) in self._sql(_READABLE)]

    def undone(self) -> None:
        """The caller's commit did not happen, and with it perhaps a key that was made in it: what would be sealed under
        that one could never be opened again."""
        self._sealers.clear()
        self._period_of.clear()
        self._month = ""

    def opened(self, period: str, sealed: bytes, row: str) -> bytes | None:
        """The clear bytes; None where the period's key was destroyed.

        Raises:
            SealBroken: tampered with.
        """
        sealer = self._existing(period)
        return sealer.open(sealed, row) if sealer else None

    def not_wrapped(self) -> list[str]:
        """Readable here and by no agency: its key came later than their first rows. Oldest first."""
        if self.recovery is None:
            return []
        return [period for (period,) in self._sql(_NOT_WRAPPED)]

    def wrap(self, period: str) -> Sealer:
        """For the agency, inside the caller's commit. Its sealer."""
        assert self.recovery is not None
        wrapped = self._wrapped(period)
        assert wrapped
        key = self._root.unwrap(wrapped, period)
        self._sql(_WRAP, (wrap_for_agency(key, self.recovery), period))
        return Sealer(key)

    def destroy(self, period: str) -> None:
        """End of retention: what was sealed in this period can never be read again (money-rules 29)."""
        self._sql(_DESTROY, (period,))
        self._sealers.pop(period, None)

    def _existing(self, period: str) -> Sealer | None:
        if period not in self._sealers:
            wrapped = self._wrapped(period)
            if not wrapped:
                return None
            self._sealers[period] = Sealer(self._root.unwrap(wrapped, period))
        return self._sealers[period]

    def _wrapped(self, period: str) -> bytes | None:
        """For this terminal; empty where it was destroyed, None where there never was one."""
        found: tuple[bytes] | None = next(iter(self._sql(_OF_PERIOD, (period,))), None)
        return None if found is None else bytes(found[0])
