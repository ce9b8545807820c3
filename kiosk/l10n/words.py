"""Rendering a ``Text``: as it is shown, and as it is read aloud."""

import re
from datetime import date
from string import Formatter

from kiosk.domain.money import Fen, digits_in_words, number_in_words, yuan, yuan_in_words
from kiosk.domain.text import Amount, Bilingual, Day, Grouped, Month, Name, Text, Value
from kiosk.l10n.catalog import MissingTranslation, chinese

__all__ = ["HIDDEN", "MissingTranslation", "aloud", "read_aloud", "render", "shown", "spoken_pieces", "template"]

HIDDEN = "••••"
_LIST = re.compile(r"\d{1,3}( \d{1,3})+")  # numbers beside each other: notes of 1 5 10


def render(text: Text, language: str, hide_amounts: bool = False) -> str:
    """The words of ``text`` in ``"zh"`` or ``"en"``; with ``hide_amounts`` dots stand for every amount.

    Raises:
        MissingTranslation: no Chinese for the message id.
        KeyError: the message names an argument that the text does not carry.
    """
    return template(text.msgid, language).format(
        **{name: shown(value, language, hide_amounts) for name, value in text.args.items()}
    )


def template(msgid: str, language: str) -> str:
    """The message with its ``{arguments}`` still open.

    Raises:
        MissingTranslation: no Chinese for the message id.
    """
    if language == "en" or not any(char.isalpha() for char in _outside_braces(msgid)):
        return msgid
    return chinese().gettext(msgid)


def shown(value: Value, language: str, hide_amounts: bool = False) -> str:
    """One argument as it is shown."""
    match value:
        case Text():
            return render(value, language, hide_amounts)
        case Amount(fen):
            amount = HIDDEN if hide_amounts else yuan(fen)
            return f"¥ {amount} 元" if language == "zh" else f"¥{amount}"
        case Day(day):
            return _day(day, language)
        case Month(month):
            return _month(month, language)
        case Name(name):
            return name
        case Bilingual(zh, en):
            return en if language == "en" else zh
        case Grouped(digits, size):
            return " ".join(digits[at : at + size] for at in range(0, len(digits), size))
        case _:
            return str(value)


def aloud(value: Value, language: str) -> str:
    """One argument as it is read aloud: amounts in words, numbers to copy digit by digit."""
    match value:
        case Amount(fen):
            if language == "en":
                whole, rest = divmod(abs(fen), 100)
                return ("minus " if fen < 0 else "") + f"{whole} yuan" + (f" {rest} fen" if rest else "")
            return ("负" if fen < 0 else "") + yuan_in_words(Fen(abs(fen)))
        case Grouped(digits, size):
            groups = [digits[at : at + size] for at in range(0, len(digits), size)]
            return (", " if language == "en" else "，").join(" ".join(group) for group in groups)
        case Text():
            return read_aloud(value, language)
        case _ if language == "zh":
            return _chinese_aloud(value)
        case _:
            return shown(value, language)


def _chinese_aloud(value: Value) -> str:
    """A voice pack reads single characters: 11 would be one-one. One figure alone stays as it is: the name of a key."""
    match value:
        case Day(day):
            return f"{digits_in_words(str(day.year))}年{number_in_words(day.month)}月{number_in_words(day.day)}日"
        case Month(month):
            year, number = month.split("-")
            return f"{digits_in_words(year)}年{number_in_words(int(number))}月"
        case int() if value > 9:
            return number_in_words(value)
        case str() if _LIST.fullmatch(value):
            return "、".join(number_in_words(int(number)) for number in value.split())
        case _:
            return shown(value, "zh")


def read_aloud(text: Text, language: str) -> str:
    """The words to speak. Raises as ``render``."""
    return "".join(spoken_pieces(text, language))


def spoken_pieces(text: Text, language: str) -> tuple[str, ...]:
    """The words to speak, cut where an argument stands, so that a voice pack holds the fixed parts."""
    pieces: list[str] = []
    for fixed, name, _, _ in Formatter().parse(template(text.msgid, language)):
        pieces.append(fixed)
        if name is not None:
            value = text.args[name]
            pieces += spoken_pieces(value, language) if isinstance(value, Text) else [aloud(value, language)]
    return tuple(piece for piece in pieces if piece)


def _outside_braces(msgid: str) -> str:
    return "".join(part.split("}")[-1] for part in msgid.split("{"))


def _day(day: date, language: str) -> str:
    if language == "zh":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {day:%B} {day.year}"


def _month(month: str, language: str) -> str:
    year, number = month.split("-")
    if language == "zh":
        return f"{year}年{int(number)}月"
    return f"{date(int(year), int(number), 1):%B} {year}"
