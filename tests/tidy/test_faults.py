"""The list of faults names tests that exist, and every number of the list once at least."""

import ast
import re
from pathlib import Path

HOUSE = Path(__file__).parents[2]
LIST = HOUSE / "docs" / "devices" / "faults.md"
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")
NUMBERS = {str(number) for number in range(1, 35)} | {"32b", "32c"}


def missing(text: str) -> list[str]:
    """Tests that a text names and that are not there."""
    return [f"{path}::{name}" for path, name in NAMED.findall(text) if name not in _tests_of(HOUSE / "tests" / path)]


def _tests_of(path: Path) -> set[str]:
    if not path.is_file():
        return set()
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_named_test_exists() -> None:
    """Who follows the list finds the test."""
    text = LIST.read_text(encoding="utf-8")
    assert len(NAMED.findall(text)) > 60
    assert missing(text) == []


def test_every_fault_has_its_row() -> None:
    """No number is left out."""
    rows = {
        line.split("|")[1].strip() for line in LIST.read_text(encoding="utf-8").splitlines() if line.startswith("| ")
    }
    assert NUMBERS - rows == set()


def test_a_name_that_is_not_there_is_found() -> None:
    """The check can fail."""
    planted = "`unit/test_clock.py::test_that_nobody_wrote` `unit/test_nowhere.py::test_x`"
    assert missing(planted) == ["unit/test_clock.py::test_that_nobody_wrote", "unit/test_nowhere.py::test_x"]
