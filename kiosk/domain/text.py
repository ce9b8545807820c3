"""Texts as values: a message and its arguments, rendered in the language of the moment.

The message id is the English sentence, so that a service can be read; ``kiosk/l10n`` holds the Chinese, which
residents see first. Arguments are typed because each kind is shown, printed and spoken in its own way, and
because names and amounts may only be spoken through the headset.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import TypeAlias

from kiosk.domain.money import Fen


@dataclass(frozen=True)
class Amount:
    """Shown as ``¥ 1,234.50 元``."""

    fen: Fen


@dataclass(frozen=True)
class Day:
    """Shown as 2026年11月21日 / 21 November 2026."""

    day: date


@dataclass(frozen=True)
class Month:
    """``"2026-10"`` shown as 2026年10月 / October 2026."""

    month: str


@dataclass(frozen=True)
class Name:
    """A person's name, perhaps with rare characters; personal."""

    name: str


@dataclass(frozen=True)
class Grouped:
    """A number to copy: shown in groups of four (case codes in groups of ``size``)."""

    digits: str
    size: int = 4


@dataclass(frozen=True)
class Bilingual:
    """Words that are data of this terminal in both languages, e.g. where the counter is."""

    zh: str
    en: str


Value: TypeAlias = "str | int | Amount | Day | Month | Name | Grouped | Bilingual | Text"


@dataclass(frozen=True)
class Text:
    msgid: str
    args: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def personal(self) -> bool:
        """Whether a stranger may not hear it: it carries a name or an amount."""
        return any(
            isinstance(value, Amount | Name) or (isinstance(value, Text) and value.personal)
            for value in self.args.values()
        )

    def __hash__(self) -> int:
        return hash((self.msgid, tuple(sorted(self.args))))


def say(msgid: str, **args: Value) -> Text:
    """A text with its arguments; ``msgid`` must be a literal, so that the catalogs can be checked."""
    return Text(msgid, MappingProxyType(dict(args)))


def verbatim(words: str) -> Text:
    """Words that are data (an agency's own wording, a city's name) and are not translated."""
    return Text("{words}", MappingProxyType({"words": words}))
