"""The Chinese catalog: compiled by ``python -m kiosk.l10n.build``, read by the standard library's gettext."""

import gettext
import importlib
import io
from functools import lru_cache
from pathlib import Path

PO = Path(__file__).with_name("zh_CN.po")
MO = Path(__file__).with_name("zh_CN.mo")


class MissingTranslation(Exception):
    """A message id has no Chinese. A test finds it before a resident does."""


class _Missing(gettext.NullTranslations):
    """Behind the catalog, where gettext would quietly answer the English."""

    def gettext(self, message: str) -> str:
        raise MissingTranslation(message)


@lru_cache(maxsize=1)
def chinese() -> gettext.GNUTranslations:
    """The catalog in force: the compiled file, or the source compiled in memory where that one is newer."""
    catalog = _read()
    catalog.add_fallback(_Missing())
    return catalog


def _read() -> gettext.GNUTranslations:
    if MO.exists() and (not PO.exists() or MO.stat().st_mtime_ns >= PO.stat().st_mtime_ns):
        with MO.open("rb") as file:
            return gettext.GNUTranslations(file)
    return gettext.GNUTranslations(io.BytesIO(compile_po()))


def compile_po() -> bytes:
    """``zh_CN.po`` in the binary form of gettext. polib is there at build time and in development only."""
    polib = importlib.import_module("polib")
    binary: bytes = polib.pofile(str(PO)).to_binary()
    return binary
