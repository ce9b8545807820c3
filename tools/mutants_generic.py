"""`make mutants GENERIC=50`: a seeded sample of small changes anywhere in the queue and the services, each in a copy.

An operator, a constant or a branch is turned. The tests that name the changed module and some histories must notice;
who survives is listed, with file and line, for a person to read: some change nothing, some are a missing test.
"""

import argparse
import ast
import os
import random
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mutants import HOUSE, copies, run_in  # type: ignore[import-not-found]  # the file beside this program

FOLDERS = ("offline_queue", "kiosk/services")
TESTS = ("tests/unit", "tests/property", "tests/flows")
TEST_FILES_MAX = 8
TESTS_S_MAX, HISTORIES_S_MAX = 240.0, 240.0
HISTORIES = 12
TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}


@dataclass(frozen=True)
class Place:
    """``number``: which of the file's places that can be turned, in the order of a walk."""

    file: str
    number: int
    line: int
    what: str


class Turner(ast.NodeTransformer):
    """Turns place ``wanted`` of a module, or none; remembers all of them."""

    def __init__(self, wanted: int = -1) -> None:
        self.wanted = wanted
        self.found: list[tuple[int, str]] = []

    def _here(self, node: ast.expr | ast.stmt, what: str) -> bool:
        self.found.append((node.lineno, what))
        return len(self.found) - 1 == self.wanted

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        turned = TURNED.get(type(node.ops[0]))
        if turned and self._here(node, type(node.ops[0]).__name__):
            node.ops[0] = turned()
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        if self._here(node, type(node.op).__name__):
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        self.generic_visit(node)
        if self._here(node, "branch"):
            node.test = ast.UnaryOp(ast.Not(), node.test)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, bool) and self._here(node, str(node.value)):
            return ast.copy_location(ast.Constant(not node.value), node)
        if type(node.value) is int and self._here(node, str(node.value)):
            return ast.copy_location(ast.Constant(node.value + 1), node)
        return node


def places(house: Path) -> list[Place]:
    """Everything that can be turned, in the order of names and lines."""
    return [
        Place(str(path.relative_to(house)), number, line, what)
        for folder in FOLDERS
        for path in sorted((house / folder).glob("*.py"))
        for number, (line, what) in enumerate(_found(path))
    ]


def _found(path: Path) -> list[tuple[int, str]]:
    turner = Turner()
    turner.visit(ast.parse(path.read_text(encoding="utf-8")))
    return turner.found


def turned(text: str, number: int) -> str:
    return ast.unparse(ast.fix_missing_locations(Turner(number).visit(ast.parse(text))))


def survives(house: Path, place: Place) -> bool:
    """Whether nobody notices."""
    path = house / place.file
    was = path.read_text(encoding="utf-8")
    path.write_text(turned(was, place.number), encoding="utf-8")
    try:
        return not any(_notices(house, command, seconds) for command, seconds in _judges(house, place))
    finally:
        path.write_text(was, encoding="utf-8")


def _judges(house: Path, place: Place) -> Iterator[tuple[list[str], float]]:
    if tests := _tests_of(house, place):
        yield (
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-m", "not slow", *tests],
            TESTS_S_MAX,
        )
    histories = [sys.executable, "-m", "simulators", "simulate", "--until-broken", "--runs", str(HISTORIES)]
    yield [*histories, "--only-money"], HISTORIES_S_MAX
    yield histories, HISTORIES_S_MAX


def _notices(house: Path, command: list[str], seconds: float) -> bool:
    """By its exit status; a judge who takes for ever has noticed something, too."""
    told = run_in(house, command, seconds)
    return told is None or told.returncode != 0


def _tests_of(house: Path, place: Place) -> list[str]:
    """Files that name the module; those that name nothing else come first, as far as a file's name says so."""
    stem = Path(place.file).stem
    module = place.file.removesuffix(".py").replace("/", ".")
    found = [
        path
        for folder in TESTS
        for path in sorted((house / folder).glob("test_*.py"))
        if stem in path.stem or re.search(rf"\b{re.escape(module)}\b", path.read_text(encoding="utf-8"))
    ]
    found.sort(key=lambda path: stem not in path.stem)
    return [str(path.relative_to(house)) for path in found[:TEST_FILES_MAX]]


def main() -> int:
    """Lists survivors; the exit status says nothing about them, because a person must read them first."""
    parser = argparse.ArgumentParser(description="a sample of small changes, and who notices them")
    parser.add_argument("count", type=int)
    parser.add_argument("--sample", type=int, default=1, help="which sample")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    chosen = random.Random(asked.sample).sample(places(HOUSE), asked.count)
    left: list[Place] = []
    with copies(asked.jobs) as free, ThreadPoolExecutor(asked.jobs) as pool:

        def judged(place: Place) -> tuple[Place, bool]:
            house = free.get()
            try:
                return place, survives(house, place)
            finally:
                free.put(house)

        for place, alive in pool.map(judged, chosen):
            left += [place] if alive else []
            print(f"{'SURVIVES' if alive else 'noticed ':8} {place.file}:{place.line} {place.what}", flush=True)
    print(f"{len(left)} of {asked.count} survive (sample {asked.sample} of {len(places(HOUSE))} places)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
