"""`make mutants`: each planted bug of tests/simulation/mutants.toml, alone in a copy of the house, must be found.

The simulation lives seeds 1 to RUNS until one breaks a rule. What no seed breaks is a hole in the checkers, and the
exit status says so. `make mutants GENERIC=50` plants as many small changes anywhere instead; see mutants_generic.py.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

HOUSE = Path(__file__).resolve().parent.parent
LIST = HOUSE / "tests" / "simulation" / "mutants.toml"
COPIED = ("kiosk", "drivers", "screens", "offline_queue", "provisioning", "simulators", "tests", "pyproject.toml")
RUNS_MAX = 1000
MUTANT_S_MAX = 1800.0
NO_PROGRAM = ("NameError(", "ImportError(", "UnboundLocalError(")  # a change that cannot run proves nothing


@dataclass(frozen=True)
class Mutant:
    """``edits``: what stands once in the file, and what it becomes. ``mix``: residents come about everything."""

    name: str
    file: str
    edits: tuple[tuple[str, str], ...]
    mix: bool = False


@dataclass(frozen=True)
class Found:
    """``seed`` 0: no seed broke a rule."""

    seed: int
    rule: str


def mutants() -> list[Mutant]:
    read = tomllib.loads(LIST.read_text(encoding="utf-8"))["mutant"]
    return [
        Mutant(
            one["name"],
            one["file"],
            ((one["before"], one["after"]), *map(tuple, one.get("also", ()))),
            one.get("mix", False),
        )
        for one in read
    ]


def planted(house: Path, mutant: Mutant) -> str:
    """Apply it; what stood there before.

    Raises:
        ValueError: the place is not there, or more than once: the list must follow the code.
    """
    path = house / mutant.file
    was = text = path.read_text(encoding="utf-8")
    for before, after in mutant.edits:
        if text.count(before) != 1:
            raise ValueError(f"{mutant.name}: stands {text.count(before)} times in {mutant.file}")
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")
    return was


def hunted(house: Path, mutant: Mutant, runs: int, seconds: float) -> Found:
    """The first seed of the copy that breaks a rule."""
    command = [sys.executable, "-m", "simulators", "simulate", "--until-broken", "--runs", str(runs)]
    if not mutant.mix:
        command.append("--only-money")
    told = run_in(house, command, seconds)
    if told is None:
        return Found(0, f"not within {seconds:.0f} s")
    lines = told.stdout.strip().splitlines()
    if not lines:
        raise ValueError(f"{mutant.name}: {told.stderr.strip()[-400:]}")
    broken = json.loads(lines[-1])["broken_seeds"]
    for seed, violations in broken.items():
        if any(one in violations[0] for one in NO_PROGRAM):
            raise ValueError(f"{mutant.name}: {violations[0]}")
        return Found(int(seed), violations[0])
    return Found(0, "")


def run_in(house: Path, command: list[str], seconds: float) -> "subprocess.CompletedProcess[str] | None":
    """None: it took too long."""
    try:
        return subprocess.run(
            ["nice", *command],
            cwd=house,
            env={**os.environ, "PYTHONPATH": str(house), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None


@contextmanager
def copies(count: int) -> Iterator["SimpleQueue[Path]"]:
    """So many copies of the house, each for one mutant at a time."""
    with tempfile.TemporaryDirectory() as folder:
        free: SimpleQueue[Path] = SimpleQueue()
        for number in range(count):
            house = Path(folder) / str(number)
            for part in COPIED:
                if (HOUSE / part).is_dir():
                    shutil.copytree(HOUSE / part, house / part, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(HOUSE / part, house / part)
            free.put(house)
        yield free


def _each(chosen: Iterable[Mutant], runs: int, jobs: int, seconds: float) -> Iterator[tuple[Mutant, Found]]:
    with copies(jobs) as free, ThreadPoolExecutor(jobs) as pool:

        def hunt(mutant: Mutant) -> tuple[Mutant, Found]:
            house = free.get()
            try:
                was = planted(house, mutant)
                try:
                    return mutant, hunted(house, mutant, runs, seconds)
                finally:
                    (house / mutant.file).write_text(was, encoding="utf-8")
            except ValueError as stale:
                return mutant, Found(0, f"STALE {stale}")
            finally:
                free.put(house)

        yield from pool.map(hunt, chosen)


def main() -> int:
    parser = argparse.ArgumentParser(description="planted bugs that the simulation must find")
    parser.add_argument("--runs", type=int, default=RUNS_MAX)
    parser.add_argument("--only", default="", help="mutants whose name holds this")
    parser.add_argument("--seconds", type=float, default=MUTANT_S_MAX, help="at most for one mutant")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    chosen = [one for one in mutants() if asked.only in one.name]
    survivors = 0
    for mutant, found in _each(chosen, asked.runs, asked.jobs, asked.seconds):
        survivors += not found.seed
        # As the table of docs/simulation.md has it: the seed, and the rule by which it was found.
        rule = found.rule.partition(":")[0] if found.seed else found.rule
        print(f"| {mutant.name} | {found.seed or 'never'} | {rule[:100]} |", flush=True)
    print(f"{len(chosen) - survivors} of {len(chosen)} planted bugs found within {asked.runs} seeds")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
