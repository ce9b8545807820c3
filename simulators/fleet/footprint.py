"""What the fleet's processes take of this machine, as Linux counts it: processor time and memory."""

import os
from pathlib import Path

from simulators.fleet.server import RunningFleet

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cores(fleet: RunningFleet) -> tuple[float, float]:
    """Seconds for which server and nginx have run, also in threads that ended, and for which the threads that are there
    were ready to run and had no core."""
    ran = waited = 0
    for pid in (*(server.pid for server in fleet.servers), *nginx_workers(fleet)):
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ran += int(after_name[11]) + int(after_name[12])  # utime and stime, proc(5)
        for told in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            waited += int(told.read_text().split()[1])
    return ran / TICKS_PER_S, waited / 1e9


def nginx_workers(fleet: RunningFleet) -> list[int]:
    told = Path(f"/proc/{fleet.nginx.pid}/task/{fleet.nginx.pid}/children").read_text()
    return [int(pid) for pid in told.split()]


def memory_mb(pid: int) -> float:
    """What it has for itself, and its share of what it has with others (PSS)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0
