"""The pictures that are remembered by their hashes, and the file that remembers them."""

import json
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from screens.compose import compose
from tests.screens.poses import POSES, SIGN, SIZES, questions
from tests.screens.studio import fingerprint, photograph, versions

HASHES = Path(__file__).with_name("hashes.json")


def album() -> Iterator[tuple[str, Image.Image]]:
    """The first page of every question in every pose."""
    for pose in POSES:
        theme = pose.theme()
        for name, question in questions().items():
            picture = compose(pose.moment(question), theme, SIGN)
            yield f"{name}-{pose.name}", photograph(picture, *SIZES[pose.size][:2])


def hashes() -> dict[str, str]:
    return {name: fingerprint(image) for name, image in album()}


def remembered() -> tuple[dict[str, str], dict[str, str]]:
    """Versions and hashes of the file."""
    found = json.loads(HASHES.read_text("utf-8"))
    return found["versions"], found["pictures"]


def remember(pictures: dict[str, str]) -> None:
    text = json.dumps({"versions": versions(), "pictures": pictures}, indent=1, ensure_ascii=False, sort_keys=True)
    HASHES.write_text(text + "\n", "utf-8")
