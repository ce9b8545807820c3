"""House rules about Python code. Each takes one file and yields what is wrong with it, with its line."""

import ast
import re
from collections.abc import Iterator

from tests.tidy.sources import Source

LINES_OF_A_FILE_MAX = 400
LINES_OF_A_FUNCTION_MAX = 70
Function = ast.FunctionDef | ast.AsyncFunctionDef
# Names of calls that open one commit of the journal.
COMMITS = {"atomic", "transaction", "one_commit", "commit"}
VAGUE_NAME = re.compile(r"(Manager|Handler|Util|Utils|Helper|Helpers|Transaction)$")
VAGUE_FILE = re.compile(r"(^|[_/])(manager|handler|handlers|utils?|helpers?|transactions?|misc|common)\.py$")


def functions(source: Source) -> Iterator[Function]:
    return (node for node in ast.walk(source.tree()) if isinstance(node, Function))


def long_file(source: Source) -> Iterator[str]:
    count = len(source.text.splitlines())
    if count > LINES_OF_A_FILE_MAX:
        yield f"{count} lines, at most {LINES_OF_A_FILE_MAX}"


def long_function(source: Source) -> Iterator[str]:
    for function in functions(source):
        count = (function.end_lineno or function.lineno) - function.lineno + 1
        if count > LINES_OF_A_FUNCTION_MAX:
            yield f"{function.lineno}: {function.name} has {count} lines, at most {LINES_OF_A_FUNCTION_MAX}"


def swallowed_exception(source: Source) -> Iterator[str]:
    """`except Exception`, `except BaseException` or a bare `except` whose body does not raise."""
    for node in ast.walk(source.tree()):
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = (
            {"BaseException"}
            if node.type is None
            else {part.id for part in ast.walk(node.type) if isinstance(part, ast.Name)}
        )
        raises = any(isinstance(part, ast.Raise) for statement in node.body for part in ast.walk(statement))
        if caught & {"Exception", "BaseException"} and not raises:
            yield f"{node.lineno}: catches everything and does not raise again"


def await_inside_commit(source: Source) -> Iterator[str]:
    """Between BEGIN and COMMIT nothing may be cancelled or come between."""
    for node in ast.walk(source.tree()):
        if isinstance(node, ast.With) and any(opens_commit(item.context_expr) for item in node.items):
            inside = [part for statement in node.body for part in ast.walk(statement)]
            if any(isinstance(part, ast.Await | ast.AsyncFor | ast.AsyncWith | ast.Yield) for part in inside):
                yield f"{node.lineno}: waits inside a commit of the journal"


def opens_commit(expression: ast.expr) -> bool:
    call = expression.func if isinstance(expression, ast.Call) else expression
    return isinstance(call, ast.Attribute) and call.attr in COMMITS


def async_journal(source: Source) -> Iterator[str]:
    """Journal calls are plain functions, in the port and in what implements it."""
    for node in ast.walk(source.tree()):
        if isinstance(node, ast.ClassDef) and node.name.endswith(("Journal", "UnsentMoney")):
            for function in node.body:
                if isinstance(function, ast.AsyncFunctionDef):
                    yield f"{function.lineno}: {node.name}.{function.name} is async"


def opens_nursery(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree()):
        if isinstance(node, ast.Attribute | ast.Name):
            name = node.attr if isinstance(node, ast.Attribute) else node.id
            if name in {"open_nursery", "start_soon", "spawn_system_task"}:
                yield f"{node.lineno}: {name}; races go through kiosk.basics.race, long-lived tasks belong to the roots"


def other_event_loop(source: Source) -> Iterator[str]:
    """Trio on terminals. The fleet's server is Starlette's on uvicorn, and speaks to its loop by anyio alone."""
    others = {"asyncio", "anyio", "curio"} - ({"anyio"} if source.path.startswith("provisioning/fleet/") else set())
    for node in ast.walk(source.tree()):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = getattr(node, "module", None)
            names = [module] if module else [alias.name for alias in node.names]
            for name in names:
                if name.partition(".")[0] in others:
                    yield f"{node.lineno}: imports {name}; the event loop is trio"


def vague_name(source: Source) -> Iterator[str]:
    """Words that name nothing in this house (CONTRIBUTING.md)."""
    if VAGUE_FILE.search(source.path):
        yield "the file's name says nothing about the domain"
    for node in ast.walk(source.tree()):
        if isinstance(node, ast.ClassDef) and VAGUE_NAME.search(node.name):
            yield f"{node.lineno}: class {node.name}"


def run_by_path(source: Source) -> Iterator[str]:
    """Everything on the terminal is `python -m kiosk ...`."""
    if source.text.startswith("#!"):
        yield "has a #! line"
    for number, line in enumerate(source.text.splitlines(), 1):
        if "sys.path" in line:
            yield f"{number}: changes sys.path"


def mocked_house(source: Source) -> Iterator[str]:
    """Tests change the world, not the code."""
    for node in ast.walk(source.tree()):
        if isinstance(node, ast.ImportFrom | ast.Import) and "mock" in ast.unparse(node):
            yield f"{node.lineno}: {ast.unparse(node)}"
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"monkeypatch.setattr", "monkeypatch.setitem"}:
            yield f"{node.lineno}: {ast.unparse(node)}"


def sleeping_test(source: Source) -> Iterator[str]:
    """Sleeping between two looks at the world is polling and allowed; sleeping once is hoping."""
    tree = source.tree()
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.While | ast.For)]
    polls = {id(part) for loop in loops for part in ast.walk(loop)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "time.sleep" and id(node) not in polls:
            yield f"{node.lineno}: sleeps; wait for what must become true, with a limit"


def test_without_sentence(source: Source) -> Iterator[str]:
    for function in functions(source):
        if function.name.startswith("test") and not (ast.get_docstring(function) or "").rstrip().endswith((".", "。")):
            yield f"{function.lineno}: {function.name} has no sentence that says what is true"


def test_without_assertion(source: Source) -> Iterator[str]:
    """An `assert`, a `raises`, or a call of something named as a judge: assert_..., expect_..., check_..., judge_..."""
    judge = re.compile(r"(^|\.)_?(assert|expect|check|judge|must|raises|fail)")
    for function in functions(source):
        if not function.name.startswith("test"):
            continue
        calls = (ast.unparse(part.func) for part in ast.walk(function) if isinstance(part, ast.Call))
        asserts = any(isinstance(part, ast.Assert) for part in ast.walk(function))
        if not asserts and not any(judge.search(call) for call in calls):
            yield f"{function.lineno}: {function.name} asserts nothing"


def clear_key(source: Source) -> Iterator[str]:
    """No clear-key frame (KMY command 32) and no unwrapping of keys in terminal code: docs/pins-and-keys.md 8."""
    words = re.compile(
        r"(?i)unwrap_?key|key_?unwrap|load_?clear|clear_?(master_?|working_?)?key\b|decrypt_pin|pin_from_block"
    )
    for number, line in enumerate(source.text.splitlines(), 1):
        code = line.partition("#")[0]
        if source.path.startswith("drivers/pin_pad/") and re.search(r"\b0x32\b|\\x32", code):
            yield f"{number}: command 32 loads a key in clear"
    for node in ast.walk(source.tree()):
        name = getattr(node, "name", None) or getattr(node, "attr", None) or getattr(node, "id", None)
        if isinstance(name, str) and words.search(name):
            yield f"{getattr(node, 'lineno', 0)}: {name}"
