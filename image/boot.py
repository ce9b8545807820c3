"""How a terminal starts: GRUB in one file, with its script inside, on a small FAT partition that nothing writes to.

The script (grub.cfg beside this file) is packed into the program: nobody edits it on the way, and there is no menu.
"""

import io
import tarfile
from pathlib import Path

from image.package.steps import run
from image.root import EPOCH

HERE = Path(__file__).resolve().parent
GRUB = Path("/usr/lib/grub/x86_64-efi")
# Only what the script names: what is not there cannot be asked for.
MODULES = (
    "part_gpt", "fat", "ext2", "memdisk", "tar", "normal", "loadenv", "regexp", "probe", "test", "true", "echo",
    "linux", "boot", "reboot", "sleep", "all_video",
)  # fmt: skip
WORDS = (
    "ro rootfstype=ext4 quiet loglevel=0 systemd.show_status=false rd.systemd.show_status=false systemd.gpt_auto=0 "
    "vt.global_cursor_default=0 consoleblank=0 panic=10 fsck.mode=skip"
)
ESP_MIB, STATE_MIB = 128, 16
GRUBENV_BYTES = 1024
# B is empty until the first update fills it: the boot loader must not try it (RAUC's names, one more try each).
FIRST_STATE = {"ORDER": "A B", "A_OK": "1", "A_TRY": "0", "B_OK": "0", "B_TRY": "0"}


def make_esp(target: Path, words: str = "") -> Path:
    """The first partition. ``words``: more for the kernel; an image that is delivered has none."""
    program = target.with_name("BOOTX64.EFI")
    memory = target.with_name("memdisk.tar")
    _pack(memory, "boot/grub/grub.cfg", script(words))
    modules = ["grub-mkimage", "-O", "x86_64-efi", "-d", str(GRUB), "-m", str(memory), "-p", "(memdisk)/boot/grub"]
    run([*modules, "-o", str(program), *MODULES])
    _fat(target, ESP_MIB, "ESP", {"EFI/BOOT/BOOTX64.EFI": program})
    return target


def make_state(target: Path, local: Path | None = None) -> Path:
    """The second partition: what the boot loader and RAUC tell each other, twice. ``local``: a folder with the facts of
    the box that the disk is for, taken from there at its first start (image/README.md)."""
    block = target.with_name("grubenv")
    block.write_bytes(environment_block(FIRST_STATE))
    facts = {f"local/{path.relative_to(local)}": path for path in files_of(local)} if local else {}
    _fat(target, STATE_MIB, "STATE", {"grubenv": block, "grubenv.spare": block, **facts})
    return target


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def script(words: str) -> str:
    return (HERE / "grub.cfg").read_text().replace("@WORDS@", f"{WORDS} {words}".strip())


def environment_block(values: dict[str, str]) -> bytes:
    """As grub-editenv writes it: a line to know it by, NAME=value lines, and # to 1024 bytes."""
    lines = "".join(f"{name}={value}\n" for name, value in values.items())
    return f"# GRUB Environment Block\n{lines}".encode().ljust(GRUBENV_BYTES, b"#")


def _pack(target: Path, name: str, content: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime = len(content.encode()), EPOCH
    with tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as archive:
        archive.addfile(entry, io.BytesIO(content.encode()))


def _fat(target: Path, mib: int, label: str, files: dict[str, Path]) -> None:
    """Without mounting it, and with nothing by chance in it."""
    target.unlink(missing_ok=True)
    run(["mkfs.vfat", "-C", "--invariant", "-F", "32" if mib > 64 else "16", "-n", label, str(target), str(mib * 1024)])
    folders = sorted({str(parent) for name in files for parent in Path(name).parents if str(parent) != "."}, key=len)
    for folder in folders:
        _filled(["mmd", "-i", str(target), f"::{folder}"])
    for name, source in files.items():
        _filled(["mcopy", "-i", str(target), str(source), f"::{name}"])


def _filled(command: list[str]) -> None:
    """FAT keeps when a file was made, to two seconds."""
    run(command, SOURCE_DATE_EPOCH=str(EPOCH), TZ="UTC")
