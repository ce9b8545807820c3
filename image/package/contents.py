"""What lies where in the package: an environment of Python, our own code as a bundle brings it, units, voices."""

import shutil
from pathlib import Path

from image.package.source import Source
from image.package.steps import HOUSE, PYTHON, StepFailed, run
from simulators import voices

HERE = Path(__file__).resolve().parent
HOME = Path("usr/lib/yikatong")
SITE = HOME / "venv/lib/python3.11/site-packages"
UNITS = Path("usr/lib/systemd/system")
SHARE = HOME / "share"
DOCUMENTS = Path("usr/share/doc/yikatong")
BOOT = Path("provisioning/terminal/updates/boot.py")
VOICES = HOUSE / ".setup" / "voices"
SECRETIVE = frozenset({"usbguard-daemon.conf"})  # usbguard does not start where others can read it
UNIT_KINDS = frozenset({".service", ".socket", ".path", ".timer", ".target", ".slice", ".mount"})
# Folder in systemd/ -> where its files go. A folder that stands nowhere here is an error: nothing is left out silently.
SYSTEM_FOLDERS: dict[str, tuple[Path, int]] = {
    "bin": (HOME / "bin", 0o755),
    "share": (SHARE, 0o644),
    "xorg": (SHARE, 0o644),
    "nftables": (SHARE, 0o644),
    "usbguard": (SHARE, 0o644),
    "udev": (Path("usr/lib/udev/rules.d"), 0o644),
    "sysusers.d": (Path("usr/lib/sysusers.d"), 0o644),
    "tmpfiles.d": (Path("usr/lib/tmpfiles.d"), 0o644),
    "sysctl.d": (Path("usr/lib/sysctl.d"), 0o644),
    "modprobe.d": (Path("usr/lib/modprobe.d"), 0o644),
    "system.conf.d": (Path("usr/lib/systemd/system.conf.d"), 0o644),
    "dbus": (Path("etc/dbus-1/system.d"), 0o644),  # read after the packages' own rules
    "etc": (Path("etc/yikatong"), 0o644),
}
# Of libraries: console scripts with this machine's paths, Kivy's examples, tests.
NOT_NEEDED = ("bin", "share", "include", "kivy/tests", "kivy/tools")
PYVENV = "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11\n"


def fill(source: Source, root: Path, folder: Path) -> None:
    """Everything but DEBIAN/. ``folder``: for what is in between. Raises StepFailed, OSError."""
    _libraries(source, root, folder)
    _own_code(source, root, folder)
    _environment(root)
    _bytecode(source, root)
    _commands(source, root)
    _system(source, root)
    _voices(root)
    _documents(source, root)
    _plain_modes(root)


def _libraries(source: Source, root: Path, folder: Path) -> None:
    """By the lock's hashes. What is compiled here is compiled without debug information, which names this machine."""
    lock = folder / "terminal.lock"
    lock.write_bytes(run([str(PYTHON), "tools/lock.py", "terminal"], cwd=source.tree))
    site = root / SITE
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps", "--no-build-isolation",
           "--no-compile", "--no-warn-script-location", "--disable-pip-version-check",
           "--target", str(site), "-r", str(lock)]  # fmt: skip
    run(pip, SOURCE_DATE_EPOCH=str(source.epoch), CFLAGS="-g0", PIP_NO_CACHE_DIR="")
    for name in NOT_NEEDED:
        shutil.rmtree(site / name, ignore_errors=True)
    for library in sorted((site / "smartcard").rglob("*.so")):
        run(["strip", "--strip-unneeded", "--remove-section=.note.gnu.build-id", str(library)])
    for record in (*site.glob("*.dist-info/RECORD"), *site.glob("*.dist-info/direct_url.json")):
        record.unlink()  # dpkg has the list of files, and these name some that are not here


