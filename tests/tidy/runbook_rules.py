"""House rules about runbooks: each command is taken by its own program, each page, button, unit and file is there.

Whoever reads a runbook is tired, and tries nothing twice: what stands there must be what the program says.
"""

import argparse
import io
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path

import polib
from starlette.convertors import CONVERTOR_TYPES
from starlette.routing import Route

from image import build as image
from kiosk import __main__ as terminal
from kiosk.l10n.catalog import PO as KIOSK_PO
from kiosk.records import books
from provisioning.fleet import __main__ as fleet
from provisioning.fleet.console.routes import ROUTES
from provisioning.fleet.l10n.catalog import PO as FLEET_PO
from simulators import __main__ as simulators
from tests.tidy.house_rules import make_targets
from tests.tidy.sources import HOUSE, Source, all_text

BLOCK = re.compile(r"^ *```\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
LABEL = re.compile(r"\*\*([^*\n]+)\*\*(?:（((?:[^（）\n]|（[^（）\n]*）)*)）)?")
UNIT = re.compile(r"\byikatong[\w@-]*\.(?:service|socket|target|path|timer)\b")
PATH = re.compile(r"(?<![\w/.])/(?:etc|usr|var|run|dev)/[\w./-]+[\w]")
CONSOLE = re.compile(r"/console[\w/-]*")
# Programs that are not ours -> the Debian package that brings them.
OTHERS = {
    "age-keygen": "age",
    "apt": "apt",
    "cp": "coreutils",
    "dd": "coreutils",
    "df": "coreutils",
    "install": "coreutils",
    "journalctl": "systemd",
    "ls": "coreutils",
    "lsblk": "util-linux",
    "mount": "mount",
    "umount": "mount",
    "nginx": "nginx",
    "shred": "coreutils",
    "systemctl": "systemd",
    "systemd-creds": "systemd",
}
Parse = Callable[[list[str]], object]
PROGRAMS: Mapping[str, Parse] = {
    "image.build": lambda words: image.make_parser().parse_args(words),
    "kiosk": lambda words: terminal.make_parser().parse_args(words),
    "offline_queue": lambda words: books.make_parser().parse_args(words),
    "provisioning.fleet": lambda words: fleet.make_parser(words).parse_args(words),
    "simulators": lambda words: simulators.make_parser(words).parse_args(words),
}


def commands(text: str) -> Iterator[str]:
    """Each line of a block, and each span that begins with a program."""
    for block in BLOCK.findall(text):
        yield from (line.strip() for line in block.splitlines() if line.strip() and not line.strip().startswith("#"))
    for span in SPAN.findall(BLOCK.sub("", text)):
        word = span.split(maxsplit=1)[0]
        if span.startswith("python -m ") or (" " in span and word in {"kiosk", *OTHERS}):
            yield span


def misunderstood(source: Source) -> Iterator[str]:
    """Commands that their own program would refuse."""
    for line in commands(source.text):
        words = shlex.split(line, comments=True)
        words = words[: min((words.index(sign) for sign in ("<", ">", "|", "&&") if sign in words), default=len(words))]
        why = _why_not(words)
        if why:
            yield f"{line}: {why}"


def _why_not(words: list[str]) -> str:
    if words[:2] == ["python", "-m"]:
        program, words = words[2], words[3:]
    else:
        program, words = words[0], words[1:]
    if program in OTHERS:
        return ""
    if program == "make":
        return "" if words[0] in make_targets((HOUSE / "Makefile").read_text()) else "no such target"
    if program not in PROGRAMS:
        return f"nobody knows {program}"
    said = io.StringIO()
    try:
        with redirect_stderr(said), redirect_stdout(said):
            PROGRAMS[program](words)
    except (SystemExit, argparse.ArgumentError):
        return said.getvalue().strip().splitlines()[-1]
    return ""


@cache
def _routes() -> tuple[re.Pattern[str], ...]:
    """Paths of the console, in which words in capitals or a number stand for what the reader fills in."""
    paths = [route.path for route in ROUTES if isinstance(route, Route)]
    assert {"int", "str"} <= set(CONVERTOR_TYPES)
    return tuple(re.compile(re.sub(r"\{[^}]+\}", r"(?:[A-Z]+|[0-9]+)", path) + r"/?") for path in paths)


def dead_pages(source: Source) -> Iterator[str]:
    for path in CONSOLE.findall(source.text):
        if not any(route.fullmatch(path) for route in _routes()):
            yield f"{path}: no such page"


@cache
def _labels() -> Mapping[str, frozenset[str]]:
    """What is said on the console and on the glass -> its Chinese."""
    found: dict[str, set[str]] = {}
    for po in (KIOSK_PO, FLEET_PO):
        for entry in polib.pofile(str(po), wrapwidth=0):
            found.setdefault(entry.msgid, set()).add(entry.msgstr)
    return {msgid: frozenset(said) for msgid, said in found.items()}


def unknown_labels(source: Source) -> Iterator[str]:
    """Words in bold that no page says, or whose Chinese is another."""
    for english, chinese in LABEL.findall(BLOCK.sub("", source.text)):
        if chinese not in _labels().get(english, frozenset()):
            yield f"{english}: {'not said so in Chinese' if english in _labels() else 'no page says this'}"


@cache
def _named_paths() -> frozenset[str]:
    product = (one for one in all_text() if one.top not in ("docs", "tests"))
    return frozenset(path for one in product for path in PATH.findall(one.text))


def unknown_files(source: Source, house: Path = HOUSE) -> Iterator[str]:
    """Absolute paths that nothing of the product names, and units that are not in systemd/."""
    named = _named_paths()
    for path in PATH.findall(source.text):
        if not any(one == path or one.startswith(f"{path}/") for one in named):
            yield f"{path}: nothing of the product names it"
    for unit in UNIT.findall(source.text):
        if not (house / "systemd" / unit).is_file():
            yield f"{unit}: no such unit"
