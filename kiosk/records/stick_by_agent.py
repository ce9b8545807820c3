"""Staff's stick on a terminal where the agent alone has one: it judges it, has it opened, and carries the rows."""

from typing import Any

import trio

from kiosk.basics.control import ControlSilent, agent_path, ask_control
from kiosk.domain.ledger import StickCopy
from kiosk.ports.staff import OtherCopies, StickTrouble
from kiosk.records.evidence import TerminalCopies
from kiosk.settings.config import Settings

LOOK_S = 0.5
CARRIED_S_MAX = 600.0  # a slow stick, until everything is on it
_KNOWN = ("full", "foreign", "silent", "read_only")


def other_copies(settings: Settings) -> OtherCopies:
    return CopiesByAgent(settings) if settings.agent.privileged else TerminalCopies(settings)


class CopiesByAgent(TerminalCopies):
    """Implements ``ports.staff.OtherCopies``."""

    async def to_stick(self) -> StickCopy:
        try:
            with trio.fail_after(CARRIED_S_MAX):
                rows = await self._carried()
        except trio.TooSlowError:
            raise StickTrouble("slow") from None
        except ControlSilent:
            raise StickTrouble("silent") from None
        if why := rows["why"]:
            raise StickTrouble(why if why in _KNOWN else "broken")
        word = "" if rows["answer"] == "silent" else str(rows["answer"])
        return StickCopy(int(rows.get("first", 0)), int(rows.get("last", 0)), word)

    async def _carried(self) -> dict[str, Any]:
        """What the agent says once the stick has taken all it takes. Raises ControlSilent, StickTrouble."""
        path = agent_path(self._settings.run_dir)
        if (await ask_control(path, "stick")).get("stick") != "begun":
            raise StickTrouble("missing")
        while True:
            rows = (await ask_control(path, "updates")).get("rows")
            if rows:
                return dict(rows)
            await trio.sleep(LOOK_S)
