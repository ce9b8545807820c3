"""Whether this board opens the keys that lie sealed on its disk (``settings/credentials.py``).

A unit whose key is not opened does not start (status 243), and says no more than that. Only root can ask, as a person
at a package installation does; what comes out of the seal goes nowhere.
"""

import base64
import binascii
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from kiosk.doctor.findings import Finding
from kiosk.settings.credentials import PREFIX, SEALED

TOOL = "systemd-creds"
TOOL_S_MAX = 30.0  # a TPM takes seconds at worst
WORDS_MAX = 200
FOR_NOW = "tpm:warn("  # how TSS writes the codes of a TPM that would answer another time
BOARDS_TPM = Path("/dev/tpmrm0")
# What a credential begins with that no TPM had a part in: systemd's CRED_AES256_GCM_BY_HOST.
BY_HOST_ALONE = bytes.fromhex("5a1c6a86df9d4096b1d5a65e0862f19a")
NEXT = (
    "sealed by another board, or this one's TPM was reset or its firmware's boot keys changed; nothing else is lost: "
    "have the host issue a new key and seal it here (runbook, replace-a-part)"
)


def sealed_findings(folder: Path = SEALED, tool: str = TOOL, tpm: Path = BOARDS_TPM) -> Iterator[Finding]:
    """One for each sealed key of this terminal's units; none where nobody brought one, or where this user cannot look.
    Blocks for as long as the TPM takes."""
    for file in sorted(folder.glob("*/*")):
        if not file.name.startswith(".") and os.access(file, os.R_OK):
            yield _finding(file, tool, tpm)


def _finding(file: Path, tool: str, tpm: Path) -> Finding:
    name = f"sealed key {file.parent.name}/{file.name}"
    command = [tool, "decrypt", f"--name={PREFIX}{file.name}", str(file), "-"]
    try:
        done = subprocess.run(  # fixed words and a file of root's own folder, never a shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the key itself
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            timeout=TOOL_S_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as silent:
        return Finding(name, "unknown", f"{tool} does not answer: {type(silent).__name__}")
    if done.returncode != 0 and FOR_NOW in done.stderr:
        return Finding(name, "unknown", "the board's TPM has no room for the question now: ask again")
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1][:WORDS_MAX]
        return Finding(name, "fail", f"this board does not open it ({said}): {NEXT}")
    if tpm.exists() and _begins(file) == BY_HOST_ALONE:
        return Finding(name, "warn", "opened, but the board's TPM has no part in it: whoever copies the disk has it")
    return Finding(name, "ok", "this board opens it")


def _begins(file: Path) -> bytes:
    try:
        return base64.b64decode(file.read_bytes(), validate=False)[: len(BY_HOST_ALONE)]
    except (OSError, binascii.Error):
        return b""
