"""The pictures that are remembered by their hashes, and the file that remembers them.

Of every question in every pose the picture as data is remembered: what stands where, in what words and colour. Samples
and the house's own pages are remembered by their pixels as well: they hold everything that the painter can draw, and a
photograph of a page without a GPU costs ten times what its layout costs.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from screens.compose import compose
from screens.picture import Picture
from tests.screens.poses import POSES, SIGN, SIZES, Pose, questions
from tests.screens.samples import samples
from tests.screens.studio import fingerprint, photograph, versions

HASHES = Path(__file__).with_name("hashes.json")
HOUSE = "house-"
Remembered = dict[str, dict[str, str]]


def pictures() -> Iterator[tuple[str, Pose, Picture]]:
    """The first page of every question in every pose, as data."""
    for pose in POSES:
        theme = pose.theme()
        for name, question in questions().items():
            yield f"{name}-{pose.name}", pose, compose(pose.moment(question), theme, SIGN)


def layouts() -> dict[str, str]:
    return {name: hashlib.sha256(repr(picture).encode()).hexdigest()[:16] for name, _, picture in pictures()}


def photographed(name: str) -> bool:
    return name.startswith(HOUSE) or any(name == f"{sample}-{pose.name}" for sample in samples() for pose in POSES)


def album() -> Iterator[tuple[str, Image.Image]]:
    """Those that are photographed."""
    for name, pose, picture in pictures():
        if photographed(name):
            yield name, photograph(picture, *SIZES[pose.size][:2])


def hashes() -> dict[str, str]:
    return {name: fingerprint(image) for name, image in album()}


def remembered() -> Remembered:
    """``versions``, ``layouts`` and ``pictures`` of the file."""
    found: Remembered = json.loads(HASHES.read_text("utf-8"))
    return found


def remember(pixels: dict[str, str]) -> None:
    whole = {"versions": versions(), "layouts": layouts(), "pictures": pixels}
    HASHES.write_text(json.dumps(whole, indent=1, ensure_ascii=False, sort_keys=True) + "\n", "utf-8")
