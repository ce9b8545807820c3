"""Names and numbers of people: masks and advisory check digits.

A check digit only warns. Test cards, early cards and foreigners' numbers break the rules
(GB 11643 and GB 11714), and their holders are served like everybody else.
"""

_CITIZEN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CITIZEN_CHECKS = "10X98765432"
_CARD_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_CARD_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MIDDLE_DOT = "·"
STARS_MAX = 3  # a name in letters would else be a heading of stars


def mask_name(name: str) -> str:
    """张三 -> 张*, 王小明 -> 王*明, 阿依古丽·买买提 -> 阿*·买*, SAMPLE MARIA -> S***A; an empty name stays empty."""
    if MIDDLE_DOT in name:
        return MIDDLE_DOT.join(part[:1] + "*" if part else "" for part in name.split(MIDDLE_DOT))
    if len(name) <= 1:
        return name and "*"
    if len(name) == 2:
        return name[0] + "*"
    return name[0] + "*" * min(len(name) - 2, STARS_MAX) + name[-1]


def mask_number(number: str) -> str:
    """The first four and last four characters of a personal number stay; the rest are stars."""
    if len(number) <= 8:
        return "*" * len(number)
    return number[:4] + "*" * (len(number) - 8) + number[-4:]


def citizen_number_checks(number: str) -> bool:
    """Whether an 18-character citizen number carries the check digit of GB 11643."""
    if len(number) != 18 or not number[:17].isdigit() or not number[:17].isascii():
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, _CITIZEN_WEIGHTS, strict=False))
    return _CITIZEN_CHECKS[total % 11] == number[17]


def card_number_checks(number: str) -> bool:
    """Whether a 9-character card number carries the check character of GB 11714."""
    if len(number) != 9 or any(char not in _CARD_ALPHABET for char in number[:8]):
        return False
    total = sum(_CARD_ALPHABET.index(char) * weight for char, weight in zip(number, _CARD_WEIGHTS, strict=False))
    check = 11 - total % 11
    return number[8] == {10: "X", 11: "0"}.get(check, str(check))
