"""The log: one JSON line an event, and only fields that can name nobody."""

import ast
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.basics.log import ALLOWED_FIELDS, JsonLog

HOUSE = Path(__file__).parents[2]
FOLDERS = ("kiosk", "drivers", "screens", "offline_queue", "provisioning")
# Words that would be a field for a person, a place where one lives, or what one typed.
NEVER = {
    "name",
    "holder",
    "number",
    "card_number",
    "social_security_number",
    "address",
    "pin",
    "digits",
    "value",
    "amount",
}


def fields_said(folder: Path) -> Iterator[tuple[str, str]]:
    """(place, field) of every call of a log in the product."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and name_of(node.func) in ("log", "_log"):
                yield from ((f"{path.name}:{node.lineno}", keyword.arg or "**") for keyword in node.keywords)


def name_of(called: ast.expr) -> str:
    """``log`` of ``log(...)`` and of ``self.log(...)``; "" of anything else."""
    return str(getattr(called, "attr", getattr(called, "id", "")))


def test_every_field_that_is_logged_is_on_the_list() -> None:
    """A field that is not on the list ends the kiosk where it is logged, which is mostly where something fails."""
    said = [found for folder in FOLDERS for found in fields_said(HOUSE / folder)]
    assert len(said) > 30
    assert [(place, field) for place, field in said if field not in ALLOWED_FIELDS] == []


def test_no_field_is_for_a_person() -> None:
    """Names, numbers, addresses, amounts and digits have no field to slip in by."""
    assert not NEVER & ALLOWED_FIELDS


def test_a_line_is_json_and_an_unknown_field_an_error() -> None:
    """What is written can be read by a machine; a field that nobody allowed is refused."""
    out = io.StringIO()
    log = JsonLog(out)
    log("slot", slot="pin_pad", condition="ready")
    line = json.loads(out.getvalue())
    assert (line["event"], line["slot"]) == ("slot", "pin_pad")
    with pytest.raises(ValueError, match="holder"):
        log("slot", holder="王小明")
