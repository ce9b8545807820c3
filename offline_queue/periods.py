"""One sealing key a month, kept in the journal itself, wrapped for the terminal and for the agency."""

import os

from cryptography.hazmat.primitives.asymmetric import rsa

from offline_queue.schema import Period
from offline_queue.sealing import Root, Sealer, wrap_for_agency

_KEY_BYTES = 32


class Periods:
    """Opens and makes the periods' sealers. Without ``recovery`` (no agency key yet) nothing is wrapped for it."""

    def __init__(self, root: Root, recovery: rsa.RSAPublicKey | None) -> None:
        self._root = root
        self.recovery = recovery
        self._sealers: dict[str, Sealer] = {}
        self._month, self._period = "", ""  # the one that rows are written in, and the period they are sealed under

    def sealer(self, month: str) -> tuple[str, Sealer]:
        """The period of a row that is written in this month, and the sealer for it; makes the period's key inside the
        caller's commit if it is the first. A month that was destroyed gets no other key, whatever the clock says: its
        rows are sealed under the newest that there is."""
        if month != self._month:
            self._sealers.clear()  # also what another process has destroyed since
            self._month, self._period = month, self._period_for(month)
        known = self._existing(self._period)
        if known is None:
            key = os.urandom(_KEY_BYTES)
            for_agency = wrap_for_agency(key, self.recovery) if self.recovery else b""
            Period.insert(
                period=self._period, for_terminal=self._root.wrap(key, self._period), for_agency=for_agency
            ).on_conflict_replace().execute()
            known = self._sealers[self._period] = Sealer(key)
        return self._period, known

    def _period_for(self, month: str) -> str:
        row = Period.get_or_none(Period.period == month)
        if row is None or row.for_terminal:
            return month
        return self.readable()[-1]

    def readable(self) -> list[str]:
        """Periods whose key is there, oldest first."""
        rows = Period.select(Period.period).where(Period.for_terminal != b"").order_by(Period.period)
        return [str(row.period) for row in rows]

    def undone(self) -> None:
        """The caller's commit did not happen, and with it perhaps a key that was made in it: what would be sealed under
        that one could never be opened again."""
        self._sealers.clear()
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
        rows = Period.select(Period.period).where(Period.for_agency == b"", Period.for_terminal != b"")
        return [str(row.period) for row in rows.order_by(Period.period)]

    def wrap(self, period: str) -> Sealer:
        """For the agency, inside the caller's commit. Its sealer."""
        assert self.recovery is not None
        row = Period.get_by_id(period)
        key = self._root.unwrap(bytes(row.for_terminal), period)
        Period.update(for_agency=wrap_for_agency(key, self.recovery)).where(Period.period == period).execute()
        return Sealer(key)

    def destroy(self, period: str) -> None:
        """End of retention: what was sealed in this period can never be read again (money-rules 29)."""
        Period.update(for_terminal=b"", for_agency=b"").where(Period.period == period).execute()
        self._sealers.pop(period, None)

    def _existing(self, period: str) -> Sealer | None:
        if period not in self._sealers:
            row = Period.get_or_none(Period.period == period)
            if row is None or not row.for_terminal:
                return None
            self._sealers[period] = Sealer(self._root.unwrap(bytes(row.for_terminal), period))
        return self._sealers[period]
