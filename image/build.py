"""``python -m image.build``: makes out/image/yikatong.img from Debian's packages and out/package/yikatong_*.deb."""

import argparse
import hashlib
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from image.boot import make_esp, make_state
from image.disk import make_disk
from image.inventory import bill_of_materials, manifest, parts
from image.package.steps import HOUSE, StepFailed
from image.root import BUILD, debian_root, listed
from image.slot import make_slot
from image.tree import make_tree

OUT = HOUSE / "out" / "image"
LISTS = (HOUSE / "image" / "packages.txt", HOUSE / "packages-terminal.txt")


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="image.build", description="the bootable image of a terminal")
    parser.add_argument("--package", type=Path, help="the .deb; otherwise the newest in out/package")
    parser.add_argument("--authority", type=Path, help="PEM: whose signers make update bundles; without, it takes none")
    parser.add_argument("--local", type=Path, help="folder with settings.toml and what it names: of the box it is for")
    parser.add_argument("--out", type=Path, default=OUT)
    return parser


def main(arguments: list[str] | None = None) -> int:
    asked = make_parser().parse_args(arguments)
    try:
        build(asked.package or newest_package(), asked.out, asked.authority, asked.local)
    except StepFailed as failure:
        print(f"image: failed: {failure}", flush=True)
        return 1
    return 0


def newest_package() -> Path:
    found = sorted((HOUSE / "out" / "package").glob("yikatong_*.deb"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise StepFailed("no package yet: `make package` first")
    return found[-1]


def version_of(package: Path) -> str:
    """yikatong_VERSION_amd64.deb: an image is called as the software in it."""
    return package.name.split("_")[1]


def build(
    package: Path, out: Path, authority: Path | None = None, local: Path | None = None, folder: Path = BUILD
) -> None:
    """Everything, step by step; what one step makes stays in ``folder`` for whoever looks for a mistake."""
    folder.mkdir(parents=True, exist_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    packages = [name for path in LISTS for name in listed(path)]
    root = step("Debian", lambda: debian_root(packages, folder=folder))
    tree = step("tree", lambda: make_tree(root, package, folder / "tree", version_of(package), authority))
    slot = step("slot", lambda: make_slot(tree, folder / "root.ext4"))
    esp = step("boot loader", lambda: make_esp(folder / "esp.fat"))
    state = make_state(folder / "state.fat", local)
    step("disk", lambda: make_disk(out / "yikatong.img", {1: esp, 2: state, 3: slot}))
    (out / "root.img").unlink(missing_ok=True)
    (out / "root.img").hardlink_to(slot)  # what a bundle is made of
    write_inventory(tree, out)
    for name in ("vmlinuz", "initrd.img"):
        shutil.copyfile(tree / "boot" / name, out / name)


def write_inventory(tree: Path, out: Path) -> None:
    """Beside the image: what is in it, and the sums by which two builds are compared."""
    found = parts(tree)
    (version,) = [part.version for part in found if (part.kind, part.name) == ("deb", "yikatong")]
    (out / "manifest.txt").write_text(manifest(found), encoding="utf-8")
    (out / "sbom.cdx.json").write_text(bill_of_materials(found, version), encoding="utf-8")
    sums = (f"{sum_of(out / name)}  {name}\n" for name in ("root.img", "yikatong.img"))
    (out / "SHA256SUMS").write_text("".join(sums))


def sum_of(path: Path) -> str:
    with path.open("rb") as given:
        return hashlib.file_digest(given, "sha256").hexdigest()


T = TypeVar("T")


def step(name: str, make: Callable[[], T]) -> T:
    started = time.monotonic()
    made = make()
    print(f"image: {name}: {time.monotonic() - started:.0f} s", flush=True)
    return made


if __name__ == "__main__":
    sys.exit(main())
