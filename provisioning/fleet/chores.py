"""What the fleet does by itself: rollouts move on, alerts are found and told.

Every process could do it; a lease says which one does. A process that dies is followed by another within ``LEASE_MS``.
What goes wrong in a look is logged and looked at again: nothing here may end a server.
"""

import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import anyio
import msgspec
import peewee
from anyio import to_thread

from kiosk.basics.log import JsonLog
from kiosk.basics.signed import NotTrusted
from provisioning.fleet.actor import NotFound, Refused
from provisioning.fleet.alerts.deliver import by_https, deliver, plan
from provisioning.fleet.alerts.standing import SOURCES, Source, settle
from provisioning.fleet.alerts.watch import Watch, cities
from provisioning.fleet.city_key import city_signer
from provisioning.fleet.database import cause_of, step
from provisioning.fleet.epoch.memo import renew
from provisioning.fleet.expiring import standing as ending
from provisioning.fleet.ledger.cases import count_older
from provisioning.fleet.pace import keep_pace
from provisioning.fleet.rollouts.advance import advance_all
from provisioning.fleet.schema.chores import Lease
from provisioning.fleet.settings import FleetSettings
from provisioning.fleet.thinning import thin
from provisioning.fleet.updates.acts import refresh_timestamp

LEASE_MS = 30_000
# A database, a file or key, an address, a document, a row that people took away: each is somebody's to mend.
TROUBLES = (peewee.PeeweeException, OSError, ValueError, msgspec.MsgspecError, NotTrusted, NotFound, Refused)
log = JsonLog()


@dataclass(frozen=True)
class Chore:
    """``do`` is called with the time about every ``every_s`` seconds, in a thread."""

    name: str
    every_s: float
    do: Callable[[int], object]


@dataclass
class Chores:
    """Of one process. ``me`` is drawn at each start."""

    now_ms: Callable[[], int]
    settings: FleetSettings | None = None  # None: nothing is done that takes a key or file of the fleet
    me: str = field(default_factory=lambda: str(uuid.uuid4()))
    _watches: dict[str, Watch] = field(default_factory=dict)

    def all(self) -> tuple[Chore, ...]:
        return (
            Chore("rollouts", 5.0, advance_all),
            Chore("alerts", 1.0, self._look),
            Chore("standing", 60.0, self._stand),
            Chore("messages", 5.0, self._tell),
            Chore("memos", 30.0, self._remember),
            Chore("releases", 600.0, self._freshen),
            Chore("thinning", 600.0, thin),
            Chore("pace", 15.0, self._keep_pace),
            Chore("counting", 10.0, lambda at_ms: count_older()),
        )

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Done for as long as the block."""
        async with anyio.create_task_group() as tasks:
            for chore in self.all():
                tasks.start_soon(self._keep, chore)
            yield
            tasks.cancel_scope.cancel()

    async def _keep(self, chore: Chore) -> None:
        while True:
            await anyio.sleep(chore.every_s)
            await to_thread.run_sync(self.do_once, chore)

    def do_once(self, chore: Chore) -> bool:
        """Whether it was ours to do, and was done."""
        try:
            if not held(chore.name, self.me, self.now_ms()):
                return False
            chore.do(self.now_ms())
        except TROUBLES as error:  # a database that is away comes back; what one city did wrong ends no server
            _failed(chore.name, error)
            return False
        return True

    def _look(self, at_ms: int) -> None:
        _in_each("alerts", lambda city: self._watches.setdefault(city, Watch(city)).look(at_ms))

    def _stand(self, at_ms: int) -> None:
        _in_each("standing", lambda city: settle(city, self._sources(), at_ms))

    def _sources(self) -> Mapping[str, Source]:
        return SOURCES if self.settings is None else {**SOURCES, "expiring": partial(ending, self.settings)}

    def _remember(self, at_ms: int) -> None:
        if self.settings is not None:
            home = Path(self.settings.home)
            _in_each("memos", lambda city: renew(city, city_signer(home, city), at_ms))

    def _keep_pace(self, at_ms: int) -> None:
        if self.settings is not None:
            keep_pace(self.settings.polls.sleep_s, at_ms)

    def _freshen(self, at_ms: int) -> None:
        """A terminal refuses software whose timestamp is old: somebody may hide news from it."""
        if self.settings is None:
            return
        try:
            refresh_timestamp(self.settings, at_ms)
        except (Refused, OSError) as error:
            _failed("releases", error)

    def _tell(self, at_ms: int) -> None:
        _in_each("messages", lambda city: (plan(city, at_ms), deliver(city, by_https, at_ms)))


def _in_each(chore: str, work: Callable[[str], object]) -> None:
    """What is wrong in one city hinders no other."""
    for city in cities():
        try:
            work(city)
        except TROUBLES as error:
            _failed(f"{chore} of {city}", error)


def _failed(job: str, error: Exception) -> None:
    log("fleet_chore_failed", job=job, error=type(error).__name__, reason=cause_of(error))


def held(chore: str, me: str, at_ms: int) -> bool:
    """Take or keep the lease; False: another process has it."""
    until = at_ms + LEASE_MS
    with step():
        Lease.insert(chore=chore, holder=me, until_ms=until).on_conflict_ignore().execute()
        over = (Lease.until_ms <= at_ms) | (Lease.until_ms > until)  # nobody has so long a one: the clock went back
        mine = (Lease.chore == chore) & ((Lease.holder == me) | over)
        return bool(Lease.update(holder=me, until_ms=until).where(mine).execute() == 1)
