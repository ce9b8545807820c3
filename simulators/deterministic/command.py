"""``python -m simulators simulate``: histories of whole kiosks, seed by seed; ends with one JSON line.

Exit status 0: no rule was broken. ``--out DIR`` keeps each hundred seeds that were lived: the same call goes on where
an interrupted one ended, on every core. A seed that breaks a rule is told again as shortly as it still breaks it.
"""

import argparse
import os
import time
from pathlib import Path

from simulators.deterministic.campaign import Sum, campaign, program
from simulators.deterministic.history import Limits, Told, live_history
from simulators.deterministic.shorten import shortened

STORIES_MAX = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=1, help="the first one")
    parser.add_argument("--runs", type=int, default=20, help="how many seeds")
    parser.add_argument("--only-money", action="store_true", help="every resident comes about money")
    parser.add_argument("--until-broken", action="store_true", help="end with the first seed that breaks a rule")
    parser.add_argument("--story", action="store_true", help="tell every history line by line")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--out", type=Path, help="folder of shards: what was lived there is not lived again")


def main(asked: argparse.Namespace) -> int:
    """Exit status 0 when no rule was broken."""
    limits = Limits(only_money=asked.only_money)
    if asked.story or asked.until_broken:
        whole = _one_by_one(asked, limits)
    else:
        whole = campaign(asked.seed, asked.runs, limits, asked.jobs, asked.out)
    if not asked.until_broken:
        for seed in sorted(whole.broken)[:STORIES_MAX]:
            _tell_shortest(live_history(seed, limits), limits)
    print(whole.line(asked.seed), flush=True)
    return 1 if whole.broken else 0


def _one_by_one(asked: argparse.Namespace, limits: Limits) -> Sum:
    whole, began = Sum(), time.process_time()
    for seed in range(asked.seed, asked.seed + asked.runs):
        told = live_history(seed, limits)
        whole.add(told)
        if asked.story:
            print("\n".join(told.story))
        if told.violations and asked.until_broken:
            break
    whole.cpu_s = time.process_time() - began
    whole.programs[program()] = whole.histories
    return whole


def _tell_shortest(told: Told, limits: Limits) -> None:
    shortest = shortened(told, limits) if told.violations else told
    print(f"seed {told.seed} breaks:")
    print("\n".join(f"  {one}" for one in shortest.violations))
    print("its shortest story:")
    print("\n".join(shortest.story))
