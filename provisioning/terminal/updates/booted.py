"""What this machine was started as: a slot, a version, and a start that nothing else shares."""

from dataclasses import dataclass
from pathlib import Path

from provisioning.terminal.updates.boot import running_image

SLOT = "rauc.slot="  # on the kernel's command line, by the boot loader


@dataclass(frozen=True)
class Booted:
    """``slot``: A or B. ``boot``: the kernel's own number of this start."""

    slot: str
    version: str
    boot: str


def read_booted(root: Path = Path("/")) -> Booted | None:
    """None: not a machine with two slots, e.g. a Debian with our package. Raises OSError."""
    words = (root / "proc" / "cmdline").read_text(errors="replace").split()
    slot = next((word.removeprefix(SLOT) for word in words if word.startswith(SLOT)), "")
    version = running_image(root / "etc" / "os-release")
    if not slot or not version:
        return None
    return Booted(slot, version, (root / "proc" / "sys" / "kernel" / "random" / "boot_id").read_text().strip())
