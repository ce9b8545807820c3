"""What dpkg reads: the control file, the files that people may change, and the maintainer scripts."""

import shutil
from pathlib import Path

from image.package.source import Source
from tools.set_up import read_package_list

HERE = Path(__file__).resolve().parent
SCRIPTS = ("postinst", "prerm", "postrm")
# The environment in the package was made for just this Python: its compiled libraries load in no other.
PYTHON = ("python3 (>= 3.11)", "python3 (<< 3.12)")


def write_control(source: Source, root: Path) -> None:
    """DEBIAN/ of a tree that is otherwise complete. Raises OSError."""
    folder = root / "DEBIAN"
    folder.mkdir()
    size_kib = sum(path.lstat().st_size for path in root.rglob("*") if path.is_file()) // 1024
    (folder / "control").write_text(control(source, size_kib))
    for name in SCRIPTS:
        shutil.copyfile(HERE / "maintainer" / name, folder / name)
        (folder / name).chmod(0o755)
    changeable = sorted(f"/{path.relative_to(root)}\n" for path in (root / "etc").rglob("*") if path.is_file())
    (folder / "conffiles").write_text("".join(changeable))


def control(source: Source, size_kib: int) -> str:
    """deb-control(5)."""
    names = read_package_list((source.tree / "packages-terminal.txt").read_text())
    depends = [*PYTHON, "systemd", "adduser", *(name for name in names if name != "python3")]
    return f"""Package: yikatong
Version: {source.version}
Architecture: amd64
Maintainer: Yikatong <maintainers@yikatong.invalid>
Installed-Size: {size_kib}
Depends: {", ".join(depends)}
Section: misc
Priority: optional
Description: self-service terminal of the Chinese social security card
 Touch screen, services, drivers of card reader, PIN pad, printers and cash module,
 the forwarder of queued messages and the agent of the fleet, with their units.
 .
 Nothing is started before /etc/yikatong/settings.toml is written.
"""
