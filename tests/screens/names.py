"""Every name that the code can give a question, read from the source: a page that is never pictured is never looked at.

A name is a pattern, because some end in what happened: ``card_state_{state.value}`` is ``card_state_.+``.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ANYTHING = ".+"
DEPTH_MAX = 4  # functions between the literal and ``Question(...)``

Function = ast.FunctionDef | ast.AsyncFunctionDef


class NameNotFound(Exception):
    """The first argument of a ``Question(...)`` cannot be followed to its words."""


@dataclass(frozen=True)
class Site:
    """A call, and the function that it stands in."""

    where: str
    call: ast.Call
    inside: Function | None


def built_names(folder: Path = ROOT / "kiosk") -> dict[str, str]:
    """Pattern of each name, with the place that builds it.

    Raises:
        NameNotFound: a name that no literal explains.
    """
    calls = list(_calls(folder))
    found: dict[str, str] = {}
    for site in calls:
        if _called(site.call) == "Question":
            for pattern in _resolved(_argument(site.call, 0, "name"), site, calls, DEPTH_MAX):
                found.setdefault(pattern, site.where)
    return found


def _calls(folder: Path) -> Iterator[Site]:
    for path in sorted(folder.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        where = str(path.relative_to(folder.parent))
        inside: dict[ast.AST, Function] = {}
        for function in ast.walk(tree):  # outer functions come first, so inner ones have the last word
            if isinstance(function, Function):
                inside |= dict.fromkeys(ast.walk(function), function)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield Site(f"{where}:{node.lineno}", node, inside.get(node))


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _argument(call: ast.Call, index: int, name: str) -> ast.expr | None:
    named = [keyword.value for keyword in call.keywords if keyword.arg == name]
    return named[0] if named else call.args[index] if index < len(call.args) else None


def _resolved(value: ast.expr | None, site: Site, calls: list[Site], depth: int) -> list[str]:
    match value:
        case ast.Constant(value=str(words)):
            return [re.escape(words)]
        case ast.IfExp(body=one, orelse=other):
            return [*_resolved(one, site, calls, depth), *_resolved(other, site, calls, depth)]
        case ast.JoinedStr(values=parts):
            return _joined(parts, site, calls, depth)
        case ast.Name(id=name) if site.inside and depth:
            return _of_variable(name, site, calls, depth)
    raise NameNotFound(f"{site.where}: {ast.unparse(value) if value else 'no name'}")


def _joined(parts: list[ast.expr], site: Site, calls: list[Site], depth: int) -> list[str]:
    patterns = [""]
    for part in parts:
        inner = part.value if isinstance(part, ast.FormattedValue) else part
        try:
            endings = _resolved(inner, site, calls, depth)
        except NameNotFound:
            endings = [ANYTHING]
        patterns = [start + ending for start in patterns for ending in endings]
    return patterns


def _of_variable(name: str, site: Site, calls: list[Site], depth: int) -> list[str]:
    """A parameter is what callers give; else what was assigned in the function."""
    function = site.inside
    assert function is not None
    parameters = [one.arg for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    if name not in parameters:
        raise NameNotFound(f"{site.where}: {name} is no parameter of {function.name}")
    index, found = parameters.index(name), []
    for caller in calls:
        here = caller.where.split(":")[0] == site.where.split(":")[0]
        if _called(caller.call) == function.name and (here or not function.name.startswith("_")):
            found += _resolved(_argument(caller.call, index, name), caller, calls, depth - 1)
    if not found:
        raise NameNotFound(f"{site.where}: nobody calls {function.name}")
    return found
