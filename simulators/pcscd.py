"""A private pcscd with two virtual slots: the resident's card on the first port, a PSAM on the second.

Nothing of the system's own pcscd is touched: the server socket is passed in (systemd's socket activation), the reader
list is private, the process runs as nobody when we are root, listens on loopback only and dies with its parent.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from simulators.native.build import build

DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
READER_NAME = "Virtual PCD"
START_S_MAX = 8.0
STOP_S_MAX = 3.0
PORT_TRIES_MAX = 5
_NOBODY = 65534
# The socket travels as stdin because dash cannot name file descriptors of two digits.
_SHELL = 'exec 3<&0 </dev/null; export LISTEN_PID=$$ LISTEN_FDS=1; exec pcscd "$@"'


class PcscdError(Exception):
    """pcscd or its virtual driver did not come up; the message says how far it got."""


class PrivatePcscd:
    """``start`` it from the main thread: the kernel ties pcscd's life to the thread that started it.

    ``socket_path`` goes into PCSCLITE_CSOCK_NAME of every client before its first PC/SC call; cards connect to
    ``card_port`` and ``sam_port`` on 127.0.0.1. Reader names: "Virtual PCD 00 00" and "Virtual PCD 00 01".
    """

    def __init__(self, run_dir: Path) -> None:
        self.socket_path = run_dir / "pcscd.comm"
        self.card_port = 0
        self._run_dir = run_dir
        self._public: Path | None = None  # readable by nobody, who cannot enter run_dir
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def sam_port(self) -> int:
        return self.card_port + 1

    @property
    def pid(self) -> int:
        """Process id while it runs, else 0."""
        return self._process.pid if self._process else 0

    def __enter__(self) -> "PrivatePcscd":
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start on a free pair of ports and return when both slots listen, on loopback only.

        Raises:
            PcscdError: not installed, or no slots within START_S_MAX, for PORT_TRIES_MAX pairs of ports.
        """
        if not DRIVER.exists():
            raise PcscdError("vsmartcard-vpcd is not installed")
        self._run_dir.mkdir(parents=True, exist_ok=True)
        self._public = Path(tempfile.mkdtemp(prefix="yikatong-pcscd-"))
        self._public.chmod(0o755)
        try:
            for _ in range(PORT_TRIES_MAX):
                self.card_port = _free_pair()
                if self._launch():
                    return
            raise PcscdError("pcscd runs but its virtual slots do not listen")
        except BaseException:
            self.stop()
            raise

    def kill(self) -> None:
        """As if the power of the reader's computer side failed: SIGKILL, sockets gone."""
        if self._process:
            self._process.kill()
            self._process.wait(STOP_S_MAX)
            self._process = None
        self.socket_path.unlink(missing_ok=True)

    def restart(self) -> None:
        """Kill it if it runs and start again on the same socket and ports.

        Raises:
            PcscdError: someone took the ports meanwhile.
        """
        self.kill()
        if not self._launch():
            raise PcscdError("pcscd did not get its ports back")

    def stop(self) -> None:
        """End it and remove what it left. Idempotent."""
        self.kill()
        if self._public:
            shutil.rmtree(self._public, ignore_errors=True)
            self._public = None

    def _launch(self) -> bool:
        assert self._public
        shim = self._public / "loopback.so"
        if not shim.exists():
            shutil.copyfile(build("loopback_bind", self._run_dir / "native"), shim)
            shim.chmod(0o755)
        config = self._public / "readers"
        config.mkdir(mode=0o755, exist_ok=True)
        device = f"/dev/null:0x{self.card_port:X}"
        (config / "vpcd").write_text(
            f'FRIENDLYNAME "{READER_NAME}"\nDEVICENAME {device}\nLIBPATH {DRIVER}\nCHANNELID 0x{self.card_port:X}\n'
        )
        (config / "vpcd").chmod(0o644)
        self.socket_path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(self.socket_path))
            self.socket_path.chmod(0o666)
            server.listen(64)
            self._process = _spawn(server, config, shim)
        if self._wait_listening(time.monotonic() + START_S_MAX):
            return True
        self.kill()
        return False

    def _wait_listening(self, deadline: float) -> bool:
        wanted = {self.card_port, self.sam_port}
        while self._process and self._process.poll() is None and time.monotonic() < deadline:
            listening = _listening(self._process.pid)
            outside = {address for address, port in listening if port in wanted} - {"127.0.0.1"}
            if outside:
                raise PcscdError(f"virtual slots listen beyond loopback: {sorted(outside)}")
            if wanted <= {port for _, port in listening}:
                return True
            time.sleep(0.02)
        return False


def _spawn(server: socket.socket, config: Path, shim: Path) -> subprocess.Popen[bytes]:
    nobody = _NOBODY if os.geteuid() == 0 else None
    return subprocess.Popen(
        ["/bin/sh", "-c", _SHELL, "sh", "--foreground", "--config", str(config)],
        stdin=server.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LD_PRELOAD": str(shim)},
        user=nobody,
        group=nobody,
        extra_groups=None if nobody is None else [],
    )


def _free_pair() -> int:
    """A port that is free together with the next one, as vpcd takes two."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


def _listening(pid: int) -> set[tuple[str, int]]:
    """(address, port) of every TCP socket that this process listens on, from /proc."""
    inodes = set()
    try:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            target = str(descriptor.readlink())
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    except (FileNotFoundError, ProcessLookupError):
        return set()
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and fields[9] in inodes:
            address, port = fields[1].split(":")
            found.add((socket.inet_ntoa(bytes.fromhex(address)[::-1]), int(port, 16)))
    return found
