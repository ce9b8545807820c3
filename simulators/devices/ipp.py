"""The A4 printer: a real ``ippeveprinter`` on loopback, whose sheets can be looked at and whose faults can be set.

ippeveprinter (CUPS) is an independent implementation of the printer's side of IPP Everywhere. It insists on a system
bus for DNS-SD even when told to announce nothing, so it gets a private, empty one: no avahi, no root, nothing outside
loopback. It calls our small script for each document; the script hands the sheet over and acts out the faults.
"""

import contextlib
import errno
import os
import re
import shlex
import shutil
import socket
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import trio

from simulators.processes import Child, ChildEnded, Children

FAULTS = ("paper_out", "paper_low", "cover_open", "slow", "abort", "unplugged")
_START_S = 10.0
_REPLY_S = 5.0
_RENDER_S = 20.0
_SHEETS_MAX = 50
_LEVELS = {"": (250, 25), "paper_low": (10, 10), "paper_out": (0, 0)}  # sheets in the main tray and the by-pass tray

_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy>
</busconfig>
"""

# Called with the document's path. STATE lines go to the printer. ippeveprinter does not tell its command of a cancelled
# job, so the script asks as any client would; waits are counted in half seconds and bounded.
_SCRIPT = """#!/bin/sh
cd {place} || exit 1
left=240
pause() {{
  sleep 0.4
  left=$((left - 1))
  [ $left -gt 0 ] || exit 1
  ipptool -q -T 5 -d job-id="$IPP_JOB_ID" {uri} stopping.test && exit 0
}}
if [ -e faults/cover_open ]; then
  echo 'STATE: +cover-open-error' >&2
  grep -q '^%CONTROL' "$1" && exit 0
  while [ -e faults/cover_open ]; do pause; done
