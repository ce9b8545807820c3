"""TOML of a settings tree. The standard library only reads it."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def as_toml(tree: Mapping[str, Any], path: tuple[str, ...] = ()) -> str:
    """Tables of tables whose leaves are strings, numbers, truths and lists of these.

    Strings are written as JSON writes them, which TOML reads as basic strings (TOML 1.0, "String") but for DEL.

    Raises:
        ValueError: a number that TOML has no word for.
    """
    leaves = [f"{_key(name)} = {_value(value)}" for name, value in tree.items() if not isinstance(value, Mapping)]
    head = [f"[{'.'.join(map(_key, path))}]"] if path and (leaves or not tree) else []
    tables = [as_toml(value, (*path, name)) for name, value in tree.items() if isinstance(value, Mapping)]
    return "\n".join(part for part in [*head, *leaves, *tables] if part) + ("\n" if not path else "")


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _value(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return repr(value)
    raise ValueError("TOML has no word for this value")


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
