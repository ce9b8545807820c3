"""A host's key that a TPM sealed: opened by systemd for the unit that names it, used for TLS, dead with another TPM.

The TPM is a program (swtpm) to which systemd is sent in place of a device; the disk around the key is open here, so
that the seal alone is what another board meets. An emulated board with its whole disk is in ``test_sealed_key.py``.
"""

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.appliance.container import OUTSIDE, PLACES, Container, booted, until

pytestmark = [pytest.mark.slow, pytest.mark.appliance, pytest.mark.longest(60, first=240), pytest.mark.timeout(900)]

PORT, TPM_PORT = 8443, 2321
CHIP = f"swtpm:host=127.0.0.1,port={TPM_PORT}"
TPM = f"SYSTEMD_TPM2_DEVICE={CHIP}"
KIOSK, FORWARDER = "yikatong-kiosk.service", "yikatong-forwarder.service"
NAME = "terminal.key"
SEALED = f"sealed key hosts/{NAME}"  # as doctor calls it
SETTINGS = f"""{PLACES}[hosts.social_insurance]
url = "https://{OUTSIDE}:{PORT}"
ca = "/etc/yikatong/host.pem"
certificate = "/etc/yikatong/terminal.pem"
private_key = "credential:{NAME}"
[hosts.card_platform]
url = "https://{OUTSIDE}:{PORT}"
[hosts.agency]
url = "https://{OUTSIDE}:{PORT}"
"""
# Speaks to nobody without the terminal's certificate, and writes down whose it saw.
HOST = """
import http.server, ssl, sys
folder, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
class Host(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        names = [value for part in self.connection.getpeercert()["subject"] for _, value in part]
        with open(f"{folder}/seen", "a") as seen:
            seen.write(" ".join(names) + "\\n")
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(f"{folder}/host.pem", f"{folder}/host.key")
tls.load_verify_locations(f"{folder}/terminal.pem")
tls.verify_mode = ssl.CERT_REQUIRED
server = http.server.ThreadingHTTPServer((address, port), Host)
server.socket = tls.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """host.pem, terminal.pem and their keys; each is its own authority."""
    folder = tmp_path_factory.mktemp("certificates")
    for name, more in (("host", f"subjectAltName=IP:{OUTSIDE}"), ("terminal", "extendedKeyUsage=clientAuth")):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "60",
             "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem", "-subj", f"/CN=TEST {name}",
             "-addext", more],
            check=True, capture_output=True,
        )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory, certificates: Path) -> Iterator[Container]:
    if os.geteuid() != 0:
        pytest.skip("only root boots a container")
    with booted(tmp_path_factory.mktemp("terminal"), SETTINGS, [TPM]) as container:
        for name in ("host.pem", "terminal.pem"):
            (container.etc / name).write_bytes((certificates / name).read_bytes())
            (container.etc / name).chmod(0o644)
        until(lambda: container.active(KIOSK, FORWARDER), 120, lambda: container.log()[-3000:])
        container.said("systemctl", "start", "yikatong-hosts.service")
        yield container


@contextmanager
def board(terminal: Container, state: Path) -> Iterator[None]:
    """While it lasts this TPM, and no other, is the one of the terminal's board."""
    state.mkdir(exist_ok=True)
    ports = {"server": TPM_PORT, "ctrl": TPM_PORT + 1}  # whoever speaks to a swtpm looks for the second one there
    lines = [f"--{what}=type=tcp,port={port},bindaddr=127.0.0.1" for what, port in ports.items()]
    command = ["swtpm", "socket", "--tpm2", f"--tpmstate=dir={state}", *lines, "--flags=startup-clear"]
    chip = subprocess.Popen([*of_board(terminal), *command])
    try:
        until(lambda: f"127.0.0.1:{TPM_PORT + 1}" in terminal.said("ss", "-Hltn"), 20)
        yield
    finally:
        chip.terminate()
        chip.wait(20)


def of_board(terminal: Container) -> list[str]:
    """Before the words of a command that is part of the board and not of its system."""
    return ["ip", "netns", "exec", terminal.network]


