"""The slow part keeps its budget, and says what it left out."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tidy.sources import HOUSE
from tools.slow import Suite, is_failure, run, run_within, suites, verdict

LENGTHS = """import pytest

@pytest.mark.longest(3600)
def test_hour(): pass

@pytest.mark.longest(20)
def test_short(): pass

def test_unmarked(): pass
"""

SHARED = """import pytest

pytestmark = pytest.mark.longest(20, first=600)

def test_first(): pass

def test_next(): pass
"""


def test_program_that_takes_too_long_is_ended_with_its_children() -> None:
    """At the cap the whole process group is gone, and the answer is "no status"."""
    assert run_within(["sh", "-c", "sleep 600 & sleep 600"], 0.2) is None


def test_status_of_a_program_in_time_is_its_own() -> None:
    """What ends by itself keeps its exit status."""
    assert run_within(["sh", "-c", "exit 3"], 60) == 3


def test_suite_that_is_not_there_is_named() -> None:
    """A suite without its files is skipped by name, never passed over in silence."""
    told = run(Suite("newcomer", ("true",), 1.0, "no/such/folder"), ends=float("inf"))
    assert told == "newcomer: skipped, no/such/folder does not exist"


def test_suite_after_the_budget_is_named() -> None:
    """When nothing is left of the budget, a suite is skipped by name."""
    told = run(Suite("late", ("true",), 1.0, "tests"), ends=0.0)
    assert told == "late: skipped, the budget is spent"


def test_tests_beyond_the_minutes_are_skipped_with_the_reason() -> None:
    """pytest goes on to the end and names what it did not start."""
    command = [sys.executable, "-m", "pytest", "--minutes=0", "--rotate=7", "tests/unit/test_set_up.py"]
    done = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0
    assert "budget of 0 minutes is spent" in done.stdout


def test_a_slice_begins_at_another_file_of_the_chosen(tmp_path: Path) -> None:
    """Files of which the mark chose nothing do not count as places to begin at."""
    for number in range(6):
        mark = "@pytest.mark.slow\n" if number in (1, 4) else ""
        (tmp_path / f"test_{number}.py").write_text(f"import pytest\n{mark}def test_it(): pass\n")
    begun = [_first_of_slice(tmp_path, turn) for turn in ("0", "1", "2")]
    assert begun == ["test_1.py", "test_4.py", "test_1.py"]


def _first_of_slice(folder: Path, turn: str) -> str:
    options = ["-p", "tests.conftest", "-m", "slow", f"--rotate={turn}", "-rA", "-c", "pyproject.toml"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(folder)],
        cwd=HOUSE, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    first = next(line for line in done.stdout.splitlines() if line.startswith("PASSED"))
    return Path(first.removeprefix("PASSED ").partition("::")[0]).name


@pytest.mark.parametrize(("longest", "unmarked"), [("30", "passed"), ("600", "skipped")])
def test_only_what_fits_the_rest_is_begun(tmp_path: Path, longest: str, unmarked: str) -> None:
    """Of two minutes an hour is passed over by name, a short one behind it is run; what does not say how long it takes
    is taken to be as long as its suite says."""
    (tmp_path / "test_lengths.py").write_text(LENGTHS)
    options = ["-p", "tests.conftest", "--minutes=2", f"--longest={longest}", "-rA", "-c", "pyproject.toml"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(tmp_path)],
        cwd=HOUSE, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    passed = {line.rpartition("::")[2] for line in done.stdout.splitlines() if line.startswith("PASSED")}
    assert passed == {"test_short"} | ({"test_unmarked"} if unmarked == "passed" else set())
    assert "test_hour: budget of 2 minutes is spent: takes up to 3600 s" in done.stdout


@pytest.mark.parametrize(("minutes", "passed"), [("2", set()), ("12", {"test_first", "test_next"})])
def test_first_of_a_file_makes_what_all_share(tmp_path: Path, minutes: str, passed: set[str]) -> None:
    """Where that does not fit the rest, no test of the file begins; once it is made, each takes its own time."""
    (tmp_path / "test_shared.py").write_text(SHARED)
    options = ["-p", "tests.conftest", f"--minutes={minutes}", "-rA", "-c", "pyproject.toml"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(tmp_path)],
        cwd=HOUSE, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert {line.rpartition("::")[2] for line in done.stdout.splitlines() if line.startswith("PASSED")} == passed
    for name in {"test_first", "test_next"} - passed:
        assert f"{name}: budget of 2 minutes is spent: takes up to 620 s" in done.stdout


@pytest.mark.parametrize(("status", "may_be_cut", "fails"), [
    (None, True, False), (None, False, True), (1, True, True), (0, True, False), (-15, True, True),
])  # fmt: skip
def test_cap_is_a_verdict_only_where_it_says_something(status: int | None, may_be_cut: bool, fails: bool) -> None:
    """A suite of machines that the cap ends is told, and fails nothing; any other one fails; what fails before the cap
    fails the run in both."""
    told = verdict(Suite("long", ("true",), 1.0, "tests", may_be_cut=may_be_cut), status, 90.0)
    assert is_failure(told) is fails
    assert status is not None or "after 1.5 min" in told


def test_suite_that_may_be_cut_ends_at_the_first_failure() -> None:
    """Else the cap could hide one."""
    cut = [suite for suite in suites(0) if suite.may_be_cut]
    assert [suite.name for suite in cut] == ["emulated"]
    assert all("-x" in suite.command for suite in cut)


APPLIANCE = sorted((HOUSE / "tests" / "appliance").glob("test_*.py"))


@pytest.mark.parametrize("path", APPLIANCE, ids=lambda path: path.stem)
def test_tests_of_the_appliance_say_how_long_they_take(path: Path) -> None:
    """One that does not is taken to be as long as its suite says: nine minutes, which few runs have left at their end.
    Machines that are emulated all take as long as theirs says."""
    tree = ast.parse(path.read_text())
    (marks,) = [
        ast.unparse(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
    ]
    assert "pytest.mark.longest(" in marks or "pytest.mark.emulated" in marks
