"""Builds the Dockerfile without an engine: buildah, overlays for storage, chroot for isolation.

What this cannot show: the base of the hub, an engine's own limits, a network between containers (they share ours here).
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.appliance.roots import plain_debian
from tests.tidy.sources import HOUSE

STORE = HOUSE / "build" / "containers"
BASE = "localhost/yikatong-base:12"
STEP_S_MAX = 1500.0
PATHS = re.compile(r"(?:^|(?<=[\s'\"])|(?<=file://))(/[^\s'\"]+)")


@dataclass(frozen=True)
class Buildah:
    """``pip_conf``: where this machine's own settings of pip are put together for the builds."""

    pip_conf: Path

    def command(self, *words: str) -> list[str]:
        places = ["--root", str(STORE / "store"), "--runroot", str(STORE / "run"), "--storage-driver", "overlay"]
        return ["buildah", *places, *words]

    def run(self, *words: str) -> str:
        """Raises AssertionError with the last words of what failed; subprocess.TimeoutExpired."""
        done = subprocess.run(
            self.command(*words), cwd=HOUSE, capture_output=True, text=True, timeout=STEP_S_MAX, check=False
        )
        if done.returncode:
            raise AssertionError(f"buildah {words[0]}: {done.stdout[-1500:]}\n{done.stderr[-1500:]}")
        return done.stdout.strip()

    def base(self) -> None:
        """A minimal Debian in the place of the hub's; made once for one list of packages."""
        tar = plain_debian(["ca-certificates", "python3"])
        if tar.stem in self.run("images", "--noheading", "--format", "{{.Name}}:{{.Tag}}"):
            return
        folder = STORE / "base"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "base.tar").unlink(missing_ok=True)
        (folder / "base.tar").hardlink_to(tar)
        (folder / "Dockerfile").write_text("FROM scratch\nADD base.tar /\n")
        self.run("bud", *self._form(), "--tag", BASE, "--tag", f"localhost/yikatong-base:{tar.stem}", str(folder))

    def build(self, target: str) -> str:
        """The finished image's name. Steps that nothing changed come from the store."""
        name = f"localhost/yikatong-{target}:test"
        self.base()
        words = ["--layers", "--build-arg", f"BASE={BASE}", "--target", target, *self._pip(), "--tag", name]
        self.run("bud", *self._form(), *words, ".")
        return name

    def _form(self) -> list[str]:
        return ["--isolation", "chroot", "--format", "docker"]  # another format has no HEALTHCHECK

    def _pip(self) -> Iterator[str]:
        """Mirrors and proxies of this machine, as volumes of the build: nothing of them stays in the image."""
        listed = subprocess.run(
            [str(HOUSE / ".venv/bin/pip"), "config", "list"], capture_output=True, text=True, check=True, timeout=60
        )
        pairs = [line.partition("=") for line in listed.stdout.splitlines()]
        told = {name.rpartition(".")[2]: value.strip("'\"") for name, _, value in pairs}
        if "cert" in told:  # at a path that no package of the container writes
            told["cert"] = str(shutil.copyfile(told["cert"], self.pip_conf.with_suffix(".pem")))
        lines = [f"{name} = " + value.replace("\\n", "\n    ") for name, value in told.items()]
        self.pip_conf.write_text("[global]\n" + "\n".join(lines) + "\n")
        yield from ("--volume", f"{self.pip_conf}:/etc/pip.conf:ro")
        paths = {Path(found) for value in told.values() for found in PATHS.findall(value)}
        # An index in a folder names its files beside itself (PEP 503).
        for path in sorted({path.parent if path.name == "simple" else path for path in paths if path.exists()}):
            yield from ("--volume", f"{path}:{path}:ro")
