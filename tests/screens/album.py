"""The pictures that are remembered by their hashes, and the file that remembers them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from screens.compose import compose
from tests.screens.poses import POSES, SIGN, SIZES, questions
from tests.screens.studio import fingerprint, photograph, versions

VARIANT = re.compile(r"-\d+$")  # judged by every rule, and not photographed: one picture of a name is enough
HASHES = Path(__file__).with_name("hashes.json")


def album(share: int = 1, of: int = 1) -> Iterator[tuple[str, Image.Image]]:
    """The first page of every question in every pose; or one share of them, in which every question and pose is."""
    for at, pose in enumerate(POSES):
        theme = pose.theme()
        for index, (name, question) in enumerate(questions().items()):
            if not VARIANT.search(name) and (at + index) % of == share % of:
                picture = compose(pose.moment(question), theme, SIGN)
                yield f"{name}-{pose.name}", photograph(picture, *SIZES[pose.size][:2])


def hashes(share: int = 1, of: int = 1) -> dict[str, str]:
    return {name: fingerprint(image) for name, image in album(share, of)}


def remembered() -> tuple[dict[str, str], dict[str, str]]:
    """Versions and hashes of the file."""
    found = json.loads(HASHES.read_text("utf-8"))
    return found["versions"], found["pictures"]


def remember(pictures: dict[str, str]) -> None:
    text = json.dumps({"versions": versions(), "pictures": pictures}, indent=1, ensure_ascii=False, sort_keys=True)
    HASHES.write_text(text + "\n", "utf-8")
