"""The plan of the house: what docs/architecture.md and the README of kiosk draw is what stands there."""

import re
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch

from tests.tidy.sources import HOUSE

DRAWN = (HOUSE / "docs" / "architecture.md").read_text()
LISTED = (HOUSE / "kiosk" / "README.md").read_text()


def layers_held() -> list[set[str]]:
    """Those of the contract that names every module of kiosk, from the top."""
    contracts = tomllib.loads((HOUSE / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (whole,) = (one for one in contracts if one.get("exhaustive"))
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


def unlisted(document: str) -> Iterator[str]:
    listed = re.findall(r"`([\w*]+)(?:\.py|/)`", document)
    for path in sorted((HOUSE / "kiosk").iterdir()):
        of_kiosk = path.suffix == ".py" or (path / "__init__.py").exists()
        if of_kiosk and not path.stem.startswith("__") and not any(fnmatch(path.stem, one) for one in listed):
            yield path.name


def test_the_layers_are_drawn_as_they_are_held() -> None:
    """Every module of kiosk stands in the document where import-linter has it."""
    assert layers_drawn(DRAWN) == layers_held()


def test_the_readme_of_kiosk_names_every_module() -> None:
    """A newcomer finds each file and folder in the list, by its name or with its kind."""
    assert list(unlisted(LISTED)) == []


def test_a_plan_that_lacks_a_module_is_noticed() -> None:
    """One that is not drawn, one that is drawn in another layer, and one that is not listed."""
    assert layers_drawn(DRAWN.replace(" | kiosk.fittings", "")) != layers_held()
    assert (
        layers_drawn(
            DRAWN.replace("kiosk.card_slot | ", "").replace("kiosk.session ", "kiosk.session | kiosk.card_slot ")
        )
        != layers_held()
    )
    assert list(unlisted(LISTED.replace("`race.py`", "race"))) == ["race.py"]
