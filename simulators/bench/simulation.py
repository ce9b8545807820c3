"""The simulation: what a session of the mix costs, and one about money alone; processor time of one process.

Some histories are lived first, so that worlds are read and modules imported; then the same seeds at every run. Faults
and power cuts are in it, and so are the worlds, restarts and checks of each history: nothing is left out of the bill.
"""

from collections.abc import Iterator

from simulators.bench import Measurement
from simulators.deterministic.campaign import live_shard
from simulators.deterministic.history import Limits

WARM_UP, MIX, MONEY = 5, 80, 40
FIRST_SEED = 1_000_000
MIX_MS_MAX = 10.0  # a hundred sessions in a second


def run() -> Iterator[Measurement]:
    live_shard(1, WARM_UP, Limits())
    yield _session("session of the mix", Limits(), MIX, MIX_MS_MAX)
    yield _session("session about money", Limits(only_money=True), MONEY, float("inf"))


def _session(name: str, limits: Limits, histories: int, target_ms: float) -> Measurement:
    shard = live_shard(FIRST_SEED, histories, limits)
    sessions = sum(shard["sessions"].values())
    assert not shard["broken"], shard["broken"]
    how = f"{sessions} sessions, {shard['power_cuts']} cuts, {sessions / shard['cpu_s']:.0f} a CPU-second"
    return Measurement(name, shard["cpu_s"] / sessions * 1e3, "ms", target_ms, how)
