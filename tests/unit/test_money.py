"""Amounts: whole fen in, words and figures out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.domain.money import Fen, fen_from_yuan, yuan, yuan_in_words


@pytest.mark.parametrize(
    ("fen", "words"),
    [
        (0, "零元"),
        (123_450, "一千二百三十四元五角"),
        (1_000, "十元"),
        (1_500, "十五元"),
        (10_005, "一百元零五分"),
        (100_000, "一千元"),
        (1_000_500, "一万零五元"),
        (11_000_000, "十一万元"),
        (100_100_000, "一百万一千元"),
        (10_000_000_100, "一亿零一元"),
        (5, "零元零五分"),
    ],
)
def test_amounts_are_read_as_people_read_them(fen: int, words: str) -> None:
    """The words follow spoken Chinese: one zero for any gap, and 十 alone at the start."""
    assert yuan_in_words(Fen(fen)) == words


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_figures_read_back_as_the_same_fen(fen: int) -> None:
    """What is shown is what was meant, to the fen."""
    assert fen_from_yuan(yuan(Fen(fen)).replace(",", "")) == fen


@pytest.mark.parametrize("text", ["1.005", "NaN", "Infinity", "", "一元", "1e400000"])
def test_odd_amounts_are_refused(text: str) -> None:
    """Fractions of a fen, infinities and words are no amounts."""
    with pytest.raises(ValueError, match="amount"):
        fen_from_yuan(text)


@pytest.mark.parametrize("fen", [-1, 10**18])
def test_what_cannot_be_read_aloud_says_so(fen: int) -> None:
    """A negative or absurd amount is refused, not misread."""
    with pytest.raises(ValueError, match="read aloud"):
        yuan_in_words(Fen(fen))
