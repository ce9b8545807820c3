"""The fleet under load: one process behind nginx, on this machine's cores together with who asks.

Every poll is answered from memory, tells its health, and its health is in the database a second later. Measured on the
default database (a file) and on PostgreSQL; through nginx with mutual TLS, and straight where nginx stands for numbers
of terminals that no certificate needs to be made for (``simulators.fleet.load`` says how identity goes).
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import trio

from simulators.bench import Measurement
from simulators.fleet.footprint import cores, memory_mb
from simulators.fleet.load import RATE_ALL, Pace, poll_for
from simulators.fleet.server import FleetPlan, RunningFleet, open_fleet
from simulators.pki import make_pki
from simulators.postgresql import open_postgresql
from simulators.processes import Children
from simulators.waiting import free_port

SECONDS = float(os.environ.get("FLEET_BENCH_S", "20"))
LONG_S = float(os.environ.get("FLEET_BENCH_LONG_S", "300"))
CONNECTIONS, CERTIFICATES = 256, 1000
POLLS_PER_S, P99_MS, GROWTH = 1500.0, 100.0, 1.3
MANY, MANY_POLL_S = 50_000, 60.0
STORM, STORM_S, STORM_ROOM, BACK_S = 10_000, 30.0, 150.0, 300.0
MEMORY_GROWTH = 1.1
UNBOUNDED = {"polls": {"per_second_max": 100_000.0}}


def run() -> Iterator[Measurement]:
    for database in ("sqlite", "postgresql"):
        with _database(database) as url:
            yield from _throughput(database, url)
    with _database("postgresql") as url:
        yield from _growth(url)
    yield from _many()
    yield from _storm()


def _throughput(name: str, url: str) -> Iterator[Measurement]:
    """As fast as it goes, and at the wanted pace."""
    plan = _plan(url, CERTIFICATES, certificates=CERTIFICATES, more=UNBOUNDED)
    with _running(plan) as fleet:
        most = poll_for(plan, Pace(RATE_ALL, SECONDS, CONNECTIONS, health_every=1), tls=True)
        how = f"{name}, nginx with mutual TLS, {CONNECTIONS} connections, {CERTIFICATES} certificates, all with health"
        yield _least(f"fleet_polls_per_s_{name}", most.rate, POLLS_PER_S, "polls/s", f"{how}; {most.as_line()}")
        before = cores(fleet)
        paced = poll_for(plan, Pace(POLLS_PER_S, SECONDS, CONNECTIONS, health_every=1), tls=True)
        ran_s, waited_s = (now - then for now, then in zip(cores(fleet), before, strict=True))
        took = f"server and nginx ran {ran_s:.1f} s and waited {waited_s:.1f} s for a core"
        how = f"{how}, {POLLS_PER_S:g}/s; {took}; {paced.as_line()}"
        yield Measurement(f"fleet_poll_p99_{name}", paced.percentile_ms(99), "ms", P99_MS, how)


def _growth(url: str) -> Iterator[Measurement]:
    """The median of one poll among a hundred thousand terminals, against one among a thousand."""
    medians, cores_us = {}, {}
    for terminals in (1_000, 100_000):
        plan = _plan(url, terminals, certificates=0, prefix=f"G{len(str(terminals))}", city=f"city-{terminals}")
        with _running(replace(plan, more=UNBOUNDED)) as fleet:
            before = cores(fleet)
            result = poll_for(plan, Pace(500.0, SECONDS, 32, askers=1_000))
            medians[terminals] = result.percentile_ms(50)
            cores_us[terminals] = (cores(fleet)[0] - before[0]) * 1e6 / max(1, result.answered)
    how = ", ".join(
        f"{medians[one]:.2f} ms and {cores_us[one]:.0f} us of a core with {one} registered" for one in medians
    )
    yield Measurement("fleet_poll_p50_growth", medians[100_000] / medians[1_000], "times", GROWTH, how)


def _many() -> Iterator[Measurement]:
    """Fifty thousand terminals that ask once a minute."""
    with _database("postgresql") as url:
        plan = _plan(url, MANY, certificates=0)
        with _running(plan) as fleet:
            pid = fleet.servers[0].pid
            first = poll_for(plan, Pace(MANY / MANY_POLL_S, min(MANY_POLL_S, LONG_S / 2), CONNECTIONS))
            before = memory_mb(pid)
            result = poll_for(plan, Pace(MANY / MANY_POLL_S, LONG_S, CONNECTIONS))
            after = memory_mb(pid)
        how = f"{MANY} terminals, one poll in {MANY_POLL_S:g} s, {LONG_S:g} s; {result.as_line()}"
        late = float(result.overdue + result.broken + first.broken + result.shed)
        yield Measurement("fleet_overdue_of_50000", late, "terminals", 0, how)
        memory = f"{before:.0f} MB after the first round, {after:.0f} MB at the end"
        yield Measurement("fleet_memory_growth", after / before, "times", MEMORY_GROWTH, memory)


def _storm() -> Iterator[Measurement]:
    """Ten thousand come within half a minute where there is room for half of them: the rest comes back in order."""
    with _database("sqlite") as url:
        more = {"polls": {"per_second_max": STORM_ROOM, "tenant_share": 1.0, "retry_after_s": 20.0}}
        plan = _plan(url, STORM, certificates=0, more=more)
        with _running(plan):
            result = poll_for(plan, Pace(STORM / STORM_S, STORM_S, CONNECTIONS, until_back_s=BACK_S))
        told = f"{min(result.retry_after_s, default=0)} to {max(result.retry_after_s, default=0)} s"
        how = f"{STORM} in {STORM_S:g} s, room for {STORM_ROOM:g}/s, Retry-After {told}; {result.as_line()}"
        yield Measurement("fleet_storm_all_back_s", result.seconds, "s", BACK_S, how)
        yield Measurement("fleet_storm_not_back", float(STORM - result.answered), "terminals", 0, how)


def _least(name: str, value: float, least: float, unit: str, how: str) -> Measurement:
    """A figure that must not fall below: told as the time of one, which must not exceed."""
    return Measurement(
        name, 1e6 / value if value else float("inf"), "us each", 1e6 / least, f"{value:.0f} {unit}; {how}"
    )


def _plan(url: str, terminals: int, certificates: int, **more: Any) -> FleetPlan:
    folder = Path(tempfile.mkdtemp(prefix="ykbench"))
    port = free_port(2)
    wanted: dict[str, Any] = {"prefix": "R", "city": "bench-city", **more}
    return FleetPlan(
        folder / "f", make_pki(folder / "pki"), port, port + 1, url, 1, terminals, certificates, people=False, **wanted
    )


@contextmanager
def _running(plan: FleetPlan) -> Iterator[RunningFleet]:
    children = Children(plan.folder.parent / "logs")
    try:
        yield trio.run(open_fleet, children, plan)
    finally:
        trio.run(children.stop_all)
        shutil.rmtree(plan.folder.parent, ignore_errors=True)


@contextmanager
def _database(name: str) -> Iterator[str]:
    if name == "sqlite":
        yield ""
        return
    folder = Path(tempfile.mkdtemp(prefix="ykpg"))
    folder.chmod(0o755)
    try:
        with open_postgresql(folder) as url:
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)
