"""The slow part keeps its budget, and says what it left out."""

import subprocess
import sys

from tests.tidy.sources import HOUSE
from tools.slow import Suite, run, run_within


def test_program_that_takes_too_long_is_ended_with_its_children() -> None:
    """At the cap the whole process group is gone, and the answer is "no status"."""
    assert run_within(["sh", "-c", "sleep 600 & sleep 600"], 0.2) is None


def test_status_of_a_program_in_time_is_its_own() -> None:
    """What ends by itself keeps its exit status."""
    assert run_within(["sh", "-c", "exit 3"], 60) == 3


def test_suite_that_is_not_there_is_named() -> None:
    """A suite without its files is skipped by name, never passed over in silence."""
    verdict = run(Suite("newcomer", ("true",), 1.0, "no/such/folder"), ends=float("inf"))
    assert verdict == "newcomer: skipped, no/such/folder does not exist"


def test_suite_after_the_budget_is_named() -> None:
    """When nothing is left of the budget, a suite is skipped by name."""
    verdict = run(Suite("late", ("true",), 1.0, "tests"), ends=0.0)
    assert verdict == "late: skipped, the budget is spent"


def test_tests_beyond_the_minutes_are_skipped_with_the_reason() -> None:
    """pytest goes on to the end and names what it did not start."""
    command = [sys.executable, "-m", "pytest", "--minutes=0", "--rotate=7", "tests/unit/test_set_up.py"]
    done = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0
    assert "budget of 0 minutes is spent" in done.stdout
