"""Parts of requirements.lock: `python tools/lock.py terminal` prints only what a terminal runs on, hashes included.

One lock stays the truth; what a package or a container needs is cut out of it by the comments that pip-compile leaves
(`# via`). Nothing is resolved anew, so a part can never hold another version than the tests ran with.
"""

import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

HOUSE = Path(__file__).resolve().parent.parent
# Part -> extras beside the project's own dependencies, which a terminal needs; a server has no screen and no devices.
PARTS: dict[str, tuple[str, ...]] = {"terminal": (), "fleet": ("fleet",), "demo": ("fleet", "simulators")}
NOT_ON_SERVERS = {"h11", "kivy", "pillow", "pyhanko", "pyiso8583", "pyscard", "pyserial", "pyusb", "requests", "trio"}
ENTRY = re.compile(r"^([A-Za-z0-9._-]+)==\S+ \\\n((?:    --hash=\S+(?: \\)?\n)+)((?:    #.*\n)*)", re.MULTILINE)
NAME = re.compile(r"^[A-Za-z0-9._-]+")
BUILD_TOOLS = ("setuptools", "wheel")


def normal(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def entries(lock: str) -> dict[str, str]:
    """Normal name -> the whole entry, comments included."""
    return {normal(found[1]): found[0] for found in ENTRY.finditer(lock)}


def wanted_by(entry: str) -> set[str]:
    """Who brought it in, as pip-compile says; the project itself among them."""
    comments = (line.strip().lstrip("# ") for line in entry.splitlines() if line.startswith("    #"))
    words = (line.removeprefix("via").strip() for line in comments)
    return {normal(found[0]) for word in words if (found := NAME.match(word))}


def roots(pyproject: str, extras: Iterable[str]) -> set[str]:
    """What the project asks for by name: its own dependencies and those of the extras."""
    project = tomllib.loads(pyproject)["project"]
    asked = [*project["dependencies"], *(one for extra in extras for one in project["optional-dependencies"][extra])]
    return {normal(found[0]) for one in asked if (found := NAME.match(one))}


def part(lock: str, first: set[str]) -> str:
    """The entries of ``first`` and of everything that they bring, in the order of the lock.

    Raises:
        KeyError: the lock does not name one of ``first``: it is older than pyproject.toml.
    """
    known = entries(lock)
    if missing := first - known.keys():
        raise KeyError(f"requirements.lock does not name {', '.join(sorted(missing))}")
    taken = set(first)
    while more := {name for name, entry in known.items() if name not in taken and wanted_by(entry) & taken}:
        taken |= more
    return "".join(entry for name, entry in known.items() if name in taken)


def main() -> int:
    if sys.argv[1:2] == ["build-tools"]:
        first = set(BUILD_TOOLS)
    elif len(sys.argv) == 2 and sys.argv[1] in PARTS:
        first = roots((HOUSE / "pyproject.toml").read_text(), PARTS[sys.argv[1]])
        first -= NOT_ON_SERVERS if sys.argv[1] == "fleet" else set()
    else:
        print(f"one of: {', '.join((*PARTS, 'build-tools'))}", file=sys.stderr)
        return 64
    print(part((HOUSE / "requirements.lock").read_text(), first), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