def _own_code(source: Source, root: Path, folder: Path) -> None:
    """Just what an application bundle of this commit would bring: the package is the generation that was built in."""
    compiled = folder / "tree"
    tracked = run(["git", "-C", str(source.tree), "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
    for name in filter(None, tracked.decode().split("\0")):
        if (source.tree / name).is_file():
            (compiled / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source.tree / name, compiled / name)
    run([str(PYTHON), "-P", "-m", "kiosk.l10n.build"], cwd=compiled, PYTHONPATH=str(compiled))
    bundle = folder / f"application-{source.version}.tar.gz"
    words = ["bundle", "build", "--tree", str(compiled), "--version", source.version, "--out", str(bundle)]
    run([str(PYTHON), "-m", "provisioning.fleet", *words])
    run(["tar", "-xzf", str(bundle), "-C", str(root / SITE), "--no-same-owner"])
    (root / SITE / "manifest.json").rename(_made(root / SHARE) / "manifest.json")


def _environment(root: Path) -> None:
    """A virtual environment (PEP 405): a file beside a link to its Python. The module venv would name paths of here."""
    folder = _made(root / HOME / "venv" / "bin")
    (folder / "python3").symlink_to("/usr/bin/python3")
    for name in ("python", "python3.11"):
        (folder / name).symlink_to("python3")
    (folder.parent / "pyvenv.cfg").write_text(PYVENV)


def _bytecode(source: Source, root: Path) -> None:
    """Never compared with its source again: what dpkg wrote only dpkg changes, and a start reads no file twice."""
    words = ["-q", "--invalidation-mode", "unchecked-hash", "-s", str(root), "-p", "/", str(root / SITE)]
    run(["/usr/bin/python3", "-m", "compileall", *words], SOURCE_DATE_EPOCH=str(source.epoch))


def _commands(source: Source, root: Path) -> None:
    _put(HERE / "bin" / "kiosk", root / HOME / "bin" / "kiosk", 0o755)
    _put(source.tree / BOOT, root / HOME / "bin" / "boot.py")
    (_made(root / "usr/bin") / "kiosk").symlink_to("../lib/yikatong/bin/kiosk")


def _system(source: Source, root: Path) -> None:
    """Units and the files around them.

    Raises:
        StepFailed: a file in systemd/ of which nobody said where it goes.
    """
    for path in sorted((source.tree / "systemd").rglob("*")):
        name = path.relative_to(source.tree / "systemd")
        if not path.is_file() or name == Path("README.md"):
            continue
        if path.suffix in UNIT_KINDS and len(name.parts) == 1:
            _put(path, root / UNITS / name)
        elif name.parts[0] in SYSTEM_FOLDERS:
            folder, mode = SYSTEM_FOLDERS[name.parts[0]]
            _put(path, root / folder / Path(*name.parts[1:]), mode)
        else:
            raise StepFailed(f"systemd/{name}: image/package/contents.py does not say where this goes")
    (root / "etc/yikatong").mkdir(parents=True, exist_ok=True)


def _voices(root: Path) -> None:
    """Out of the pack that set-up made: only what this catalog says, because earlier ones left theirs there."""
    voices.build(VOICES)
    for _, _, name in voices.pack():
        _put(VOICES / name, root / HOME / "voices" / name)


def _documents(source: Source, root: Path) -> None:
    _put(HERE / "README.debian", root / DOCUMENTS / "README")
    _put(source.tree / "LICENSE", root / DOCUMENTS / "copyright")
    units = source.tree / "systemd" / "README.md"
    _put(units, root / DOCUMENTS / f"systemd{units.suffix}")  # where the units' Documentation= points
    for profile in sorted((HERE / "profiles").glob("*.toml")):
        _put(profile, root / SHARE / "profiles" / profile.name)


def _put(source: Path, target: Path, mode: int = 0o644) -> None:
    _made(target.parent)
    shutil.copyfile(source, target)
    target.chmod(mode)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _plain_modes(root: Path) -> None:
    """As dpkg expects them, whatever umask this was built under."""
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            plain = 0o600 if path.name in SECRETIVE else 0o644
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else plain)
