"""Answers of the DDI interface, in hawkBit's shapes (documentation of Eclipse hawkBit, DDI API, 0.4 to 1.0). Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from provisioning.fleet.schema.software import Action, ActionStatus, Artifact, SoftwareModule

HISTORY_ALL = -1
NO_NOTES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Chunk:
    """A module of the set, with its files."""

    module: SoftwareModule
    artifacts: Sequence[Artifact]


def root(base: str, sleep_s: float, links: Mapping[str, str]) -> dict[str, Any]:
    """``base``: address of the terminal; ``links``: name -> what follows it."""
    seconds = int(sleep_s)
    told = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return {
        "config": {"polling": {"sleep": told}},
        "_links": {name: {"href": f"{base}/{path}"} for name, path in links.items()},
    }


def deployment(
    action: Action, chunks: Iterable[Chunk], base: str, at_ms: int, notes: Mapping[str, str] = NO_NOTES
) -> dict[str, Any]:
    """The part that says what to do and with which files. ``notes``: of this action, beside each module's own."""
    download, update = _force(action, at_ms)
    return {"download": download, "update": update, "chunks": [_chunk(one, base, notes) for one in chunks]}


def history(action: Action, rows: Iterable[ActionStatus]) -> dict[str, Any]:
    return {"status": action.status.upper(), "messages": [words for row in rows for words in row.messages]}


def artifact(one: Artifact, base: str) -> dict[str, Any]:
    """Only TLS: ``download`` and ``md5sum``; the links without it (``-http``) do not exist here."""
    href = f"{base}/softwaremodules/{one.module_id}/artifacts/{one.filename}"
    return {
        "filename": one.filename,
        "hashes": {"sha1": one.sha1, "md5": one.md5, "sha256": one.sha256},
        "size": one.size_bytes,
        "_links": {"download": {"href": href}, "md5sum": {"href": f"{href}.MD5SUM"}},
    }


def _chunk(one: Chunk, base: str, of_action: Mapping[str, str]) -> dict[str, Any]:
    told_of_it = {**one.module.notes, **of_action}
    notes = [{"key": key, "value": value} for key, value in sorted(told_of_it.items())]
    told = {
        "part": _part(one.module.kind),
        "version": one.module.version,
        "name": one.module.name,
        "artifacts": [artifact(file, base) for file in one.artifacts],
    }
    return {**told, "metadata": notes} if notes else told


def _part(kind: str) -> str:
    """hawkBit calls its type "application" by the short name that its first clients knew."""
    return "bApp" if kind == "application" else kind


def _force(action: Action, at_ms: int) -> tuple[str, str]:
    if action.force == "downloadonly":
        return "forced", "skip"
    forced = action.force == "forced" or (action.force == "timeforced" and action.forced_ms <= at_ms)
    word = "forced" if forced else "attempt"
    return word, word
