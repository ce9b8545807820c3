"""What a target does. Answers are ``answer:<value>``; the rest are the words below."""

HELP = "help"
LARGE = "large"
SPEAK = "speak"
CONTRAST = "contrast"
LANGUAGE = "language"
HIDE = "hide"
PREVIOUS = "previous"
NEXT = "next"
REPEAT = "repeat"  # say it again; a key, no target
STAY = "stay"  # the one button of the idle warning
_ANSWER = "answer:"


def of_answer(value: str) -> str:
    return _ANSWER + value


def answered(act: str) -> str | None:
    """The value of the answer that ``act`` stands for; None for the other acts."""
    return act.removeprefix(_ANSWER) if act.startswith(_ANSWER) else None
