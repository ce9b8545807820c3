"""``python -m image.package --out DIR``: the Debian package of this work tree, the same bytes from the same commit."""

import argparse
import hashlib
import os
import shutil
import sys
from pathlib import Path

from image.package.contents import fill
from image.package.control import write_control
from image.package.source import Source, of_work_tree
from image.package.steps import HOUSE, StepFailed, run

BUILD = HOUSE / "build" / "package"
# Single-threaded: the number of cores must not be in the bytes. Most of it is sound, which no level packs much better.
COMPRESSION = ("-Zzstd", "-z6", "--threads-max=1")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m image.package", description="the Debian package of this work tree")
    parser.add_argument("--out", type=Path, default=HOUSE / "out" / "package")
    parser.add_argument("--build", type=Path, default=BUILD, help="where it is put together; emptied first")
    asked = parser.parse_args()
    os.umask(0o022)  # modes are content
    try:
        package = build(of_work_tree(), asked.build.resolve(), asked.out)
    except StepFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    print(f"{package}  {package.stat().st_size} bytes  sha256 {digest}")
    return 0


def build(source: Source, folder: Path, out: Path) -> Path:
    """The finished package; older ones of ``out`` are removed, so that a glob finds the one.

    Raises:
        StepFailed: a tool said no; OSError.
    """
    root = folder / "root"
    shutil.rmtree(folder, ignore_errors=True)
    root.mkdir(parents=True)
    fill(source, root, folder)
    write_control(source, root)
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("yikatong_*.deb"):
        old.unlink()
    made = out / f"yikatong_{source.version}_amd64.deb"
    command = ["dpkg-deb", "--root-owner-group", *COMPRESSION, "--build", str(root), str(made)]
    run(command, SOURCE_DATE_EPOCH=str(source.epoch))
    return made


if __name__ == "__main__":
    sys.exit(main())
