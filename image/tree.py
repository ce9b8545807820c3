"""The files of a root slot: Debian's, the package of the kiosk, and what makes the two an appliance (files/)."""

import os
import shutil
from pathlib import Path

from image.package.steps import HOUSE, run
from image.root import EPOCH, listed

RECIPE = HOUSE / "image"
# Units that an appliance has no use for: consoles, package upkeep, and what writes to a root that cannot be written to.
MASKED = (
    "getty.target", "getty@.service", "serial-getty@.service", "console-getty.service", "container-getty@.service",
    "autovt@.service", "debug-shell.service", "ctrl-alt-del.target", "systemd-ask-password-console.path",
    "systemd-ask-password-wall.path", "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer",
    "e2scrub_all.timer", "e2scrub_reap.service", "systemd-machine-id-commit.service", "systemd-firstboot.service",
    "systemd-hwdb-update.service", "systemd-journal-catalog-update.service", "systemd-update-done.service",
    "systemd-remount-fs.service", "ldconfig.service", "systemd-sysusers.service", "systemd-pcrphase.service",
    "systemd-pcrphase-sysinit.service", "pcscd.socket", "pcscd.service", "wpa_supplicant.service",
    "usbguard.service", "usbguard-dbus.service",
)  # fmt: skip
ENABLED = (
    "systemd-networkd.service", "systemd-resolved.service", "systemd-timesyncd.service", "boot-state.mount",
    "var.mount", "tmp.mount", "yikatong-boot-state.service", "yikatong-local.service", "yikatong.target",
)  # fmt: skip

NEEDED = "var.mount"


def make_tree(root: Path, package: Path, tree: Path, version: str, authority: Path | None) -> Path:
    """Unpack ``root`` (a tar of Debian), install ``package`` (.deb), make it an appliance. Needs root.

    ``version``: by which updates know it. ``authority``: PEM, whose signers make bundles; None: it installs none.

    Raises:
        StepFailed: a step failed; the message names the tool.
    """
    if tree.exists():
        shutil.rmtree(tree)
    tree.mkdir(parents=True)
    run(["tar", "-xf", str(root), "-C", str(tree), "--numeric-owner", "--xattrs"])
    install(tree, package)
    run(["cp", "-a", "--no-preserve=ownership", f"{RECIPE / 'files'}/.", str(tree)])
    choose_units(tree)
    make_kernel(tree)
    fit_for_reading(tree)
    name_it(tree, version, authority)
    leave_out(tree)
    run(["find", str(tree), "-newermt", f"@{EPOCH}", "-exec", "touch", "-h", "-d", f"@{EPOCH}", "{}", "+"])
    return tree


def install(tree: Path, package: Path) -> None:
    """Its scripts make the users and switch the units on; dpkg says which of its dependencies is not there."""
    inside = tree / "yikatong.deb"
    shutil.copyfile(package, inside)
    # systemd-tmpfiles, which its script asks, wants /proc: mounted for this command alone, in a namespace of its own.
    with_proc = 'mount -t proc proc "$0/proc" && exec chroot "$0" dpkg --install /yikatong.deb'
    run(
        ["unshare", "--mount", "sh", "-c", with_proc, str(tree)],
        DEBIAN_FRONTEND="noninteractive",
        SOURCE_DATE_EPOCH=str(EPOCH),
    )
    inside.unlink()


def choose_units(tree: Path) -> None:
    shutil.copyfile(tree / "usr/share/systemd/tmp.mount", tree / "usr/lib/systemd/system/tmp.mount")
    run(["systemctl", f"--root={tree}", "--quiet", "mask", *MASKED])
    for name in ENABLED:
        if name.endswith(".mount"):
            # Without its data a terminal is no terminal: it starts anew, and the boot loader counts.
            kind = "requires" if name == NEEDED else "wants"
            place = tree / f"etc/systemd/system/local-fs.target.{kind}" / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.unlink(missing_ok=True)
            place.symlink_to(f"/usr/lib/systemd/system/{name}")
        else:
            run(["systemctl", f"--root={tree}", "--quiet", "enable", name])


def make_kernel(tree: Path) -> None:
    """Leave out drivers, then the first file system for what is left; the boot loader knows both by one name."""
    (modules,) = (tree / "usr/lib/modules").iterdir()
    for name in listed(RECIPE / "drivers-left-out.txt"):
        path = modules / "kernel" / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    run(["chroot", str(tree), "depmod", modules.name])
    run(["chroot", str(tree), "mkinitramfs", "-o", "/boot/initrd.img", modules.name], SOURCE_DATE_EPOCH=str(EPOCH))
    boot = tree / "boot"
    (boot / f"vmlinuz-{modules.name}").rename(boot / "vmlinuz")
    for old in [
        *boot.glob("*-*"),
        tree / "vmlinuz",
        tree / "initrd.img",
        tree / "vmlinuz.old",
        tree / "initrd.img.old",
    ]:
        old.unlink(missing_ok=True)
    (boot / "state").mkdir()


def fit_for_reading(tree: Path) -> None:
    """What Debian writes to /etc while it runs lies in /run instead, or is there already."""
    for name, target in {
        "etc/resolv.conf": "../run/systemd/resolve/stub-resolv.conf",
        "etc/localtime": "/usr/share/zoneinfo/Asia/Shanghai",
        "etc/mtab": "../proc/self/mounts",
    }.items():
        (tree / name).unlink(missing_ok=True)
        (tree / name).symlink_to(target)
    (tree / "etc/hostname").write_text("yikatong\n")
    (tree / "etc/hosts").write_text("127.0.0.1 localhost yikatong\n::1 localhost\n")
    (tree / "etc/fstab").write_text("# Mounts are units: var.mount, boot-state.mount, tmp.mount.\n")
    # What is true of one box alone lies on its data partition (yikatong-local.service).
    shutil.rmtree(tree / "etc/yikatong", ignore_errors=True)
    (tree / "etc/yikatong").symlink_to("../var/lib/yikatong-image/local")
    # Nobody signs in: no password, no shell, and a prompt nowhere.
    run(["chroot", str(tree), "passwd", "--quiet", "--lock", "root"])


def name_it(tree: Path, version: str, authority: Path | None) -> None:
    """What updates go by (image/bundle/README.md)."""
    os_release = tree / "usr/lib/os-release"
    os_release.write_text(os_release.read_text() + f'IMAGE_ID=yikatong\nIMAGE_VERSION="{version}"\n')
    (tree / "etc/rauc").mkdir(exist_ok=True)
    shutil.copyfile(RECIPE / "bundle" / "system.conf", tree / "etc/rauc/system.conf")
    if authority is not None:
        shutil.copyfile(authority, tree / "etc/rauc/keyring.pem")


def leave_out(tree: Path) -> None:
    dpkg = tree / "usr/lib/yikatong-image/dpkg"
    dpkg.mkdir(parents=True)
    (tree / "var/lib/dpkg/status").rename(dpkg / "status")  # what is installed, for a person from service
    shutil.rmtree(tree / "var/lib/dpkg")
    for name in listed(RECIPE / "files-left-out.txt"):
        path = tree / name
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
    # Empty and not "uninitialized": this is no first start of systemd's, and the number comes from the boot loader.
    (tree / "etc/machine-id").touch(mode=0o444)
    for name in ("dev", "proc", "sys", "run", "tmp"):
        for left in os.scandir(tree / name):
            shutil.rmtree(left.path) if left.is_dir(follow_symlinks=False) else Path(left.path).unlink()
