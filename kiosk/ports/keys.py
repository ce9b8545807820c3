"""Keys of the PIN pad outside PIN entry. Inside PIN entry only a count of digits ever leaves the pad."""

from enum import Enum


class PadKey(Enum):
    DIGIT_0 = "0"
    DIGIT_1 = "1"
    DIGIT_2 = "2"
    DIGIT_3 = "3"
    DIGIT_4 = "4"
    DIGIT_5 = "5"
    DIGIT_6 = "6"
    DIGIT_7 = "7"
    DIGIT_8 = "8"
    DIGIT_9 = "9"
    POINT = "."
    DOUBLE_ZERO = "00"
    ENTER = "enter"  # green: the main answer
    CLEAR = "clear"  # yellow: previous page, or correct a digit
    CANCEL = "cancel"  # red: back, or stop
    HELP = "f1"
    LARGE = "f2"
    SPEAK = "f3"
    CONTRAST = "f4"
    LANGUAGE = "f5"
    HIDE = "f6"  # hide or show amounts
    PREVIOUS = "f7"  # previous page
    NEXT = "f8"  # next page

    @property
    def digit(self) -> int | None:
        return int(self.value) if len(self.value) == 1 and self.value.isdigit() else None
