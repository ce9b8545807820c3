"""Makes an update bundle of a root file system: `make bundle`. Signed here once; that it may run, two people sign.

    bundle.py --root out/image/root.img --version 1.5.0 --certificate P --key K --authority P --out FILE

``--key``: a PEM file, or a ``pkcs11:`` address with RAUC_PKCS11_MODULE set. The same root makes other bytes each time:
signature and salt are new. What two people compare is the root, whose sum stands in `rauc info`.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from offline_queue.layout import BACK_TO, LAYOUT
from provisioning.rules.releases import VERSION, Journal, image_words

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


def make_bundle(
    root: Path, version: str, certificate: str, key: str, authority: Path, out: Path, packed: str = PACKED
) -> None:
    """Raises ValueError: no version. OSError, subprocess.CalledProcessError: rauc says why."""
    if not VERSION.fullmatch(version):
        raise ValueError(f"{version!r} is no version")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
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
        made.replace(out)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--certificate", required=True, help="of who signs, PEM")
    parser.add_argument("--key", required=True)
    parser.add_argument("--authority", type=Path, required=True, help="what terminals hold as /etc/rauc/keyring.pem")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args(arguments)
    try:
        make_bundle(asked.root, asked.version, asked.certificate, asked.key, asked.authority, asked.out)
    except (ValueError, OSError, subprocess.CalledProcessError) as error:
        print(f"no bundle: {error}", file=sys.stderr)
        return 1
    print(f"{asked.out}: {asked.out.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
