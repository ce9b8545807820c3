"""House rules about folders and documents: contracts, READMEs, commands and files that are named and must exist."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.tidy.sources import HOUSE, Source

MAKE = re.compile(r"(?:^\s*(?:\$ )?|`)make ([a-z][a-z-]*)", re.MULTILINE)
MODULE = re.compile(r"python3? -m ([a-z_][\w.]*)((?: [a-z][a-z-]*)?)")
DOCUMENT = re.compile(r"(?<![\w/.-])((?:[\w.-]+/)*[\w-]+\.md)\b")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)\s#]+)(?:#[^)]*)?\)")
README_PARTS = ("what it is", "what it is not", "add")


def folders_without_contract(folders: set[str], pyproject: str) -> list[str]:
    """Top-level packages that import-linter does not know."""
    known = tomllib.loads(pyproject)["tool"]["importlinter"]["root_packages"]
    return sorted(folders - set(known))


def readme_lacks(text: str) -> list[str]:
    """Headings that every top-level README has: what it is, what it is not, how to add one."""
    headings = [line.lstrip("# ").lower() for line in text.splitlines() if line.startswith("#")]
    lacking = [part for part in README_PARTS[:2] if part not in headings]
    return lacking + (
        [] if any("add" in heading.split() or "adding" in heading for heading in headings) else ["adding one"]
    )


def make_targets(makefile: str) -> set[str]:
    return set(re.findall(r"^([a-z][\w-]*):", makefile, re.MULTILINE))


def missing_commands(source: Source, makefile: str, house: Path = HOUSE) -> Iterator[str]:
    """`make X` without such a target, `python -m X` without such a module, `python -m X word` without such a word."""
    for target in MAKE.findall(source.text):
        if target not in make_targets(makefile):
            yield f"make {target}: no such target"
    for module, word in MODULE.findall(source.text):
        entry = entry_of(module, house)
        if entry is None and module.partition(".")[0] in top_packages(house):
            yield f"python -m {module}: no such module"
        elif entry is not None and word.strip() and word.strip() not in words_of(entry):
            yield f"python -m {module}{word}: no such command"


def top_packages(house: Path) -> set[str]:
    return {path.parent.name for path in house.glob("*/__init__.py")}


def entry_of(module: str, house: Path) -> Path | None:
    base = house / module.replace(".", "/")
    return next((path for path in (base / "__main__.py", base.with_suffix(".py")) if path.is_file()), None)


def words_of(entry: Path, house: Path = HOUSE) -> set[str]:
    """Every string literal of the command's own file and of the files beside it: its subcommands are among them.

    An entry that only calls a composition root elsewhere is judged by that root.
    """
    found: set[str] = set()
    body = ast.parse(entry.read_text(encoding="utf-8")).body
    only_calls = not any(isinstance(node, ast.FunctionDef) for node in body)
    imported = [
        house / f"{node.module.replace('.', '/')}.py"
        for node in body
        if only_calls and isinstance(node, ast.ImportFrom) and node.module
    ]
    for path in (entry, *entry.parent.glob("*.py"), *filter(Path.is_file, imported)):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        found |= {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return found


def missing_documents(source: Source, house: Path = HOUSE) -> Iterator[str]:
    """A document that is named can be opened: from the house, from the file's own folder, or by name in docs/."""
    here = (house / source.path).parent
    for name in DOCUMENT.findall(source.text):
        if "NNNN" not in name and not any(
            (place / name).is_file() for place in (house, here, house / "docs", here.parent)
        ):
            yield f"{name}: no such document"


def dead_links(source: Source, house: Path = HOUSE) -> Iterator[str]:
    """Links and pictures with a relative target that does not exist."""
    for target in LINK.findall(source.text):
        if not (house / source.path).parent.joinpath(target).exists():
            yield f"{target}: leads nowhere"


def packages_without_reason(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [line.split()[0] for line in lines if not line.partition("#")[2].strip()]
