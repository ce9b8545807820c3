"""The plan of the house: what docs/architecture.md and the README of kiosk draw is what stands there."""

import re
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Any

from tests.tidy.sources import HOUSE

KIOSK = HOUSE / "kiosk"
DRAWN = (HOUSE / "docs" / "architecture.md").read_text()
LISTED = (KIOSK / "README.md").read_text()


def contracts() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads((HOUSE / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
    return found


def layers_held() -> list[set[str]]:
    """Those of the contract that names every folder of kiosk, from the top."""
    (whole,) = (one for one in contracts() if one.get("exhaustive"))
    return [set(re.findall(r"\w+", layer)) for layer in whole["layers"]]


def layers_drawn(document: str) -> list[set[str]]:
    """A line that begins with ``|`` goes on with the layer above it; what names no module explains."""
    block = document.split("## Layers")[1].split("```")[1]
    found: list[set[str]] = []
    for line in block.splitlines():
        names = set(re.findall(r"\bkiosk\.(\w+)", line))
        if line.lstrip().startswith("|"):
            found[-1] |= names
        elif names:
            found.append(names)
    return found


def placed() -> set[str]:
    """Folders and modules, ``visit.desk``, that the contract about all parts of the house names one by one."""
    (house,) = (one for one in contracts() if one["name"].startswith("The house"))
    return set(re.findall(r"\bkiosk\.([\w.]+)", " ".join(house["layers"])))


def modules() -> Iterator[str]:
    """Those of the top, whole folders, and the modules of a folder whose modules have layers of their own."""
    divided = {name.partition(".")[0] for name in placed() if "." in name}
    for path in sorted(KIOSK.iterdir()):
        if path.suffix == ".py" and path.stem != "__init__":
            yield path.stem
        elif (path / "__init__.py").exists() and path.name not in divided:
            yield path.name
        elif path.name in divided:
            yield from (f"{path.name}.{one.stem}" for one in sorted(path.glob("*.py")) if one.stem != "__init__")


def unplaced(named: set[str]) -> list[str]:
    return [name for name in modules() if name not in named]


def unlisted(document: str) -> list[str]:
    listed = re.findall(r"`(?:\w+/)?([\w*]+)(?:\.py|/)`", document)
    asked = {part for name in modules() for part in name.split(".") if not part.startswith("__")}
    return sorted(part for part in asked if not any(fnmatch(part, one) for one in listed))


def test_the_layers_are_drawn_as_they_are_held() -> None:
    """Every folder of kiosk stands in the document where import-linter has it."""
    assert layers_drawn(DRAWN) == layers_held()


def test_every_module_has_its_layer() -> None:
    """By its own name, where the modules of its folder have several; else with its folder."""
    assert unplaced(placed()) == []


def test_the_readme_of_kiosk_names_every_module() -> None:
    """A newcomer finds each file and folder in the list, by its name or with its kind."""
    assert unlisted(LISTED) == []


def test_a_plan_that_lacks_a_module_is_noticed() -> None:
    """One that is not drawn, one drawn in another layer, one without a layer, and one that is not listed."""
    assert layers_drawn(DRAWN.replace(" | kiosk.records", "")) != layers_held()
    assert (
        layers_drawn(DRAWN.replace("kiosk.visit | ", "").replace("kiosk.compose ", "kiosk.compose | kiosk.visit "))
        != layers_held()
    )
    assert unplaced(placed() - {"visit.desk"}) == ["visit.desk"]
    assert unlisted(LISTED.replace("`race.py`", "race")) == ["race"]
    assert unlisted(LISTED.replace("`visit/desk.py`", "desk")) == ["desk"]
