"""What the fleet's processes take of this machine, as Linux counts it: processor time and memory."""

from pathlib import Path

from simulators.fleet.server import RunningFleet


def cores(fleet: RunningFleet) -> tuple[float, float]:
    """Seconds for which server and nginx have run, and for which they were ready to run and had no core."""
    ran = waited = 0
    for pid in (*(server.pid for server in fleet.servers), *nginx_workers(fleet)):
        for told in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            words = told.read_text().split()
            ran, waited = ran + int(words[0]), waited + int(words[1])
    return ran / 1e9, waited / 1e9


def nginx_workers(fleet: RunningFleet) -> list[int]:
    told = Path(f"/proc/{fleet.nginx.pid}/task/{fleet.nginx.pid}/children").read_text()
    return [int(pid) for pid in told.split()]


def memory_mb(pid: int) -> float:
    """What it has for itself, and its share of what it has with others (PSS)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0
