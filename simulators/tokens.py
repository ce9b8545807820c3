"""Tokens to keep a key in, on a laptop: Debian's SoftHSM, and its software TPM behind tpm2-pkcs11. Both are real
PKCS#11; only the silicon is not there.
"""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"
TPM2 = "/usr/lib/x86_64-linux-gnu/pkcs11/libtpm2_pkcs11.so"
LABEL = "yikatong"
PIN = "135790"  # TEST
OFFICER_PIN = "12345678"  # TEST
START_S_MAX = 20.0


class TokenUnusable(Exception):
    """Not installed, or it does not start; the message has its last words."""


@dataclass(frozen=True)
class SimulatedToken:
    """As an installer would hand it over: which library, which token, where its PIN is, what the library must know."""

    module: str
    pin_file: Path
    label: str = LABEL
    environment: Mapping[str, str] = field(default_factory=dict)

    def let_go(self) -> None:
        """What a program that ended left loaded in the TPM: its kernel would do this when the program's line closes."""
        told = {**os.environ, "TPM2TOOLS_TCTI": self.environment.get("TPM2_PKCS11_TCTI", "")}
        for kind in ("-t", "-l", "-s") if self.module == TPM2 else ():
            subprocess.run(["tpm2_flushcontext", kind], env=told, capture_output=True, timeout=10, check=False)


def softhsm(folder: Path) -> SimulatedToken:
    """An empty token whose secrets are files in ``folder``."""
    (folder / "tokens").mkdir(parents=True, exist_ok=True)
    settings = folder / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    return _initialised(folder, SOFTHSM, {"SOFTHSM2_CONF": str(settings)})


@contextmanager
def software_tpm(folder: Path) -> Iterator[SimulatedToken]:
    """A TPM 2.0 for as long as the block. ``folder``: short, for its UNIX sockets.

    It has no resource manager, as /dev/tpmrm0 is one: one program at a time speaks to it.
    """
    for made in ("state", "store"):
        (folder / made).mkdir(parents=True, exist_ok=True)
    line = folder / "s"
    environment = {"TPM2_PKCS11_STORE": str(folder / "store"), "TPM2_PKCS11_TCTI": f"swtpm:path={line}"}
    # The library looks for the control socket beside the other, by this very name.
    wish = ("--server", f"type=unixio,path={line}", "--ctrl", f"type=unixio,path={line}.ctrl")
    flags = ("--flags", "not-need-init,startup-clear", "--tpmstate", f"dir={folder}/state")
    with (folder / "log").open("ab") as log:
        tpm = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "swtpm", "socket", "--tpm2", *flags, *wish],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for(line, tpm)
        yield _initialised(folder, TPM2, environment)
    finally:
        tpm.terminate()
        tpm.wait(10)


def _wait_for(line: Path, tpm: "subprocess.Popen[bytes]") -> None:
    ends = time.monotonic() + START_S_MAX
    while not line.exists():
        if tpm.poll() is not None or time.monotonic() > ends:
            raise TokenUnusable("swtpm does not start")
        time.sleep(0.02)


def _initialised(folder: Path, module: str, environment: dict[str, str]) -> SimulatedToken:
    """tpm2_ptool would do it for a TPM, but fills one that has no resource manager ("out of memory for object
    contexts"); what every token understands is enough."""
    told = {**os.environ, **environment, "NEW": PIN, "OFFICER": OFFICER_PIN}
    begin = ["pkcs11-tool", "--module", module]
    _must([*begin, "--init-token", "--slot-index", "0", "--label", LABEL, "--so-pin", "env:OFFICER"], told)
    officer = ["--login", "--login-type", "so", "--so-pin", "env:OFFICER"]
    _must([*begin, "--token-label", LABEL, *officer, "--init-pin", "--new-pin", "env:NEW"], told)
    pin_file = folder / "pin"
    pin_file.touch(mode=0o600)
    pin_file.write_text(PIN + "\n")
    return SimulatedToken(module, pin_file, environment=environment)


def _must(command: list[str], environment: Mapping[str, str]) -> None:
    try:
        answer = subprocess.run(command, env=environment, capture_output=True, timeout=30, check=False)
    except OSError as error:
        raise TokenUnusable(f"{command[0]}: {error.strerror}") from error
    if answer.returncode:
        raise TokenUnusable(answer.stderr.decode(errors="replace")[-300:])
