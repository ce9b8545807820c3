"""The console's words."""

import ast
import re
from collections.abc import Iterator

import polib

from provisioning.fleet.console.trail_words import ACT
from provisioning.fleet.l10n.catalog import PO
from provisioning.fleet.l10n.collect import FLEET, message_ids

ENTRIES = {entry.msgid: entry.msgstr for entry in polib.pofile(str(PO))}
ARGUMENTS = re.compile(r"\{(\w+)\}")


def test_everything_that_is_said_has_its_chinese() -> None:
    """Pages, words of tables and refusals of every part; ``python -m provisioning.fleet.l10n.collect`` appends them."""
    said = [msgid for msgid in message_ids() if not re.search(r"[\u4e00-\u9fff]", msgid)]
    assert [msgid for msgid in said if not ENTRIES.get(msgid)] == []


def test_both_languages_fill_in_the_same() -> None:
    """No argument is lost or made up on the way into Chinese."""
    for msgid, msgstr in ENTRIES.items():
        assert sorted(ARGUMENTS.findall(msgid)) == sorted(ARGUMENTS.findall(msgstr)), msgid


def recorded() -> Iterator[str]:
    """Acts that some part puts on the audit trail by name."""
    for path in FLEET.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "audit.record":
                act = node.args[2]
                if isinstance(act, ast.Constant):
                    yield str(act.value)


def test_every_act_on_the_trail_has_words() -> None:
    """Whoever reads the trail reads no code; a new act gets its words in ``console/trail_words.py``."""
    assert sorted(set(recorded()) - ACT.keys()) == []
