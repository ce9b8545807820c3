"""``python -m simulators bench [GROUP]``: one JSON object a line: name, value, unit, target, ok, conditions."""

import argparse
import json
import os
import sys
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from math import isfinite

from simulators.bench import Measurement

# Group -> its benches, in order. A bench that is not installed is named on standard error, and is no success.
GROUPS = {
    "ui": ("simulators.bench.ui", "simulators.bench.pages"),
    "card": ("simulators.bench.card", "simulators.bench.card_in"),
    "serial": ("simulators.bench.serial", "simulators.bench.receipt"),
    "journal": ("simulators.bench.journal",),
    "cash": ("simulators.bench.notes", "simulators.bench.bill"),
    "hotlist": ("simulators.bench.hotlist",),
    "queue": ("simulators.bench.queue", "simulators.bench.queue_drain", "simulators.bench.queue_growth"),
    "fleet": ("simulators.bench.fleet",),
    "agent": ("simulators.bench.agent",),
    "simulation": ("simulators.bench.simulation",),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("one", nargs="?", choices=tuple(GROUPS), metavar="GROUP")
    parser.add_argument("--group", choices=tuple(GROUPS))


def main(asked: argparse.Namespace) -> int:
    """Exit status 0 when every bench ran and every figure is within its target."""
    wanted = asked.one or asked.group
    good = True
    for group in (wanted,) if wanted else tuple(GROUPS):
        for module in GROUPS[group]:
            good &= _run(module)
    return 0 if good else 1


def _run(module: str) -> bool:
    if find_spec(module) is None:
        print(f"no bench {module}", file=sys.stderr)
        return False
    measurements: Iterable[Measurement] = import_module(module).run()
    good = True
    for one in measurements:
        good &= one.ok
        print(as_line(one), flush=True)
    return good


def as_line(one: Measurement) -> str:
    """The conditions stand beside each figure: what else ran on the machine decides half of it."""
    machine = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    shown = {
        "name": one.name,
        "value": round(one.value, 4),
        "unit": one.unit,
        "target": one.target if isfinite(one.target) else None,
        "ok": one.ok,
        "conditions": f"{one.how}; {machine}" if one.how else machine,
    }
    return json.dumps(shown, ensure_ascii=False)
