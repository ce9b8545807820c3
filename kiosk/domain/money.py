"""Money is an ``int`` number of fen; there is no float anywhere near it."""

from decimal import Decimal
from typing import NewType

Fen = NewType("Fen", int)
NOTHING = Fen(0)

FEN_MAX = 10**18  # ten thousand trillion yuan: beyond it somebody is playing

_DIGITS = "零一二三四五六七八九"
_PLACES = ("", "十", "百", "千")
_GROUPS = ("", "万", "亿", "万亿")


def fen_from_yuan(text: str) -> Fen:
    """Read a decimal yuan amount such as ``"1234.5"``.

    Raises:
        ValueError: not a finite decimal number, or finer than one fen.
    """
    try:
        fen = Decimal(text) * 100
    except ArithmeticError:  # InvalidOperation, and Overflow of 1E999999
        raise ValueError("amount is not a decimal number") from None
    if not fen.is_finite() or abs(fen) >= FEN_MAX or fen != fen.to_integral_value():
        raise ValueError("amount is not a whole number of fen")
    return Fen(int(fen))


def yuan(fen: Fen) -> str:
    """``123450`` fen as ``"1,234.50"``; a minus sign stands in front of a negative amount."""
    sign = "-" if fen < 0 else ""
    whole, rest = divmod(abs(fen), 100)
    return f"{sign}{whole:,}.{rest:02d}"


def yuan_in_words(fen: Fen) -> str:
    """``123450`` fen as 一千二百三十四元五角, the way an amount is read aloud.

    Raises:
        ValueError: a negative amount, or one of 10^16 yuan and more.
    """
    if fen < 0 or fen >= FEN_MAX:
        raise ValueError("amount cannot be read aloud")
    whole, rest = divmod(fen, 100)
    jiao, cent = divmod(rest, 10)
    words = _whole_in_words(whole) + "元"
    if jiao:
        words += _DIGITS[jiao] + "角"
    if cent:
        words += ("零" if not jiao else "") + _DIGITS[cent] + "分"
    return words


def number_in_words(number: int) -> str:
    """``11`` as 十一: counts, days and months as they are read aloud. ``number`` is nought or more."""
    return _whole_in_words(number)


def digits_in_words(digits: str) -> str:
    """``2026`` as 二零二六: years, which are read figure by figure."""
    return "".join(_DIGITS[int(digit)] for digit in digits)


def _whole_in_words(number: int) -> str:
    if number == 0:
        return _DIGITS[0]
    groups: list[int] = []
    while number:
        number, group = divmod(number, 10_000)
        groups.append(group)
    words = ""
    gap = False
    for index in range(len(groups) - 1, -1, -1):
        group = groups[index]
        if not group:
            gap = bool(words)
            continue
        if words and (gap or group < 1000):
            words += _DIGITS[0]
        words += _group_in_words(group) + _GROUPS[index]
        gap = False
    return words[1:] if words.startswith("一十") else words


def _group_in_words(group: int) -> str:
    words = ""
    zero = False
    for place in range(3, -1, -1):
        digit = group // 10**place % 10
        if digit:
            words += ("零" if zero and words else "") + _DIGITS[digit] + _PLACES[place]
            zero = False
        else:
            zero = True
    return words
