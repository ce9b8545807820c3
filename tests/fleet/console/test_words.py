"""The console's words."""

import re

import polib

from provisioning.fleet.l10n.catalog import PO
from provisioning.fleet.l10n.collect import message_ids

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
