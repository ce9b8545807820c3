"""Pages of the house as its own code builds them, with the hardest values: long names, high amounts, every state.

A module here is an area. It has ``pages() -> list[Question]`` and is found by being here. Pages that only a whole visit
builds come from ``tests.screens.lives``. A name that nobody pictures fails ``test_all_pages``.
"""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from kiosk.ports import Question


def pages() -> dict[str, Question]:
    """Every page by area, name and, where one name has several, number: ``house-menu``, ``bill-bill_settled-2``."""
    found: dict[str, Question] = {}
    for area, question in _built():
        name, number = f"{area}-{question.name}", 2
        while name in found:
            name, number = f"{area}-{question.name}-{number}", number + 1
        found[name] = question
    return found


def _built() -> Iterator[tuple[str, Question]]:
    for module in iter_modules(__path__):
        for question in import_module(f"{__name__}.{module.name}").pages():
            yield module.name, question
