"""What each command does on this terminal. Each asks the kiosk, which decides when (``kiosk.agent.for_agent``)."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import trio

from kiosk.basics.control import ControlSilent
from kiosk.basics.log import ALLOWED_FIELDS
from kiosk.ports import HostLink, HostRefused, OutcomeUnknown
from provisioning.rules.commands import LINES_MAX, Command, NotObeyed
from provisioning.terminal.house import WAITS, House
from provisioning.terminal.privileged import Privileged

AGAIN_S = 5.0
PATIENCE_S = 1800.0  # for the moment between two residents
RESTART_S_MAX = 120.0
KEPT_S_MAX = 300.0  # for the copy at the agency to follow
SEND_S_MAX = 120.0
LOG_S_MAX = 20.0
LOG_BYTES_MAX = 4 * 1024 * 1024
SENT_BYTES_MAX = 256 * 1024
FINDINGS_MAX = 40
LONG_NUMBER = re.compile(r"\d{6,}")
SILENT_BOOKS = "the books do not answer, so nobody knows what is kept"
HEAD_FIELDS = {"at", "event"}


@dataclass(frozen=True)
class Acts:
    """``base``: path of the terminal at the fleet. ``log_command``: prints the newest log lines."""

    house: House
    link: HostLink
    base: str
    privileged: Privileged
    log_command: Sequence[str] = ()
    kept_s_max: float = KEPT_S_MAX

    @property
    def all(self) -> Mapping[str, Callable[[Command], Awaitable[dict[str, Any]]]]:
        return {
            "out_of_service": self.out_of_service,
            "back_in_service": self.back_in_service,
            "restart": self.restart,
            "reboot": self.reboot,
            "logs": self.logs,
            "picture": self.picture,
            "doctor": self.doctor,
            "test_page": self.test_page,
            "swap": self.swap,
            "decommission": self.decommission,
            "wipe": self.wipe,
        }

    async def out_of_service(self, command: Command) -> dict[str, Any]:
        """From the next resident on; who is in front finishes."""
        await self._said("done", f"out_of_service {command.command}")
        return {}

    async def back_in_service(self, command: Command) -> dict[str, Any]:
        await self._said("done", f"back_in_service {command.command}")
        return {}

    async def restart(self, command: Command) -> dict[str, Any]:
        """Kiosk and forwarder, between two residents."""
        before = await self.house.health()
        await self._rest()
        await self.house.start_anew()
        with trio.move_on_after(RESTART_S_MAX):
            while True:
                health = await self.house.health()
                if health is not None and (before is None or health["life"] != before["life"]):
                    return {}
                if health is not None:  # somebody was quicker
                    await self.house.start_anew()
                await trio.sleep(1.0)
        raise NotObeyed("it was told to start anew and is not back yet", "failed")

    async def reboot(self, command: Command) -> dict[str, Any]:
        """Answered by the agent of the next start; here only if it did not happen."""
        if not self.privileged.is_there:
            raise NotObeyed("nothing here may reboot the machine")
        await self._rest()
        await self.privileged.wish("reboot", command.command)
        await trio.sleep(RESTART_S_MAX)
        raise NotObeyed("the machine did not start anew", "failed")

    async def logs(self, command: Command) -> dict[str, Any]:
        """Fields of the allowed list only, without long numbers; what is no such line is left out and counted."""
        if not self.log_command:
            raise NotObeyed("this terminal has no program that reads its log")
        with trio.move_on_after(LOG_S_MAX):
            read = await trio.run_process([*self.log_command], capture_stdout=True, check=False)
            lines, left_out = redacted(read.stdout[-LOG_BYTES_MAX:], int(command.arguments.get("lines", LINES_MAX)))
            await self._send(command, {"lines": lines, "left_out": left_out})
            return {"lines": len(lines), "left_out": left_out}
        raise NotObeyed("the log could not be read in time")

    async def picture(self, command: Command) -> dict[str, Any]:
        """Of a page that nobody's visit stands on; the kiosk refuses any other."""
        told = await self.house.ask_kiosk("picture")
        if not isinstance(told, dict) or "png" not in told:
            raise NotObeyed(f"no picture: {told.get('refused', 'this kiosk takes none')}"[:200])
        await self._send(command, {"png": told["png"], "page": told["page"]})
        return {"page": told["page"]}

    async def doctor(self, command: Command) -> dict[str, Any]:
        """Every finding is sent; the answer names what is not well."""
        found = await self.house.doctor()
        if found is None:
            raise ControlSilent("doctor")
        await self._send(command, {"findings": found})
        return {"findings": [row for row in found if row[1] not in ("ok", "warn")][:FINDINGS_MAX]}

    async def test_page(self, command: Command) -> dict[str, Any]:
        await self._said("printed", f"test_page {command.arguments['slot']}")
        return {}

    async def swap(self, command: Command) -> dict[str, Any]:
        """The slot is opened anew; what was in it and what is in it now, for the record."""
        slot = command.arguments["slot"]
        told = await self._patiently(f"reopen {slot}")
        with trio.move_on_after(RESTART_S_MAX):
            while True:
                health = await self.house.health()
                now = health["slots"].get(slot, {}) if health else {}
                if now.get("condition") not in (None, "starting"):
                    after = health["versions"].get(slot, "") if health else ""
                    return {**told, "after": after, "condition": now["condition"]}
                await trio.sleep(1.0)
        raise NotObeyed("what is in the slot now does not answer", "failed")

    async def decommission(self, command: Command) -> dict[str, Any]:
        """Serves nobody any more; only when everything is told, and the agency keeps the journal (money-rules 28)."""
        return {"rows": await self._closed_for_good(command)}

    async def wipe(self, command: Command) -> dict[str, Any]:
        """A unit with more rights stops everything and destroys the rest, the journal last; then it is answered."""
        if not self.privileged.is_there:
            raise NotObeyed("nothing here may wipe the machine")
        if not self.privileged.asked("wipe", command.command):  # else it is under way, and nobody else answers any more
            await self._closed_for_good(command)
        await self.privileged.wish("wipe", command.command)
        return {}

    async def _closed_for_good(self, command: Command) -> int:
        """Out of service, and the agency keeps every row, this one too; their number. As before where it must not be.

        Raises NotObeyed, ControlSilent.
        """
        self._nothing_unsent(await self.house.unsent())
        health = await self.house.health()
        await self._said("done", f"out_of_service {command.command}")
        try:
            return await self._all_kept()
        except NotObeyed:
            if health is not None and health["shut"] != "out_of_service":
                await self._said("done", f"back_in_service {command.command}")
            raise

    async def _all_kept(self) -> int:
        """The copy follows within a minute (money-rules 25); then the agency signs that it has all of it."""
        why = SILENT_BOOKS
        with trio.move_on_after(self.kept_s_max):
            while True:
                unsent, kept = await self.house.unsent(), await self.house.ledger()
                self._nothing_unsent(unsent)
                if unsent is not None and kept is not None:
                    why = f"the agency keeps rows up to {kept['up_to']} of {unsent['seq']}"
                    if kept["up_to"] >= unsent["seq"] and not kept.get("disagrees"):
                        up_to, why = await self._signed_for()
                        if not why:
                            return up_to
                await trio.sleep(AGAIN_S)
        raise NotObeyed(why)

    async def _signed_for(self) -> tuple[int, str]:
        """Up to which row, and "" or why that does not do: a number alone lets no journal go."""
        word = await self.house.agencys_word()
        if word is None:
            return 0, SILENT_BOOKS
        if "refused" in word:
            return 0, f"no word of the agency: {word['refused']}"
        why = f"{word['newer']} rows are newer than the agency's word" if word["newer"] else ""
        return int(word["kept_up_to"]), why

    @staticmethod
    def _nothing_unsent(unsent: Mapping[str, Any] | None) -> None:
        """Raises NotObeyed: something is unsent or open, or nobody says so."""
        if unsent is None:
            raise NotObeyed("the books do not answer, so nobody knows what is unsent")
        reasons = {
            "unsent_count": "messages are unsent",
            "put_aside": "messages were put aside",
            "open_effects": "acts have no outcome yet",
        }
        for name, words in reasons.items():
            if unsent[name]:
                raise NotObeyed(f"{unsent[name]} {words}")

    async def _rest(self) -> None:
        """Between two residents. Raises NotObeyed: that moment does not come."""
        with trio.move_on_after(PATIENCE_S):
            while waits := await self.house.rest():  # noqa: ASYNC110 - another process's moment tells no event
                await trio.sleep(AGAIN_S)
            return
        raise NotObeyed(waits)

    async def _patiently(self, word: str) -> dict[str, Any]:
        with trio.move_on_after(PATIENCE_S):
            while True:
                told = await self.house.ask_kiosk(word)
                why = told.get("refused") if isinstance(told, dict) else "error"
                if why is None:
                    return dict(told)
                if why not in WAITS:
                    raise NotObeyed(f"it cannot be done here: {why}")
                await trio.sleep(AGAIN_S)
        raise NotObeyed("the terminal was busy all the time")

    async def _said(self, wanted: str, word: str) -> None:
        """Ask until nobody is being served. Raises NotObeyed, ControlSilent."""
        with trio.move_on_after(PATIENCE_S):
            while (said := await self.house.ask_kiosk(word)) != wanted:
                if said not in WAITS:
                    raise NotObeyed(f"the kiosk says: {said}"[:200])
                await trio.sleep(AGAIN_S)
            return
        raise NotObeyed("the terminal was busy all the time")

    async def _send(self, command: Command, told: dict[str, Any]) -> None:
        """Raises NotObeyed: it does not get through; nothing waits for a better day."""
        wire = json.dumps(told, ensure_ascii=False).encode()
        path = f"{self.base}/logs/{command.command}"
        try:
            await self.link.call("POST", path, body=wire, deadline_s=SEND_S_MAX)
        except (HostRefused, OutcomeUnknown) as error:
            raise NotObeyed(f"it could not be sent: {error}"[:200]) from None


def redacted(raw: bytes, lines_max: int) -> tuple[list[str], int]:
    """The newest lines, oldest first, and how many were left out."""
    kept: list[str] = []
    left_out, size = 0, 0
    for line in reversed(raw.decode(errors="replace").splitlines()):
        fields = _fields(line)
        if fields is None:
            left_out += 1
            continue
        shown = LONG_NUMBER.sub("#", json.dumps(fields, ensure_ascii=False))
        size += len(shown)
        if len(kept) == lines_max or size > SENT_BYTES_MAX:
            break
        kept.append(shown)
    return kept[::-1], left_out


def _fields(line: str) -> dict[str, Any] | None:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or "event" not in told:
        return None
    return {name: value for name, value in told.items() if name in ALLOWED_FIELDS | HEAD_FIELDS}