fi
echo 'STATE: -cover-open-error' >&2
grep -q '^%CONTROL' "$1" && exit 0
if [ -e faults/slow ]; then sleep {slow}; fi
if [ -e faults/abort ]; then exit 1; fi
while [ -e faults/paper_out ]; do pause; done
name=$$.$(basename "$1")
mv "$1" "sheets/$name" && echo "$name" > done
"""
_STOPPING = """{{
  NAME "Whether the job is being cancelled"
  OPERATION Get-Job-Attributes
  GROUP operation-attributes-tag
  ATTR charset attributes-charset utf-8
  ATTR naturalLanguage attributes-natural-language en
  ATTR uri printer-uri $uri
  ATTR integer job-id $job-id
  STATUS successful-ok
  EXPECT job-state-reasons OF-TYPE keyword IN-GROUP job-attributes-tag WITH-VALUE "processing-to-stop-point"
}}
"""
_CONTROL = b"%PDF-1.4\n%CONTROL\n%%EOF\n"


@dataclass(frozen=True)
class Sheet:
    """What lies in the outlet: one printed document."""

    id: int
    pdf: bytes

    async def pages(self, dots_per_inch: int = 72) -> list[bytes]:
        """Each page as PNG, rendered by pdftoppm. Raises ValueError: not a PDF that can be rendered."""
        return await _rendered(self.pdf, dots_per_inch)


class IppPrinter:
    """Start ``run`` in a nursery; it reports started once the printer answers. Cancel it to end all its processes."""

    def __init__(
        self,
        run_dir: Path,
        *,
        port: int = 0,
        formats: str = "application/pdf",
        slow_s: float = 6.0,
        on_sheet: Callable[[Sheet], None] | None = None,
    ) -> None:
        self.port = port or _free_port()
        self.sheets: list[Sheet] = []
        self.faults: set[str] = set()
        self.on_sheet = on_sheet
        self._formats = formats
        self._slow_s = slow_s
        self._place = run_dir / "page_printer"
        self._children: Children | None = None
        self._printer: Child | None = None
        self._next_id = 1

    @property
    def uri(self) -> str:
        return f"ipp://127.0.0.1:{self.port}/ipp/print"  # a bare machine may lack the name localhost

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Raises ChildEnded: it would not start; OSError: a program is missing."""
        self._lay_out()
        self._children = Children(self._place / "logs")
        done = os.open(self._place / "done", os.O_RDWR | os.O_NONBLOCK)
        try:
            self._children.start("bus", _quiet_bus(), cwd=self._place)
            await self._wait(lambda: (self._place / "bus").exists())
            await self.plug()
            task_status.started()
            await self._collect(done)
        finally:
            os.close(done)
            with trio.CancelScope(shield=True):
                await self._children.stop_all()

    def _lay_out(self) -> None:
        for folder in ("spool", "sheets", "faults", "keys", "logs"):
            (self._place / folder).mkdir(parents=True, exist_ok=True)
        (self._place / "bus.conf").write_text(_BUS)
        (self._place / "bus").unlink(missing_ok=True)
        self._empty("faults", "sheets", "spool")
        script = self._place / "print.sh"
        script.write_text(
            _SCRIPT.format(place=shlex.quote(str(self._place.absolute())), slow=self._slow_s, uri=shlex.quote(self.uri))
        )
        (self._place / "stopping.test").write_text(_STOPPING.format())
        script.chmod(stat.S_IRWXU)
        (self._place / "done").unlink(missing_ok=True)
        os.mkfifo(self._place / "done", 0o600)

    def _empty(self, *folders: str) -> None:
        for folder in folders:
            for left in (self._place / folder).iterdir():
                left.unlink()

    # --- hands ----------------------------------------------------------------------------------------------------

    async def set_fault(self, name: str, on: bool) -> None:
        """Raises LookupError: no such fault."""
        if name not in FAULTS:
            raise LookupError(name)
        self.faults = self.faults | {name} if on else self.faults - {name}
        flag = self._place / "faults" / name
        if on:
            flag.touch()
        else:
            flag.unlink(missing_ok=True)
        if name == "unplugged":
            await (self.unplug() if on else self.plug())
        elif self._printer is not None and name in ("paper_out", "paper_low"):
            await self._fill_trays()
        elif self._printer is not None and name == "cover_open":
            await self._act_out()

    async def unplug(self) -> None:
        """Nobody answers at the address any more; jobs inside are lost."""
        if self._printer is not None and self._children is not None:
            await self._children.kill(self._printer)
            self._printer = None
            self._empty("spool")

    async def plug(self) -> None:
        """Raises ChildEnded: it would not start."""
        if self._printer is not None or self._children is None:
            return
        command = [
            _program("ippeveprinter"),
            "-r",
            "off",
            "-K",
            "keys",
            "-n",
            "localhost",
            "-p",
            str(self.port),
            "-d",
            "spool",
        ]
        command += ["-c", str((self._place / "print.sh").absolute()), "-f", self._formats, "-s", "60,0", "A4"]
        self._printer = self._children.start(
            "ippeveprinter", command, env={"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=bus"}, cwd=self._place
        )
        await self._wait(self._answers)
        await self._fill_trays()
        if "cover_open" in self.faults:
            await self._act_out()

    async def _fill_trays(self) -> None:
        """By the printer's own web form, as a person with a browser would."""
        level = "paper_out" if "paper_out" in self.faults else "paper_low" if "paper_low" in self.faults else ""
        main, by_pass = _LEVELS[level]
        a4 = "iso_a4_210x297mm"
        form = f"size1={a4}&type1=stationery&level1={main}&size3={a4}&type3=stationery&level3={by_pass}"
        with trio.fail_after(_REPLY_S):
            async with await trio.open_tcp_stream("127.0.0.1", self.port) as stream:
                await stream.send_all(f"GET /media?{form} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                await stream.receive_some(4096)

    async def _act_out(self) -> None:
        """The printer changes its state only while it prints: give it an empty document that prints nothing."""
        document = self._place / "control.pdf"
        document.write_bytes(_CONTROL)
        command = ["ipptool", "-q", "-T", "5", "-f", str(document), "-d", "filetype=application/pdf"]
        with trio.fail_after(_REPLY_S * 2):
            await trio.run_process([*command, self.uri, "print-job.test"], check=False, capture_stdout=True)

    # --- paper ----------------------------------------------------------------------------------------------------

    async def _collect(self, done: int) -> None:
        """Our script writes the name of each finished document into a pipe."""
        held = b""
        while True:
            await trio.lowlevel.wait_readable(done)
            with contextlib.suppress(BlockingIOError):
                held += os.read(done, 4096)
            *names, held = held.split(b"\n")
            for name in names:
                self._take(self._place / "sheets" / name.decode())

    def _take(self, path: Path) -> None:
        sheet = Sheet(self._next_id, path.read_bytes())
        path.unlink()
        self._next_id += 1
        self.sheets = [*self.sheets[1 - _SHEETS_MAX :], sheet]
        if self.on_sheet is not None:
            self.on_sheet(sheet)

    # --- start ----------------------------------------------------------------------------------------------------

    async def _wait(self, ready: Callable[[], bool]) -> None:
        """Raises ChildEnded: not ready within ``_START_S``, or ended."""
        with trio.move_on_after(_START_S):
            while not ready():
                if self._printer is not None and not self._printer.running:
                    break
                await trio.sleep(0.02)
            else:
                return
        raise ChildEnded(f"the page printer did not start; see {self._place / 'logs'}")

    def _answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(0.2)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def _quiet_bus() -> list[str]:
    return ["dbus-daemon", "--config-file=bus.conf", "--nofork", "--nopidfile", "--nosyslog"]


def _program(name: str) -> str:
    """Its path; ippeveprinter lies in /usr/sbin, which only root has in PATH. Raises FileNotFoundError."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if found is None:
        raise FileNotFoundError(errno.ENOENT, "not installed", name)
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _rendered(pdf: bytes, dots_per_inch: int) -> list[bytes]:
    """All pages as one stream of PPM would lose their borders; pdftoppm writes one PNG a page only to files."""
    pages: list[bytes] = []
    with trio.move_on_after(_RENDER_S):
        for page in range(1, await _page_count(pdf) + 1):
            command = ["pdftoppm", "-png", "-r", str(dots_per_inch), "-f", str(page), "-l", str(page), "-"]
            done = await trio.run_process(command, stdin=pdf, capture_stdout=True, capture_stderr=True, check=False)
            if done.returncode or not done.stdout:
                raise ValueError("the document cannot be rendered")
            pages.append(done.stdout)
        return pages
    raise ValueError("rendering took too long")


async def _page_count(pdf: bytes) -> int:
    done = await trio.run_process(["pdfinfo", "-"], stdin=pdf, capture_stdout=True, capture_stderr=True, check=False)
    found = re.search(rb"^Pages:\s+(\d+)$", done.stdout, re.MULTILINE)
    if found is None:
        raise ValueError("not a PDF document")
    return int(found[1])
