"""Plain Debian 12 roots by mmdebstrap, kept under build/ by a hash of what was asked for, and rooms made of them."""

import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.tidy.sources import HOUSE

ROOTS = HOUSE / "build" / "roots"
SUITE = "bookworm"
MAKE_S_MAX = 1500.0
RUN_S_MAX = 300.0


def plain_debian(packages: Iterable[str]) -> Path:
    """A tar of a minimal Debian 12 with these packages and nothing recommended. The mirror is the machine's own.

    Raises:
        subprocess.CalledProcessError: mmdebstrap could not; its words are on standard error.
    """
    wanted = sorted(set(packages))
    ROOTS.mkdir(parents=True, exist_ok=True)
    tar = ROOTS / f"{hashlib.sha256(' '.join(wanted).encode()).hexdigest()[:16]}.tar"
    with tar.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tar.exists():
            half = tar.with_suffix(".half.tar")
            half.unlink(missing_ok=True)
            words = ["mmdebstrap", "--mode=root", "--variant=minbase", f"--include={','.join(wanted)}"]
            no_more = '--aptopt=APT::Install-Recommends "false"'
            subprocess.run([*words, no_more, SUITE, str(half)], check=True, timeout=MAKE_S_MAX)
            half.rename(tar)
    return tar


class Room:
    """A root to run programs in, with folders of this machine where they are here. Needs root.

    Each program has mounts of its own: nothing stays mounted, however it ends.
    """

    def __init__(self, tar: Path, folder: Path) -> None:
        self.root = folder
        folder.mkdir(parents=True)
        subprocess.run(["tar", "-xf", str(tar), "-C", str(folder), "--numeric-owner"], check=True, timeout=RUN_S_MAX)

    def command(self, *words: str, shared: Sequence[Path] = (), user: str = "") -> list[str]:
        """How to run ``words`` inside. ``shared``: of this machine, found at the same path inside."""
        mounts = [f"mount -t proc proc {self.root}/proc", f"mount --rbind /dev {self.root}/dev"]
        for path in shared:
            (self.root / path.relative_to("/")).mkdir(parents=True, exist_ok=True)
            mounts.append(f"mount --bind {path} {self.root}{path}")
        script = " && ".join([*mounts, 'exec "$@"'])
        inside = ["chroot", *([f"--userspec={user}"] if user else []), str(self.root), *words]
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *inside]

    def run(self, *words: str, shared: Sequence[Path] = (), check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Raises subprocess.CalledProcessError with what it said, subprocess.TimeoutExpired."""
        done = subprocess.run(
            self.command(*words, shared=shared), capture_output=True, text=True, timeout=RUN_S_MAX, check=False
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(words)}: status {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def leave(self) -> None:
        shutil.rmtree(self.root)
