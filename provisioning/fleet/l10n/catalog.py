"""The console's Chinese catalog: compiled by ``python -m provisioning.fleet.l10n.build``, read by gettext."""

import gettext
import importlib
import io
from functools import lru_cache
from pathlib import Path

LANGUAGES = ("zh", "en")
PO = Path(__file__).with_name("zh_CN.po")
MO = Path(__file__).with_name("zh_CN.mo")


class MissingTranslation(Exception):
    """A message id has no Chinese. A test finds it before anybody at the console does."""


class _Missing(gettext.NullTranslations):
    def gettext(self, message: str) -> str:
        raise MissingTranslation(message)


def say(language: str, msgid: str, **values: object) -> str:
    """``msgid`` in "zh" or "en", with ``{names}`` filled in.

    Raises:
        MissingTranslation: no Chinese for it.
    """
    words = msgid if language == "en" else _chinese().gettext(msgid)
    return words.format(**values) if values else words


def say_if_known(language: str, words: str) -> str:
    """Words that came from another part: in Chinese where the catalog has them, else as they are."""
    try:
        return say(language, words)
    except MissingTranslation:
        return words


def msg(msgid: str) -> str:
    """Marks a message id that is said later, so that ``collect`` finds it."""
    return msgid


@lru_cache(maxsize=1)
def _chinese() -> gettext.GNUTranslations:
    catalog = _read()
    catalog.add_fallback(_Missing())
    return catalog


def _read() -> gettext.GNUTranslations:
    """The compiled file, or the source compiled in memory where that one is newer."""
    if MO.exists() and (not PO.exists() or MO.stat().st_mtime_ns >= PO.stat().st_mtime_ns):
        with MO.open("rb") as file:
            return gettext.GNUTranslations(file)
    return gettext.GNUTranslations(io.BytesIO(compile_po()))


def compile_po() -> bytes:
    """polib is there at build time and in development only."""
    polib = importlib.import_module("polib")
    binary: bytes = polib.pofile(str(PO)).to_binary()
    return binary
