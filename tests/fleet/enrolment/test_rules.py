"""Rules of enrolment without a fleet: codes, renewals, lives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.rules.enrolment import qr_content, read_qr, renewal_ms, short_fingerprint
from provisioning.rules.presence import NOBODY, Finding, Life, judge

KEY = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("speaks", "before", "asks", "finding"),
    [
        (NOBODY, NOBODY, Life(1, "a"), Finding.FIRST),
        (NOBODY, NOBODY, NOBODY, Finding.SPEAKS),
        (Life(1, "a"), NOBODY, Life(1, "a"), Finding.SPEAKS),
        (Life(1, "a"), NOBODY, Life(2, "b"), Finding.LATER),
        (Life(2, "b"), Life(1, "a"), Life(1, "a"), Finding.RETURNED),
        (Life(2, "b"), Life(1, "a"), Life(1, "c"), Finding.SECOND),
        (Life(2, "b"), NOBODY, Life(2, "c"), Finding.SECOND),
    ],
)
def test_lives_are_told_apart(speaks: Life, before: Life, asks: Life, finding: Finding) -> None:
    """By the count of starts on the disk and the number drawn at each."""
    assert judge(speaks, before, asks) is finding


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{3,63}", fullmatch=True), st.binary(min_size=32, max_size=32))
def test_what_the_glass_shows_a_phone_reads(serial: str, key: bytes) -> None:
    """With the console's address in it, and without."""
    for console in ("", "https://fleet.example:8445/"):
        assert read_qr(qr_content(serial, key.hex(), console)) == (serial, key.hex())


@pytest.mark.parametrize("content", ["", "https://elsewhere.example/", "yikatong:enrol?serial=SN-1234&fingerprint=12"])
def test_other_codes_are_refused(content: str) -> None:
    """Whatever else hangs on a wall is no terminal."""
    with pytest.raises(ValueError, match="not the code"):
        read_qr(content)


def test_a_fingerprint_is_read_in_groups_of_four() -> None:
    """Eighty bits of it, as it stands on the glass and in the console."""
    assert short_fingerprint(KEY) == "0123 4567 89ab cdef 0123"


def test_renewals_are_spread_before_two_thirds() -> None:
    """Of a thousand certificates of one morning none is renewed late, and no day of the spread has half of them."""
    due = [renewal_ms(0, 3000, str(number)) for number in range(1000)]
    assert (min(due) >= 1850, max(due) <= 2000) == (True, True)
    assert max(sum(start <= one < start + 15 for one in due) for start in range(1850, 2000, 15)) < 200
