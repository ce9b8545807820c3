"""``python -m tests.screens.report [--base COMMIT] [--out DIR] [--accept]``: what changed on the screens, as pictures.

Writes every changed picture to DIR; with ``--base`` the same picture of that commit stands at its left and the
differing pixels at its right. ``--accept`` remembers the pictures of the working tree in ``hashes.json``.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageChops

from tests.screens.album import layouts, photographed, pictures, remember, remembered
from tests.screens.poses import SIZES
from tests.screens.studio import fingerprint, photograph, versions

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Exit status 1 when a picture differs from its hash."""
    asked = _arguments()
    asked.out.mkdir(parents=True, exist_ok=True)
    known = remembered() if not asked.all else {"versions": versions(), "layouts": {}, "pictures": {}}
    if known["versions"] != versions():
        print("pixels come from other versions than the hashes:", known["versions"], versions(), sep="\n  ")
    now, pixels = layouts(), {}
    for name, pose, picture in pictures():
        moved = known.get("layouts", {}).get(name) != now[name]
        if not moved and not photographed(name):
            continue
        image = photograph(picture, *SIZES[pose.size][:2])
        if photographed(name):
            pixels[name] = fingerprint(image)
        if moved or pixels[name] != known["pictures"].get(name):
            image.save(asked.out / f"{name}.png")
            print(f"{'changed' if name in known.get('layouts', {}) else 'new':8}{name}")
    for name in known.get("layouts", {}).keys() - now.keys():
        print(f"{'gone':8}{name}")
    if asked.base:
        _beside_base(asked.base, asked.out)
    if asked.accept:
        remember(pixels)
    same = known.get("layouts") == now and known["pictures"] == pixels
    return 0 if same or asked.accept else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.screens.report")
    parser.add_argument("--base", help="a commit to compare with")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "screens")
    parser.add_argument("--accept", action="store_true")
    parser.add_argument("--all", action="store_true", help="write every picture, compare with nothing")
    return parser.parse_args()


def _beside_base(commit: str, out: Path) -> None:
    """Render the base commit in a worktree of its own and set its pictures beside ours."""
    with tempfile.TemporaryDirectory() as folder:
        tree, theirs = Path(folder) / "tree", Path(folder) / "theirs"
        subprocess.run(["git", "-C", str(ROOT), "worktree", "add", "--detach", "-f", str(tree), commit], check=True)
        try:
            command = [sys.executable, "-m", "tests.screens.report", "--all", "--out", str(theirs)]
            subprocess.run(command, cwd=tree, env={"PYTHONPATH": str(tree), "PATH": "/usr/bin:/bin"}, check=False)
            for path in sorted(out.glob("*.png")):
                if (theirs / path.name).exists():
                    _triptych(theirs / path.name, path)
        finally:
            subprocess.run(["git", "-C", str(ROOT), "worktree", "remove", "--force", str(tree)], check=True)


def _triptych(before: Path, after: Path) -> None:
    old, new = Image.open(before).convert("RGB"), Image.open(after).convert("RGB")
    differing = ImageChops.difference(old, new).convert("L").point(lambda value: 255 if value else 0)
    wide = Image.new("RGB", (old.width * 3 + 40, old.height), "#888888")
    for index, picture in enumerate((old, new, differing.convert("RGB"))):
        wide.paste(picture, (index * (old.width + 20), 0))
    wide.save(after)


if __name__ == "__main__":
    raise SystemExit(main())
