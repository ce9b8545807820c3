"""stunnel as its unit runs it: with the file that the agent wrote, started anew when that changes."""

from collections.abc import Mapping
from pathlib import Path

from simulators.processes import Child, Children
from simulators.waiting import until_child

START_S_MAX = 10.0


async def start_stunnel(children: Children, file: Path, sockets: list[Path], environment: Mapping[str, str]) -> Child:
    """Listening on its sockets when it returns. Raises ChildEnded, trio.TooSlowError: it does not come up."""
    for path in sockets:
        path.unlink(missing_ok=True)  # stunnel makes none where one is
    # The sockets get their mode from the umask: whoever may open one speaks as this terminal.
    command = ["sh", "-c", 'umask 077; exec stunnel4 "$0"', str(file)]
    child = children.start("stunnel", command, env=environment)
    for path in sockets:
        await until_child(child, path.is_socket, START_S_MAX, f"made {path.name}")
    return child