def make_room(terminal: Container) -> None:
    """What was left open in the chip goes, as the kernel sees to at /dev/tpmrm0. There is room for three."""
    subprocess.run([*of_board(terminal), "tpm2_flushcontext", "-T", CHIP, "--loaded-session"], check=True)


@contextmanager
def host(terminal: Container, folder: Path) -> Iterator[Path]:
    """The social insurance host; a file with a line for each question, saying whose certificate was shown."""
    process = subprocess.Popen(
        ["ip", "netns", "exec", terminal.world, "python3", "-c", HOST, folder, OUTSIDE, str(PORT)]
    )
    try:
        yield folder / "seen"
    finally:
        process.terminate()
        process.wait(20)


def found(terminal: Container) -> dict[str, dict[str, str]]:
    """What `kiosk doctor` says, as root, of the board as it is now."""
    make_room(terminal)
    rows = json.loads(terminal.run("env", TPM, "kiosk", "doctor", "--json").stdout)
    return {row["name"]: row for row in rows}


def seal(terminal: Container, key: bytes) -> Path:
    """As the runbook says."""
    place = f"/var/lib/yikatong/credentials/hosts/{NAME}"
    command = ["systemd-creds", "encrypt", "--with-key=host+tpm2", f"--name=key_{NAME}", "-", place]
    done = terminal.run("env", TPM, *command, stdin=key.decode())
    assert done.returncode == 0, done.stderr
    return terminal.state / "credentials" / "hosts" / NAME


def lies_in_clear(folder: Path, key: bytes) -> list[Path]:
    """Files that have a line of the key in them."""
    lines, having = key.splitlines()[1:3], []
    for path in folder.rglob("*"):
        with suppress(OSError):  # a socket
            if path.is_file() and any(line in path.read_bytes() for line in lines):
                having.append(path)
    return having


def test_another_tpm_opens_nothing_and_loses_nothing(terminal: Container, certificates: Path, tmp_path: Path) -> None:
    """With the board's own TPM the host sees the terminal's certificate; with another the unit says that it got no key
    and doctor what to do; with the first one again it serves by itself, and the sealed file is what it was."""
    key = (certificates / NAME).read_bytes()
    with host(terminal, certificates) as seen:
        with board(terminal, tmp_path / "own"):
            sealed = seal(terminal, key)
            kept = hashlib.sha256(sealed.read_bytes()).digest()
            (sealed.parent / ".new").write_bytes(b"what a power cut leaves of sealing another one")
            terminal.said("systemctl", "restart", KIOSK)
            assert terminal.said("cat", f"/run/credentials/{KIOSK}/key_{NAME}").encode() == key.strip()
            until(lambda: found(terminal)["host social_insurance"]["verdict"] == "ok", 60, lambda: str(found(terminal)))
            assert "TEST terminal" in seen.read_text()
            assert found(terminal)[SEALED] == {"name": SEALED, "verdict": "ok", "why": "this board opens it"}
            planted = terminal.state / "planted"
            planted.write_bytes(key)
            assert lies_in_clear(terminal.folder, key) == [planted], "what is there is found, and nothing else is"
            planted.unlink()
        with board(terminal, tmp_path / "strange"):
            seen.unlink()
            terminal.run("systemctl", "restart", KIOSK)
            until(lambda: "status=243/CREDENTIALS" in terminal.log(KIOSK), 60, lambda: terminal.log(KIOSK)[-2000:])
            assert not terminal.active(KIOSK)
            until(lambda: found(terminal)[SEALED]["verdict"] == "fail", 30, lambda: str(found(terminal)))
            assert "have the host issue a new key" in found(terminal)[SEALED]["why"]
            assert terminal.active(FORWARDER), "whoever has started is not thrown out"
            assert not seen.exists(), "nobody without the key was served"
        with board(terminal, tmp_path / "own"):
            until(lambda: terminal.active(KIOSK), 90, lambda: terminal.log(KIOSK)[-2000:])
            until(lambda: found(terminal)["host social_insurance"]["verdict"] == "ok", 60, lambda: str(found(terminal)))
            assert "TEST terminal" in seen.read_text()
            assert hashlib.sha256(sealed.read_bytes()).digest() == kept
            assert " rows, whole" in found(terminal)["journal"]["why"]
