"""What is packed: the tracked files of a work tree, and the name and the moment of their commit."""

import os
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from image.package.steps import HOUSE, StepFailed, run

CHANGED = ".d"  # of a version that is in no commit


@dataclass(frozen=True)
class Source:
    """``epoch``: seconds since 1970; no file of the package is younger."""

    tree: Path
    version: str
    epoch: int


def of_work_tree(tree: Path = HOUSE) -> Source:
    """Version and moment of the commit that is checked out: ``0.1.0+20260301120000.628a039``, an order that dpkg and
    our own updates read alike. Where there is no git, SOURCE_DATE_EPOCH says the moment.

    Raises:
        StepFailed: neither is there.
    """
    plain = str(tomllib.loads((tree / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])
    if not (tree / ".git").exists():
        if "SOURCE_DATE_EPOCH" not in os.environ:
            raise StepFailed("neither a commit nor SOURCE_DATE_EPOCH says what moment this is of")
        return Source(tree, plain, int(os.environ["SOURCE_DATE_EPOCH"]))
    epoch, short = _git(tree, "log", "-1", "--format=%ct %h", "--abbrev=7").split()
    changed = CHANGED if _git(tree, "status", "--porcelain") else ""
    moment = datetime.fromtimestamp(int(epoch), UTC).strftime("%Y%m%d%H%M%S")
    return Source(tree, f"{plain}+{moment}.{short}{changed}", int(epoch))


def _git(tree: Path, *words: str) -> str:
    return run(["git", "-C", str(tree), *words]).decode().strip()
