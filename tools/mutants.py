"""`make mutants`: each planted bug of tests/simulation/mutants.toml, alone in a copy of the house, must be found.

The simulation lives seeds 1 to RUNS until one breaks a rule. What no seed breaks is a hole in the checkers, and the
exit status says so.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

HOUSE = Path(__file__).resolve().parent.parent
LIST = HOUSE / "tests" / "simulation" / "mutants.toml"
COPIED = ("kiosk", "drivers", "screens", "offline_queue", "provisioning", "simulators")
RUNS_MAX = 1000
MUTANT_S_MAX = 900.0


@dataclass(frozen=True)
class Mutant:
    """``edits``: what stands once in the file, and what it becomes."""

    name: str
    file: str
    edits: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Found:
    """``seed`` 0: no seed broke a rule."""

    seed: int
    rule: str


def mutants() -> list[Mutant]:
    read = tomllib.loads(LIST.read_text(encoding="utf-8"))["mutant"]
    return [
        Mutant(one["name"], one["file"], ((one["before"], one["after"]), *map(tuple, one.get("also", ()))))
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


def hunted(house: Path, runs: int) -> Found:
    """The first seed of the copy that breaks a rule."""
    command = [sys.executable, "-m", "simulators", "simulate", "--until-broken", "--only-money", "--runs", str(runs)]
    try:
        told = subprocess.run(
            command,
            cwd=house,
            env={**os.environ, "PYTHONPATH": str(house)},
            capture_output=True,
            text=True,
            timeout=MUTANT_S_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Found(0, f"not within {MUTANT_S_MAX:.0f} s")
    lines = told.stdout.strip().splitlines()
    if not lines:
        raise ValueError(told.stderr.strip()[-400:])
    broken = json.loads(lines[-1])["broken_seeds"]
    for seed, violations in broken.items():
        return Found(int(seed), violations[0])
    return Found(0, "")


def main() -> int:
    parser = argparse.ArgumentParser(description="planted bugs that the simulation must find")
    parser.add_argument("--runs", type=int, default=RUNS_MAX)
    parser.add_argument("--only", default="", help="mutants whose name holds this")
    asked = parser.parse_args()
    chosen = [one for one in mutants() if asked.only in one.name]
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        for part in COPIED:
            shutil.copytree(HOUSE / part, Path(folder) / part, ignore=shutil.ignore_patterns("__pycache__"))
        for mutant in chosen:
            was = planted(Path(folder), mutant)
            found = hunted(Path(folder), asked.runs)
            (Path(folder) / mutant.file).write_text(was, encoding="utf-8")
            survivors += not found.seed
            print(f"{found.seed or 'never':>6}  {mutant.name}  ({found.rule[:100]})", flush=True)
    print(f"{len(chosen) - survivors} of {len(chosen)} planted bugs found within {asked.runs} seeds")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
