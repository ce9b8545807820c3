"""A disk for one emulated terminal: the image as it is built, what is true of this box alone, and eyes for the test.

The eyes are the only thing that a delivered image does not have: one unit and one environment variable, which write to
the serial line which question stands and where its answers are (``screens/map.py``: no texts, no personal data, never
in production), and what the units log. Fingers touch by it; pictures are looked at beside it. The agent is masked,
because this box has no fleet.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import msgspec

from image.disk import first_mib
from simulators.smoke.glass import Glass, View

MIB = 1 << 20
STATE, SLOT_A, DATA = 2, 3, 5  # numbers of partitions
DATA_MIB = 1024
TOOL_S_MAX = 120.0
STICK_MIB, SECTOR = 16, 512
UNITS = "/etc/systemd/system"
MARK = "eyes "
_EYES = f"""#!/bin/sh
exec > /dev/ttyS0
journalctl --follow --lines=all --output=short-monotonic &
f=/run/yikatong/screen.json seen=/run/eyes
touch -d @0 $seen  # this shell finds nothing newer than a file that is not there
while sleep 0.3; do
	[ "$f" -nt $seen ] || continue
	cp -p $f $seen.new && mv $seen.new $seen && printf '\\n{MARK}%s\\n' "$(cat $seen)"
done
"""
_UNIT = """[Unit]
Description=A test looks at the glass
[Service]
ExecStart=/bin/sh /etc/systemd/system/eyes.sh
"""
_DROP_IN = """[Service]
Environment=YIKATONG_SCREEN_MAP=1
"""


class SerialGlass(Glass):
    """Sees by what the eyes wrote last; ``path`` is the log of the serial line."""

    def look(self) -> View:
        for line in reversed(self.path.read_text(errors="replace").splitlines()):
            found = line.partition(MARK)[2]
            if found.startswith("{") and found.endswith("}"):
                return _view(found)
        return View()


def _view(line: str) -> View:
    try:
        return msgspec.json.decode(line, type=View)
    except msgspec.MsgspecError:
        return View()  # somebody else wrote in between; the next one comes


def make_disk_for(image: Path, target: Path, box: Path) -> Path:
    """With eyes. ``box``: what goes to /etc/yikatong at the first start. Raises AssertionError: a tool refused."""
    settled_disk(image, target, box)
    files = {"eyes.sh": _EYES, "eyes.service": _UNIT, "yikatong-kiosk.service.d/eyes.conf": _DROP_IN}
    no_agent = {"yikatong-agent.service": "/dev/null"}  # no fleet; importing it costs a minute here
    give_units(target, files, {"multi-user.target.wants/eyes.service": f"{UNITS}/eyes.service", **no_agent})
    return target


def settled_disk(image: Path, target: Path, box: Path) -> Path:
    """As it is delivered to a place: the image, and what is true of this box. Raises AssertionError: a tool refused."""
    raw_disk(image, target)
    _run("mcopy", "-s", "-i", f"{target}@@{first_mib(STATE)}M", str(box), "::local")
    return target


def raw_disk(image: Path, target: Path) -> Path:
    """The image on a disk that has room for data, as one plain file."""
    _run("cp", "--sparse=always", str(image), str(target))
    os.truncate(target, target.stat().st_size + DATA_MIB * MIB)
    return target


def make_stick(target: Path) -> Path:
    """A stick as people carry them: one FAT partition, and on it something of theirs."""
    with target.open("wb") as file:
        file.truncate(STICK_MIB * MIB)
    table = subprocess.run(
        [_tool("sfdisk"), "-q", str(target)],
        input=f"start={MIB // SECTOR}, type=c\n",
        text=True,
        timeout=TOOL_S_MAX,
        check=False,
    )
    assert table.returncode == 0
    _run("mkfs.vfat", f"--offset={MIB // SECTOR}", str(target), str((STICK_MIB - 1) * 1024))
    theirs = target.with_suffix(".txt")
    theirs.write_text("not for a terminal")
    _run("mcopy", "-i", f"{target}@@1M", str(theirs), "::letter.txt")
    return target


def give_units(disk: Path, files: Mapping[str, str], links: Mapping[str, str]) -> None:
    """Into slot A, below systemd's own folder: what a test reads or does inside. ``links``: name -> what it points to.

    Raises:
        AssertionError: a tool refused; its words are in it.
    """
    slot = f"{disk}?offset={first_mib(SLOT_A) * MIB}"
    _run("tune2fs", "-O", "^read-only", slot)
    places = sorted({str(Path(name).parent) for name in (*files, *links)} - {"."})
    words = [f"mkdir {UNITS}/{place}" for place in places]  # one that is there already stays
    for number, (name, content) in enumerate(files.items()):
        given = disk.with_name(f"given{number}")
        given.write_text(content)
        words.append(f"write {given} {UNITS}/{name}")
    words += [f"symlink {UNITS}/{name} {target}" for name, target in links.items()]
    script = disk.with_name("debugfs.txt")
    script.write_text("\n".join(words) + "\n")
    _run("debugfs", "-w", "-f", str(script), slot)
    _run("tune2fs", "-O", "read-only", slot)


def boot_state(disk: Path) -> dict[str, str]:
    """What the boot loader knows of its slots: RAUC's variables. The disk is not in use."""
    block = _run("mtype", "-i", f"{disk}@@{first_mib(STATE)}M", "::grubenv")
    return dict(line.split("=", 1) for line in block.splitlines() if "=" in line)


def kept_on(disk: Path, folder: str, target: Path) -> Path:
    """A copy of ``folder`` of the terminal's /var, as the next start would find it. The disk is not in use."""
    part = _data_of(disk, target.with_suffix(".ext4"))
    mended = subprocess.run([_tool("e2fsck"), "-fp", str(part)], capture_output=True, timeout=TOOL_S_MAX, check=False)
    assert mended.returncode in (0, 1), mended.stdout[-500:]
    target.mkdir(parents=True)
    _run("debugfs", "-R", f"rdump {folder} {target}", str(part))
    part.unlink()
    return target / Path(folder).name


def _data_of(disk: Path, target: Path) -> Path:
    table = json.loads(_run("sfdisk", "--json", str(disk)))["partitiontable"]
    part = next(one for one in table["partitions"] if one.get("name") == "data")
    place = table.get("sectorsize", 512)
    _run(
        "dd", f"if={disk}", f"of={target}", "bs=1M", "conv=sparse", "iflag=skip_bytes,count_bytes",
        f"skip={part['start'] * place}", f"count={part['size'] * place}",
    )  # fmt: skip
    return target


def _run(program: str, *words: str) -> str:
    done = subprocess.run(
        [_tool(program), *words], capture_output=True, text=True, timeout=TOOL_S_MAX, check=False,
        env={**os.environ, "MTOOLS_SKIP_CHECK": "1", "LC_ALL": "C"},
    )  # fmt: skip
    assert done.returncode == 0, f"{program}: {done.stderr[-800:]}{done.stdout[-800:]}"
    return done.stdout


def _tool(name: str) -> str:
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin") or name
