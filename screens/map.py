"""Where the answers are, in a file: for the smoke run's finger, which has no eyes. Never in production.

``{"question": name, "answers": {value: {"box": [x, y, width, height], "key": digit or null}}}``, boxes in px from the
top left. No texts, no personal data.
"""

import json
import os
from pathlib import Path

from screens import acts
from screens.picture import Picture, Target

ASKED_BY = "YIKATONG_SCREEN_MAP"


class ScreenMap:
    """Writes ``run_dir/screen.json`` at every change of the picture, if the environment asks for it."""

    def __init__(self, run_dir: Path, production: bool) -> None:
        self._path = run_dir / "screen.json" if os.environ.get(ASKED_BY) and not production else None
        self._last = ""

    def draw(self, question: str, picture: Picture) -> None:
        """Replace the file, whole or not at all, where something moved."""
        if self._path is None:
            return
        answers = {value: _spot(target) for target in picture.targets if (value := acts.answered(target.act))}
        text = json.dumps({"question": question, "answers": answers})
        if text != self._last:
            self._last = text
            part = self._path.with_suffix(".part")
            part.write_text(text)
            part.replace(self._path)


def _spot(target: Target) -> dict[str, object]:
    box = target.box
    return {"box": [box.x, box.y, box.w, box.h], "key": target.key if target.key >= 0 else None}
