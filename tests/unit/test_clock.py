"""Ids of acts."""

from datetime import UTC, datetime

import pytest

from kiosk.basics.clock import SystemClock


class SteppingClock(SystemClock):
    """A wall clock that the test sets."""

    moment = datetime(2026, 11, 21, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment


def test_keys_rise_even_when_the_clock_goes_back() -> None:
    """Ten thousand keys over a clock that jumps back sixty years are unique and in order."""
    clock = SteppingClock()
    keys = [clock.new_key() for _ in range(5000)]
    clock.moment = datetime(1970, 1, 2, tzinfo=UTC)
    keys += [clock.new_key() for _ in range(5000)]
    assert keys == sorted(set(keys))


def test_keys_are_uuid_version_7() -> None:
    """Version and variant bits stand where RFC 9562 wants them."""
    key = SteppingClock().new_key()
    assert key[14] == "7"
    assert key[19] in "89ab"


def test_no_free_case_code_is_an_error_not_a_repeat() -> None:
    """When every code is taken the clock refuses to hand out one twice."""
    clock = SystemClock()
    clock.case_code_known = lambda code: True
    with pytest.raises(RuntimeError):
        clock.new_case_code()
