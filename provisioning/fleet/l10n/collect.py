"""``python -m provisioning.fleet.l10n.collect``: append message ids without an entry to ``zh_CN.po``.

Collected are ``say("...")`` of templates and code, ``msg("...")``, and the words of every ``Refused``: whatever part
refuses, the console tells it in the reader's language.
"""

import ast
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, nodes

from provisioning.fleet.l10n.catalog import PO

FLEET = Path(__file__).parents[1]
# Function or method -> which argument is the message.
MARKS = {"msg": 0, "say": 0, "Refused": 1}


def message_ids() -> dict[str, str]:
    """Every message id with the file that says it first.

    Raises:
        ValueError: a ``say`` or ``msg`` whose message is no literal; such words could not be checked.
    """
    found: dict[str, str] = {}
    for path in sorted(FLEET.rglob("*.py")):
        for msgid in _marked(path):
            found.setdefault(msgid, path.relative_to(FLEET).as_posix())
    for path in sorted(FLEET.rglob("*.html")):
        for msgid in _said(path):
            found.setdefault(msgid, path.relative_to(FLEET).as_posix())
    return found


def _marked(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", None) or getattr(node.func, "attr", "")
        if name not in MARKS or len(node.args) <= MARKS[name]:
            continue
        message = node.args[MARKS[name]]
        if isinstance(message, ast.Constant) and isinstance(message.value, str):
            yield message.value
        elif name == "msg":
            raise ValueError(f"{path}:{node.lineno}: msg() wants a literal message")


def _said(path: Path) -> Iterator[str]:
    for call in Environment(autoescape=True).parse(path.read_text("utf-8")).find_all(nodes.Call):
        if not (isinstance(call.node, nodes.Name) and call.node.name == "say"):
            continue
        first = call.args[0] if call.args else None
        if not (isinstance(first, nodes.Const) and isinstance(first.value, str)):
            raise ValueError(f"{path}:{call.lineno}: say() wants a literal message")
        yield first.value


def collect() -> int:
    """Append the missing entries; how many there were."""
    polib = importlib.import_module("polib")
    known = {entry.msgid for entry in polib.pofile(str(PO), wrapwidth=0)}
    missing = [msgid for msgid in message_ids() if msgid not in known and not _is_chinese(msgid)]
    with PO.open("a", encoding="utf-8") as file:
        for msgid in missing:
            file.write(f'\nmsgid "{polib.escape(msgid)}"\nmsgstr ""\n')
    return len(missing)


def _is_chinese(msgid: str) -> bool:
    """What is told to residents' machines in both languages at once wants no entry."""
    return any("\u4e00" <= letter <= "\u9fff" for letter in msgid)


if __name__ == "__main__":
    sys.stdout.write(f"{collect()} message ids appended to {PO.name}\n")
