"""What a target does. Answers are ``answer:<value>``; the rest are the words below."""

from kiosk.ports import Question, Role

HELP = "help"
LARGE = "large"
SPEAK = "speak"
CONTRAST = "contrast"
LANGUAGE = "language"
HIDE = "hide"
DARK = "dark"  # everything hidden, for who listens by headset
PREVIOUS = "previous"
NEXT = "next"
REPEAT = "repeat"  # say it again; a key, no target
STAY = "stay"  # the one button of the idle warning
CLEAR_DIGIT = "digit:clear"  # take the last digit back
_ANSWER = "answer:"
_DIGIT = "digit:"


def of_answer(value: str) -> str:
    return _ANSWER + value


def answered(act: str) -> str | None:
    """The value of the answer that ``act`` stands for; None for the other acts."""
    return act.removeprefix(_ANSWER) if act.startswith(_ANSWER) else None


def of_digit(digit: int) -> str:
    return f"{_DIGIT}{digit}"


def digit(act: str) -> str | None:
    """The digit that ``act`` types into a number; None for the other acts."""
    return act.removeprefix(_DIGIT) if act.startswith(_DIGIT) and act != CLEAR_DIGIT else None


def of_role(question: Question, role: Role) -> str:
    """The act of the first answer in this role, or ""."""
    return next((of_answer(answer.value) for answer in question.answers if answer.role is role), "")
