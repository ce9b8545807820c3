"""From texts as values to words in a language. English message ids are the source; ``zh_CN.po`` is the Chinese."""

from kiosk.l10n.paper import on_paper
from kiosk.l10n.words import HIDDEN, MissingTranslation, aloud, read_aloud, render, shown, spoken_pieces

__all__ = ["HIDDEN", "MissingTranslation", "aloud", "on_paper", "read_aloud", "render", "shown", "spoken_pieces"]
