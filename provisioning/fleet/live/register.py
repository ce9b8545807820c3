"""The terminals, in memory: found by the serial number of a certificate, with all that the next answer needs.

Each process reads all of them at its start and afterwards only the rows whose ``changed_ms`` moved. Clocks of two
machines differ, and a step that began earlier may be committed later: so it looks back ``OVERLAP_MS`` each time,
``FAR_MS`` once in ``FAR_EVERY_MS``, and at everything once in ``WHOLE_MS``, which also finds rows that are gone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from sys import intern
from typing import Any

from provisioning.fleet.database import tuples
from provisioning.fleet.live.errands import Errands, Waiting
from provisioning.fleet.schema.places import Tenant
from provisioning.fleet.schema.terminals import Certificate, Terminal
from provisioning.fleet.trust.lists import newest_of_all

OVERLAP_MS = 5_000
FAR_MS, FAR_EVERY_MS = 120_000, 20_000
WHOLE_MS = 600_000
RENEW_MS = 30 * 24 * 3600 * 1000  # before its end, where its row does not say
CHUNK = 500  # rows of one question; SQLite takes no more than some thousand values


@dataclass(slots=True)
class LiveTerminal:
    """A row of ``Terminal`` with its good certificates. Replaced as a whole, never changed."""

    key: int
    terminal_id: str
    tenant: str
    active: bool
    sleep_s: float
    desired_version: int
    action: str
    changed_ms: int
    certificates: tuple[tuple[str, int], ...] = ()  # serial number, when to renew it (ms)
    waiting: Waiting | None = None


@dataclass(frozen=True, slots=True)
class City:
    """Numbers of the newest epoch, memo and trust list; ``forgot``: it was restored, and asks for newer
    memos than its own."""

    epoch: int = 0
    memo: int = 0
    forgot: bool = False
    trust: int = 0


@dataclass
class LiveRegister:
    """``refresh`` runs in one thread; polls read the dictionaries meanwhile, each look-up whole by itself."""

    errands: Errands
    by_certificate: dict[str, tuple[LiveTerminal, int]] = field(default_factory=dict)
    by_id: dict[str, LiveTerminal] = field(default_factory=dict)
    cities: dict[str, City] = field(default_factory=dict)
    read_ms: int = 0  # when it was last known to be as the database
    _by_key: dict[int, LiveTerminal] = field(default_factory=dict)
    _whole_ms: int = 0
    _far_ms: int = 0

    def refresh(self, at_ms: int) -> int:
        """Read what changed; how many terminals did. Touches the database.

        Raises:
            peewee.PeeweeException: it does not answer; what was known stays.
        """
        whole = not 0 <= at_ms - self._whole_ms < WHOLE_MS
        since = 0 if whole else min(self.read_ms, at_ms) - self._look_back_ms(at_ms)
        listed = dict(_listed(since))
        if whole:
            for key in self._by_key.keys() - listed.keys():
                self._forget(key)
            self._whole_ms = at_ms
        moved = [key for key, changed_ms in listed.items() if self._is_news(key, changed_ms)]
        for chunk in _chunks(sorted(moved)):
            self._read(chunk, at_ms)
        self.cities = _cities()
        self.read_ms = at_ms
        return len(moved)

    def reread(self, keys: Sequence[int], at_ms: int) -> None:
        """These, at once: this process changed them itself. Raises as ``refresh``."""
        self._read(keys, at_ms)

    def _look_back_ms(self, at_ms: int) -> int:
        if 0 <= at_ms - self._far_ms < FAR_EVERY_MS:
            return OVERLAP_MS
        self._far_ms = at_ms
        return FAR_MS

    def _is_news(self, key: int, changed_ms: int) -> bool:
        known = self._by_key.get(key)
        return known is None or known.changed_ms != changed_ms

    def _read(self, keys: Sequence[int], at_ms: int) -> None:
        certificates: dict[int, list[tuple[str, int]]] = {}
        good = Certificate.revoked_ms.is_null() & Certificate.terminal.in_(keys)
        columns = (Certificate.terminal, Certificate.serial, Certificate.not_after_ms, Certificate.renew_ms)
        for key, serial, not_after_ms, renew_ms in tuples(Certificate.select(*columns).where(good)):
            due_ms = not_after_ms - RENEW_MS if renew_ms is None else renew_ms
            certificates.setdefault(key, []).append((serial, due_ms))
        waiting = self.errands.waiting(keys, at_ms)
        for one in _rows(keys):
            one.certificates = tuple(certificates.get(one.key, ()))
            one.waiting = waiting.get(one.key)
            self._put(one)

    def _put(self, one: LiveTerminal) -> None:
        """New certificates open before the old ones close: a renewal leaves no moment between."""
        before = self._by_key.get(one.key)
        self._by_key[one.key] = self.by_id[one.terminal_id] = one
        for serial, due_ms in one.certificates:
            self.by_certificate[serial] = (one, due_ms)
        for serial, _ in before.certificates if before else ():
            if self.by_certificate.get(serial, (None,))[0] is before:
                del self.by_certificate[serial]
        if before is not None and before.terminal_id != one.terminal_id:
            self.by_id.pop(before.terminal_id, None)

    def _forget(self, key: int) -> None:
        gone = self._by_key.pop(key)
        self.by_id.pop(gone.terminal_id, None)
        for serial, _ in gone.certificates:
            self.by_certificate.pop(serial, None)


def _listed(since: int) -> Iterator[tuple[int, int]]:
    rows: Iterator[Any] = tuples(Terminal.select(Terminal.id, Terminal.changed_ms).where(Terminal.changed_ms >= since))
    return rows


def _rows(keys: Iterable[int]) -> Iterator[LiveTerminal]:
    columns = (
        Terminal.id, Terminal.terminal_id, Terminal.tenant, Terminal.state, Terminal.sleep_s,
        Terminal.desired_version, Terminal.action, Terminal.changed_ms,
    )  # fmt: skip
    for row in tuples(Terminal.select(*columns).where(Terminal.id.in_(keys))):
        yield LiveTerminal(row[0], row[1], intern(row[2]), row[3] == "active", *row[4:])


def _cities() -> dict[str, City]:
    """Read after the terminals: who is told of new settings is told of the list that vouches for their signature."""
    lists = newest_of_all()
    rows = Tenant.select()
    return {row.code: City(row.epoch, row.memo, row.restored_ms is not None, lists.get(row.code, 0)) for row in rows}


def _chunks(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(keys), CHUNK):
        yield keys[start : start + CHUNK]
