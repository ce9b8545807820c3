"""The kiosk and the forwarder as the agent sees them: over their control sockets, and never believed when silent."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from kiosk.basics.control import ControlSilent, ask_control, forward_path, kiosk_path
from provisioning.rules.keys import KeyBlock
from provisioning.terminal.key_blocks import PadSilent

PAUSE_S = 25.0
# What the kiosk says when it cannot be disturbed, in words for the fleet.
WAITS = {
    "serving": "a resident is being served",
    "under_way": "an act has no outcome yet",
}
SELF_TEST_CHARACTERS_MAX = 160
UNKNOWN = "the kiosk and its books do not answer"


@dataclass(frozen=True)
class House:
    """``run_dir`` and ``data_dir``: of the kiosk's settings."""

    run_dir: str
    data_dir: str

    async def rest(self, citys: bool = True) -> str:
        """Have the kiosk serve nobody for a moment; "" when it does, else why not.

        A kiosk that is not there disturbs nobody; then the books must say that nothing is under way. ``citys`` False:
        an installer changed what the box says of itself, at a machine where nothing runs.
        """
        try:
            said = await self.ask_kiosk(f"pause {PAUSE_S:.0f}")
        except ControlSilent as silent:
            return await self._books_at_rest(citys) if nobody_listens(silent) else UNKNOWN
        return "" if said == "paused" else WAITS.get(str(said), UNKNOWN)

    async def start_anew(self) -> None:
        """Kiosk and forwarder end, and are started by whoever supervises them. Where the kiosk refuses because somebody
        was quicker, nothing ends: ask again. One that is silent ends when it can."""
        for path in (kiosk_path(self.run_dir), forward_path(self.run_dir)):
            try:
                if await ask_control(path, "end") in WAITS:
                    return
            except ControlSilent:
                continue

    async def health(self) -> dict[str, Any] | None:
        """The kiosk's own word; None: nobody answers."""
        return await self._told(kiosk_path(self.run_dir), "health")

    async def doctor(self) -> list[list[str]] | None:
        try:
            found = await self.ask_kiosk("doctor")
        except ControlSilent:
            return None
        return found if isinstance(found, list) else None

    async def self_test(self) -> str:
        """ "" where a made-up resident was served by this kiosk's own code and the books took a row; else why not."""
        try:
            told = await self.ask_kiosk("self_test")
        except ControlSilent:
            return "the kiosk does not answer"
        if told != "":
            return f"self-test: {told}"[:SELF_TEST_CHARACTERS_MAX]
        return "" if await self.unsent() is not None else "the forwarder does not answer"

    async def unsent(self) -> dict[str, Any] | None:
        """The forwarder's word, with the signed head of the journal."""
        return await self._told(forward_path(self.run_dir), "unsent")

    async def money(self) -> dict[str, Any] | None:
        return await self._told(forward_path(self.run_dir), "money")

    async def ledger(self) -> dict[str, Any] | None:
        """Up to which row the agency keeps the journal."""
        return await self._told(forward_path(self.run_dir), "ledger")

    async def agencys_word(self) -> dict[str, Any] | None:
        """What the agency has just signed that it keeps, judged by the forwarder against the journal's own chain."""
        return await self._told(forward_path(self.run_dir), "agencys_word")

    async def load_key(self, block: KeyBlock) -> dict[str, Any]:
        """What became of it at the pad. Raises PadSilent: nobody says."""
        try:
            told = await self.ask_kiosk(f"load_key {msgspec.json.encode(block).decode()}")
        except ControlSilent as silent:
            raise PadSilent("the kiosk does not answer") from silent
        if not isinstance(told, dict) or "result" not in told:
            waits = told.get("refused", "") if isinstance(told, dict) else ""
            raise PadSilent(f"the kiosk says: {waits}"[:80] if waits else "the kiosk cannot be asked")
        return told

    async def ask_kiosk(self, word: str) -> Any:
        """Raises ControlSilent."""
        return await ask_control(kiosk_path(self.run_dir), word)

    async def _told(self, path: Path, word: str) -> dict[str, Any] | None:
        try:
            told = await ask_control(path, word)
        except ControlSilent:
            return None
        return told if isinstance(told, dict) and "error" not in told else None

    async def nobody_is_there(self) -> bool:
        """Whether no process is behind either socket. What the two had begun is in the journal, for who comes next."""
        for path in (kiosk_path(self.run_dir), forward_path(self.run_dir)):
            try:
                await ask_control(path, "unsent")
            except ControlSilent as silent:
                if nobody_listens(silent):
                    continue
            return False
        return True

    async def _books_at_rest(self, citys: bool) -> str:
        try:
            told = await ask_control(forward_path(self.run_dir), "unsent")
        except ControlSilent as silent:
            began = (Path(self.data_dir) / "journal.db").exists()
            return UNKNOWN if began and (citys or not nobody_listens(silent)) else ""
        return "" if told["under_way"] == 0 else WAITS["under_way"]


def nobody_listens(silent: ControlSilent) -> bool:
    """Whether there is no process at all behind the socket; one that hangs may have anything in its hands."""
    return isinstance(silent.__cause__, FileNotFoundError | ConnectionRefusedError)
