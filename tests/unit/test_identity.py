"""Masks and check digits."""

import pytest

from kiosk.domain.identity import card_number_checks, citizen_number_checks, mask_name, mask_number


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张三", "张*"),
        ("王小明", "王*明"),
        ("欧阳娜娜", "欧**娜"),
        ("阿依古丽·买买提", "阿*·买*"),
        ("", ""),
        ("王", "*"),
        ("SAMPLE MARIA JOSEFINA", "S***A"),
    ],
)
def test_names_are_masked_by_their_kind(name: str, masked: str) -> None:
    """The queue may read the family name, never the whole name."""
    assert mask_name(name) == masked


def test_numbers_keep_both_ends_only() -> None:
    """Four characters in front, four behind."""
    assert mask_number("123456789012345678") == "1234**********5678"
    assert mask_number("12345678") == "********"


@pytest.mark.parametrize("number", ["11010519491231002X", "440524188001010014"])
def test_published_citizen_numbers_check(number: str) -> None:
    """The examples of GB 11643 carry their check digit."""
    assert citizen_number_checks(number)
    assert not citizen_number_checks(number[:-1] + ("1" if number[-1] != "1" else "2"))


@pytest.mark.parametrize("number", ["B00000131", "X00000019"])
def test_recorded_card_numbers_check(number: str) -> None:
    """Card numbers of public traces carry the check character of GB 11714."""
    assert card_number_checks(number)


@pytest.mark.parametrize("number", ["", "b00000131", "B0000013", "B00000132", "B000001311"])
def test_other_card_numbers_do_not_check(number: str) -> None:
    """Wrong length, case or check character only warns: the answer is simply no."""
    assert not card_number_checks(number)
