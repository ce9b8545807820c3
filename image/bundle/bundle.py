"""Makes an update bundle of a root file system: `make bundle`. Signed here once; that it may run, two people sign.

    bundle.py --root out/image/root.img --certificate P --key K --authority P --out FOLDER

It has the version that the root itself has (IMAGE_VERSION of its os-release): after the start, that is what runs.

``--key``: a PEM file, or a ``pkcs11:`` address with RAUC_PKCS11_MODULE set. The same root makes other bytes each time:
signature and salt are new. What two people compare is the root, whose sum stands in `rauc info`.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from offline_queue.layout import BACK_TO, LAYOUT
from provisioning.rules.releases import IMAGE, VERSION, Journal, Software, image_words, target_name

COMPATIBLE = "yikatong-x86-64"
PACKED = "-comp zstd -Xcompression-level 15"  # of a root that is packed already, a few percent; of ext4, two thirds


def manifest(version: str, root: str) -> str:
    words = image_words(Journal(layout=LAYOUT, back_to=BACK_TO))
    return "\n".join(
        (
            "[update]",
            f"compatible={COMPATIBLE}",
            f"version={version}",
            f"description={words}",
            "",
            "[bundle]",
            "format=verity",
            "",
            "[image.rootfs]",
            f"filename={root}",
            "",
        )
    )


def version_in(root: Path) -> str:
    """Read without mounting it. Raises ValueError: the root says none, or none that a release may have."""
    tool = shutil.which("debugfs", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin") or "debugfs"
    done = subprocess.run(
        [tool, "-R", "cat /usr/lib/os-release", str(root)], capture_output=True, text=True, check=True
    )
    told = [line.partition("=")[2].strip('"') for line in done.stdout.splitlines() if line.startswith("IMAGE_VERSION=")]
    if len(told) != 1 or not VERSION.fullmatch(told[0]):
        raise ValueError(f"{root} does not say which version it is")
    return told[0]


def make_bundle(root: Path, certificate: str, key: str, authority: Path, out: Path, packed: str = PACKED) -> Path:
    """``image-VERSION.raucb`` in ``out``. Raises ValueError: no version. OSError, subprocess.CalledProcessError: the
    tools say why."""
    version = version_in(root)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as folder:
        content = Path(folder) / "content"
        content.mkdir()
        try:
            (content / "root.img").hardlink_to(root)
        except OSError:  # another file system
            shutil.copyfile(root, content / "root.img")
        (content / "manifest.raucm").write_text(manifest(version, "root.img"), encoding="utf-8")
        made = Path(folder) / "made.raucb"
        signer = [f"--cert={certificate}", f"--key={key}", f"--keyring={authority}"]
        command = ["rauc", "bundle", *signer, f"--mksquashfs-args={packed}", str(content), str(made)]
        subprocess.run(command, check=True)
        return made.replace(out / target_name(Software(IMAGE, version)))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--certificate", required=True, help="of who signs, PEM")
    parser.add_argument("--key", required=True)
    parser.add_argument("--authority", type=Path, required=True, help="what terminals hold as /etc/rauc/keyring.pem")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args(arguments)
    try:
        made = make_bundle(asked.root, asked.certificate, asked.key, asked.authority, asked.out)
    except (ValueError, OSError, subprocess.CalledProcessError) as error:
        print(f"no bundle: {error}", file=sys.stderr)
        return 1
    print(f"{made}: {made.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
