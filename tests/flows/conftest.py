"""Virtual time for every flow: hours of a resident's patience pass in milliseconds."""

import pytest
from trio.testing import MockClock


@pytest.fixture
def autojump_clock() -> MockClock:
    return MockClock(autojump_threshold=0)
