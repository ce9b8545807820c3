"""What a release is called, and the manifest of an application bundle: read alike by who builds and who installs.

A bundle is a gzipped tar whose first member is ``manifest.json``; every other member is a plain file that it names.
INVENTED. ``application-1.4.0.tar.gz`` is its name as a TUF target.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

MANIFEST = "manifest.json"
APPLICATION, IMAGE = "application", "image"
KINDS = {APPLICATION: ".tar.gz", IMAGE: ".raucb"}
VERSION = re.compile(r"[0-9]{1,5}(\.[0-9]{1,5}){1,3}([+-][a-z0-9.]{1,24})?")
PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*(/[A-Za-z0-9_][A-Za-z0-9_.+-]*){0,11}")
IMAGE_WORDS = re.compile(r"journal ([1-9][0-9]{0,4}) back to ([1-9][0-9]{0,4})")
PATH_CHARACTERS_MAX = 200
FILES_MAX = 20_000
FILE_BYTES_MAX = 64 << 20
UNPACKED_BYTES_MAX = 512 << 20
BUNDLE_BYTES_MAX = 256 << 20


class NotAllowed(ValueError):
    """A name or a manifest that cannot be right. The message says what is wrong with it."""


@dataclass(frozen=True)
class Software:
    """``kind``: one of ``KINDS``."""

    kind: str
    version: str


def target_name(software: Software) -> str:
    """Raises NotAllowed."""
    if software.kind not in KINDS or not VERSION.fullmatch(software.version):
        raise NotAllowed(f"no release is called {software.kind} {software.version}"[:120])
    return f"{software.kind}-{software.version}{KINDS[software.kind]}"


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An unknown field is an error: a terminal must not pass over a need that it does not understand."""


class File(_Part, frozen=True):
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    size: Annotated[int, msgspec.Meta(ge=0, le=FILE_BYTES_MAX)]


class Journal(_Part, frozen=True):
    """``layout``: of the journal's file that this program leaves behind; ``back_to``: the oldest layout whose program
    can still work with that file (money-rules 28)."""

    layout: Annotated[int, msgspec.Meta(ge=1)]
    back_to: Annotated[int, msgspec.Meta(ge=1)]


class Needs(_Part, frozen=True):
    """What the bundle does not bring. ``libraries``: exact versions by their names as distributed."""

    python: str
    libraries: dict[str, str] = {}


class Manifest(_Part, frozen=True):
    """``files`` by their path below the bundle's root, ``/`` between the parts."""

    format: Literal[1]
    kind: Literal["application"]
    version: str
    journal: Journal
    needs: Needs
    files: dict[str, File]


def image_words(journal: Journal) -> str:
    """What an image's bundle says in its description: RAUC 1.8 shows no other field that would be free. INVENTED."""
    return f"journal {journal.layout} back to {journal.back_to}"


def read_image_words(description: str) -> Journal:
    """Raises NotAllowed."""
    found = IMAGE_WORDS.fullmatch(description)
    if found is None:
        raise NotAllowed("an image that does not say which journal it writes")
    return Journal(layout=int(found[1]), back_to=int(found[2]))


def newer(one: str, other: str) -> bool:
    """Whether version ``one`` comes after ``other``: by its numbers; 1.2.0-rc1 comes before 1.2.0, 1.2.0+1 after it."""
    return _order(one) > _order(other)


def _order(version: str) -> tuple[tuple[int, ...], int, str]:
    numbers = re.split(r"[+-]", version, maxsplit=1)[0]
    rest = version[len(numbers) :]
    told = [int(part) if part.isdecimal() else 0 for part in numbers.split(".")]
    while told and told[-1] == 0:
        told.pop()  # 1.2 is 1.2.0
    return tuple(told), {"-": 0, "": 1, "+": 2}[rest[:1]], rest


def read_manifest(raw: bytes) -> Manifest:
    """Raises NotAllowed: not a manifest, or it names what no bundle may hold."""
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise NotAllowed(f"not a manifest: {error}"[:200]) from None
    if not VERSION.fullmatch(manifest.version):
        raise NotAllowed("a version that is none")
    if (
        not 0 < len(manifest.files) <= FILES_MAX
        or sum(file.size for file in manifest.files.values()) > UNPACKED_BYTES_MAX
    ):
        raise NotAllowed("no files, or too much of them")
    for path in manifest.files:
        check_path(path)
    return manifest


def check_path(path: str) -> None:
    """Plain relative paths only: nothing climbs, nothing is hidden, nothing passes for the manifest.

    Raises:
        NotAllowed.
    """
    if len(path) > PATH_CHARACTERS_MAX or not PATH.fullmatch(path) or path == MANIFEST:
        raise NotAllowed(f"a path that no bundle may hold: {path[:60]!r}")


def can_be_taken_back(running: Journal, new: Journal) -> bool:
    """Whether the program that runs now can work with the journal that the new one would leave behind."""
    return new.back_to <= running.layout


def can_read(running: Journal, new: Journal) -> bool:
    """Whether the new program can work with the journal that is there: an older one came with its own way forward, a
    newer one must allow it."""
    return running.layout <= new.layout or running.back_to <= new.layout
