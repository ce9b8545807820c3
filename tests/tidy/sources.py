"""The files that the house rules are about: what git tracks or would track, read once."""

import ast
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HOUSE = Path(__file__).resolve().parent.parent.parent
PRODUCT = ("kiosk", "drivers", "screens", "offline_queue", "provisioning")
CODE = (*PRODUCT, "simulators")
# Text that people wrote; fonts, pictures and recorded vectors are judged elsewhere.
TEXT_SUFFIXES = (".py", ".md", ".toml", ".txt", ".lock", ".sh", ".html", ".js", ".css", ".kv", ".c", ".h", ".yaml",
                 ".yml", ".json", ".po", ".service", ".socket", ".target", ".rules", ".conf", "")  # fmt: skip


@dataclass(frozen=True)
class Source:
    """One file; `path` is relative to the house with forward slashes, so that rules can name folders."""

    path: str
    text: str

    @property
    def top(self) -> str:
        return self.path.partition("/")[0]

    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)


Rule = Callable[[Source], Iterable[str]]


@cache
def tracked() -> tuple[str, ...]:
    """Paths that are committed or about to be. Set-up installs git, so a copy without it is not a case."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=HOUSE,
        capture_output=True,
        check=True,
    )
    names = listed.stdout.decode().split("\0")
    return tuple(sorted({name for name in names if name and (HOUSE / name).is_file()}))


@cache
def all_text() -> tuple[Source, ...]:
    files = (name for name in tracked() if Path(name).suffix in TEXT_SUFFIXES)
    return tuple(Source(name, (HOUSE / name).read_text(encoding="utf-8", errors="replace")) for name in files)


def python_of(*tops: str) -> list[Source]:
    """Python files of these top-level folders; of all if none is named."""
    return [source for source in all_text() if source.path.endswith(".py") and (not tops or source.top in tops)]


def findings(rule: Rule, sources: Iterable[Source], allowed: dict[str, str] | None = None) -> list[str]:
    """What `rule` has to say about `sources`, as `path: finding`; `allowed` maps a path to the reason it may."""
    kept = (source for source in sources if source.path not in (allowed or {}))
    return [f"{source.path}: {found}" for source in kept for found in rule(source)]


def assert_nothing(found: Iterable[str]) -> None:
    """One finding a line; pytest would cut a long list short."""
    lines = list(found)
    assert not lines, "\n" + "\n".join(lines)
