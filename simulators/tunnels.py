"""stunnel as its unit runs it: with the file that the agent wrote, started anew when that changes."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from simulators.processes import Child, Children
from simulators.waiting import until_child

START_S_MAX = 20.0
LISTENING = "00010000"  # __SO_ACCEPTCON among the flags of /proc/net/unix


def listens(path: Path) -> bool:
    """Whether somebody does: the file is there a moment sooner, and a question to try it out would go to the token."""
    for line in Path("/proc/net/unix").read_text().splitlines():
        columns = line.split()
        if columns[-1] == str(path) and columns[3] == LISTENING:
            return True
    return False


async def start_stunnel(children: Children, file: Path, sockets: list[Path], environment: Mapping[str, str]) -> Child:
    """Listening on its sockets when it returns. Raises ChildEnded, trio.TooSlowError: it does not come up."""
    for path in sockets:
        path.unlink(missing_ok=True)  # stunnel makes none where one is
    # The sockets get their mode from the umask: whoever may open one speaks as this terminal.
    command = ["sh", "-c", 'umask 077; exec stunnel4 "$0"', str(file)]
    child = children.start("stunnel", command, env=environment)
    for path in sockets:
        await until_child(child, partial(listens, path), START_S_MAX, f"listens on {path.name}")
    return child
