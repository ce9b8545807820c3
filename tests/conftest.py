"""What holds for the whole suite: deterministic properties, and a time budget for the slow part."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("KIVY_NO_ARGS", "1")  # or Kivy reads pytest's arguments as its own

# No deadline: a wall-clock figure says more about the machine than about the code.
settings.register_profile("house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("wide", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))

_STARTED = time.monotonic()
_BEGUN = pytest.StashKey[set[Path]]()  # files of which a test was begun: what their tests share has been made


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("budget")
    group.addoption("--minutes", type=float, default=None, help="skip, by name, what would not end within this time")
    group.addoption("--longest", type=float, default=0.0, help="seconds of a test that has no mark `longest`")
    group.addoption("--rotate", type=int, default=0, help="start at another test file, so that no slice stays unrun")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Rotate by whole files, so that fixtures of a module are still made once; of those alone that a mark chose, or a
    suite of ten files among four hundred would nearly always begin with the same one."""
    files = list(dict.fromkeys(item.path for item in items))
    if not files:
        return
    turn = config.getoption("--rotate") % len(files)
    place = {path: index for index, path in enumerate(files[turn:] + files[:turn])}
    items.sort(key=lambda item: place[item.path])


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test begins only if it would end within the budget; a shorter one after it may still fit."""
    minutes = item.config.getoption("--minutes")
    if minutes is None:
        return
    begun = item.config.stash.setdefault(_BEGUN, set())
    longest_s = _longest_s(item, is_first=item.path not in begun)
    left_s = minutes * 60 - (time.monotonic() - _STARTED)
    if left_s < longest_s or left_s <= 0:
        why = f"takes up to {longest_s:g} s, {max(0.0, left_s):.0f} s are left"
        pytest.skip(f"{item.nodeid}: budget of {minutes:g} minutes is spent: {why}")
    begun.add(item.path)


def _longest_s(item: pytest.Item, *, is_first: bool) -> float:
    """By the nearest mark; who comes first in a file also waits for what its tests share."""
    marks = list(item.iter_markers("longest"))
    longest_s: float = marks[0].args[0] if marks else item.config.getoption("--longest")
    return longest_s + (sum(mark.kwargs.get("first", 0.0) for mark in marks) if is_first else 0.0)
