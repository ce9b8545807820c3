"""``python -m kiosk.l10n.collect``: append message ids without an entry to ``zh_CN.po``, with an empty Chinese."""

import ast
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from kiosk.l10n.catalog import PO

ROOT = Path(__file__).parents[2]
FOLDERS = ("kiosk", "screens")


def message_ids(root: Path = ROOT) -> dict[str, str]:
    """Every literal of ``say("...")`` in the product, with the file that says it first.

    Raises:
        ValueError: a ``say`` whose message is no literal; such a text could not be checked.
    """
    found: dict[str, str] = {}
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            for msgid in _said(path):
                found.setdefault(msgid, str(path.relative_to(root)))
    return found


def _said(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say"):
            continue
        first = node.args[0] if node.args else None
        if not (isinstance(first, ast.Constant) and isinstance(first.value, str)):
            raise ValueError(f"{path}:{node.lineno}: say() wants a literal message")
        yield first.value


def collect() -> int:
    """Append the missing entries; how many there were."""
    polib = importlib.import_module("polib")
    catalog = polib.pofile(str(PO), wrapwidth=0)
    known = {entry.msgid for entry in catalog}
    missing = [msgid for msgid in message_ids() if msgid not in known and _has_words(msgid)]
    with PO.open("a", encoding="utf-8") as file:
        for msgid in missing:
            file.write(f'\nmsgid "{polib.escape(msgid)}"\nmsgstr ""\n')
    return len(missing)


def _has_words(msgid: str) -> bool:
    """An argument alone is the same in every language."""
    return any(letter.isalpha() for letter in re.sub(r"\{[^}]*\}", "", msgid))


if __name__ == "__main__":
    sys.stdout.write(f"{collect()} message ids appended to {PO.name}\n")
