"""What holds for the whole suite: deterministic properties, and a time budget for the slow part."""

import os
import time

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("KIVY_NO_ARGS", "1")  # or Kivy reads pytest's arguments as its own

# No deadline: a wall-clock figure says more about the machine than about the code.
settings.register_profile("house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("wide", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))

_STARTED = time.monotonic()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("budget")
    group.addoption("--minutes", type=float, default=None, help="skip, by name, what has not started within this time")
    group.addoption("--rotate", type=int, default=0, help="start at another test file, so that no slice stays unrun")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Rotate by whole files, so that fixtures of a module are still made once."""
    files = list(dict.fromkeys(item.path for item in items))
    if not files:
        return
    turn = config.getoption("--rotate") % len(files)
    place = {path: index for index, path in enumerate(files[turn:] + files[:turn])}
    items.sort(key=lambda item: place[item.path])


def pytest_runtest_setup(item: pytest.Item) -> None:
    minutes = item.config.getoption("--minutes")
    if minutes is not None and time.monotonic() - _STARTED > minutes * 60:
        pytest.skip(f"budget of {minutes:g} minutes is spent")
