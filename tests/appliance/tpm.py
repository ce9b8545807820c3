"""A TPM for a machine: Debian's swtpm, the same chip at each start. It ends with its machine's line."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from simulators.processes import Children
from simulators.waiting import until_file

START_S_MAX = 20.0


@asynccontextmanager
async def tpm(folder: Path) -> AsyncIterator[Path]:
    """Its control socket, for ``Hardware.tpm``; what it keeps lies in ``folder``/state."""
    (folder / "state").mkdir(parents=True, exist_ok=True)
    line = folder / "line"
    line.unlink(missing_ok=True)
    children = Children(folder)
    state = f"dir={folder}/state,mode=0600"
    command = ["swtpm", "socket", "--tpm2", "--tpmstate", state, "--ctrl", f"type=unixio,path={line}"]
    try:
        chip = children.start("swtpm", command)
        await until_file(line, chip, START_S_MAX)
        yield line
    finally:
        await children.stop_all()
