"""Says at the end how many power cuts were lived through."""

from typing import Any

import pytest

CUTS: dict[str, int] = {}


@pytest.fixture
def count_cuts(request: pytest.FixtureRequest) -> Any:
    def count(plan: str, cuts: int) -> None:
        CUTS[plan] = cuts

    return count


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if CUTS:
        terminalreporter.write_line(
            f"power cuts: {sum(CUTS.values())} prefixes of {len(CUTS)} settlements, each explained"
        )
