"""Where an update stands, in one file that is replaced whole: after a power cut it goes on from here.

A step is written before what it does is done, so that it is either done again, which is harmless, or looked after.
"""

from pathlib import Path
from typing import Literal

import msgspec

from provisioning.rules.update_window import Wish
from provisioning.terminal.disk import Disk
from provisioning.terminal.updates.ddi import Feedback
from provisioning.terminal.updates.trust import Target

FILE = "update.json"
CLOSED_MAX = 50
EVENTS_MAX = 100
UNTOLD_MAX = 40

# load: comes · write: goes into the other place · ready: waits for its hour · switch: the link turns · trial: the kiosk
# starts anew and is judged · prove: the agent starts anew, too, and the new one keeps it · keep · back
Step = Literal["load", "write", "ready", "switch", "trial", "prove", "keep", "back"]
# From here on it cannot be called off: what runs may be the new version already.
PAST_RECALL: frozenset[Step] = frozenset({"switch", "trial", "prove", "keep", "back"})


class _Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    pass


class Update(_Part, frozen=True):
    """``action``: DDI's, "" for a stick's. ``path``: where the file is loaded from. ``why``: it waits or goes back.
    ``before``: how the kiosk was with the version before, as ``House.look`` told it. ``over_metered``: its rollout says
    that it may also come over a line that is paid by the byte."""

    action: str
    step: Step
    name: str
    kind: str
    version: str
    sha256: str
    bytes_long: int
    path: str = ""
    load: Wish = "attempt"
    install: Wish = "attempt"
    maintenance: str = ""
    why: str = ""
    before: str = ""
    over_metered: bool = False

    @property
    def target(self) -> Target:
        return Target(self.name, self.kind, self.version, self.sha256, self.bytes_long)


class Closed(_Part, frozen=True):
    """An action that ended here, and how: the same action is never done twice."""

    action: str
    finished: Literal["success", "failure"]
    details: list[str] = []


class Event(_Part, frozen=True):
    """For the terminal's own record: ``what`` is installed | returned | refused | canceled | loaded."""

    at_ms: int
    what: str
    version: str
    why: str = ""


class Installed(_Part, frozen=True):
    """By a stick, and not told to the fleet yet."""

    name: str
    version: str


class State(_Part, frozen=True):
    """``untold``: feedback in the order in which it is owed."""

    update: Update | None = None
    untold: list[Feedback] = []
    closed: list[Closed] = []
    events: list[Event] = []
    by_stick: Installed | None = None
    told_as: str = ""  # configData that the fleet has

    def with_feedback(self, told: Feedback) -> "State":
        return msgspec.structs.replace(self, untold=[*self.untold, told][-UNTOLD_MAX:])

    def with_event(self, event: Event) -> "State":
        return msgspec.structs.replace(self, events=[*self.events, event][-EVENTS_MAX:])

    def with_closed(self, closed: Closed) -> "State":
        return msgspec.structs.replace(self, closed=[*self.closed, closed][-CLOSED_MAX:])

    def ended(self, action: str) -> Closed | None:
        return next((one for one in self.closed if one.action == action), None)


class StateFile:
    """``state`` is what the file says, always."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._path = folder / FILE
        self._disk = disk
        disk.folder(folder)
        self.state = self._read()

    def put(self, state: State) -> None:
        """Raises OSError."""
        self._disk.write(self._path, msgspec.json.encode(state))
        self.state = state

    def change(self, **changes: object) -> None:
        self.put(msgspec.structs.replace(self.state, **changes))

    def _read(self) -> State:
        """A file that cannot be read is of another version: what is under way is found again by the fleet."""
        if not self._path.exists():
            return State()
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=State)
        except msgspec.MsgspecError:
            return State()
