"""What the terminal's agent asks of the running kiosk over its control socket (docs/fleet.md, "On the terminal").

The kiosk decides when: nothing here interrupts a resident, and nothing is done while an act's outcome is open.
"""

import base64
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from typing import Any

import trio

from kiosk.agent.key_loading import PAD, key_loader
from kiosk.agent.self_test import self_test
from kiosk.agent.trial_prints import trial_pdf, trial_receipt
from kiosk.domain.health import Health
from kiosk.l10n import on_paper
from kiosk.ports import DeviceFault, HostRefused, Journal, OutcomeUnknown
from kiosk.staff.typed_keys import told_keys
from kiosk.visit.desk import Desk
from kiosk.visit.opening import PAUSE_S_MAX

SERVING, UNDER_WAY, NOT_FITTED = "serving", "under_way", "not_fitted"
STARTING, ABSENT = "starting", "absent"
PRINT_S_MAX = 25.0
VERSION_CHARACTERS = 64
NOTED_CHARACTERS_MAX = 2000  # of JSON: a character may take twelve
CASE_DIGITS = 6
COUNTED = ("visit_opened", "service_ended", "staff_called", "receipt_delivered", "certificate_printed")
NOBODYS_PAGES = (
    "getting_ready",
    "insert_card",
    "no_card",
    "out_of_order",
    "not_open_out_of_service",
    "not_open_closed",
)
FAILED = ("unavailable", "unknown")  # outcomes of a service that the resident could do nothing about


Picture = Callable[[], tuple[str, bytes]]  # name of the page on the glass, PNG; b"": this glass gives none


class ForAgent:
    """``under_way``: acts in motion (money-rules 28). ``end``: ends this process, which is started again."""

    def __init__(
        self,
        desk: Desk,
        under_way: Callable[[], int],
        end: Callable[[], None],
        version: str,
        picture: Picture = lambda: ("", b""),
    ) -> None:
        self._picture = picture
        self._desk, self._under_way, self._end, self._version = desk, under_way, end, version
        self._since: dict[str, tuple[Health, str]] = {}
        self._life = desk.clock.random(8).hex()  # of this process: whoever asked it to start anew sees that it did

    @property
    def answers(self) -> Mapping[str, Callable[[], Awaitable[Any]]]:
        return {
            "health": self.health,
            "end": self.end_between_visits,
            "picture": self.picture,
            "self_test": partial(self_test, self._desk),
        }

    @property
    def told(self) -> Mapping[str, Callable[[str], Any]]:
        return {
            "pause": self.pause,
            "out_of_service": self.out_of_service,
            "back_in_service": self.back_in_service,
            "reopen": self.reopen,
            "test_page": self.test_page,
            "command_note": self.note,
            "load_key": self.load_key,
        }

    async def watch(self) -> None:
        """For ever: since when each slot is as it is."""
        while True:
            self._stamp()
            await self._desk.supervisor.wait_change()

    # --- how it is ---

    async def health(self) -> dict[str, Any]:
        desk = self._desk
        self._stamp()
        return {
            "life": self._life,
            "settings": desk.settings.sum,
            "serving": not desk.opening.shut and desk.card_slot.works,
            "shut": desk.opening.shut,
            "somebody": desk.opening.serving,
            "under_way": self._under_way(),
            "slots": dict(self._slots()),
            "cash": await self._cash(),
            "use": self._use(),
            "keys": self._keys(),
            "typed_keys": told_keys(desk.journal, desk.settings.typed_keys),
            "versions": {"kiosk": self._version, **dict(self._device_versions())},
        }

    def _stamp(self) -> None:
        now = self._desk.clock.now().isoformat(timespec="seconds")
        for name, health in self._desk.slot_health.items():
            if self._since.get(name, (None, ""))[0] != health:
                self._since[name] = (health, now)

    def _slots(self) -> Iterator[tuple[str, dict[str, str]]]:
        for name, (health, since) in self._since.items():
            yield name, {"condition": health.condition.value, "reason": health.reason, "since": since}

    async def _cash(self) -> dict[str, dict[str, Any]]:
        """Notes by place, as the devices count them; nothing while somebody has the modules, or none answers."""
        desk = self._desk
        if desk.opening.serving or "cash_acceptor" not in desk.supervisor.slots:
            return {}
        try:
            modules = {id(one): one for one in (desk.cash_acceptor, desk.cash_dispenser) if one is not None}
            with trio.fail_after(5):
                units = [unit for one in modules.values() for unit in await one.unit_status()]
        except (DeviceFault, trio.TooSlowError):
            return {}
        return {unit.name: {"count": unit.count, "state": unit.state} for unit in units}

    def _use(self) -> dict[str, int]:
        """Since midnight of this terminal's clock."""
        midnight = self._desk.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        entries = self._desk.journal.since(midnight, *COUNTED)
        failed = [one for one in entries if one.act == "service_ended" and (one.facts or {}).get("outcome") in FAILED]
        return {
            "sessions": sum(one.act == "visit_opened" for one in entries),
            "failed_interactions": len(failed),
            "staff_calls": sum(one.act == "staff_called" for one in entries),
            "receipts": sum(one.act == "receipt_delivered" for one in entries),
            "pages": sum(one.act == "certificate_printed" for one in entries),
        }

    def _keys(self) -> dict[str, dict[str, int | None]]:
        """How old the working keys in the pad are; nothing where no host has any there."""
        settings = self._desk.settings
        if "bank" not in settings.hosts:
            return {}
        try:
            age_s = self._desk.bank.keys_age_s
        except HostRefused:  # of a bank that must not be spoken to: nobody signed on
            age_s = None
        told = {"age_s": None if age_s is None else int(age_s), "age_s_max": int(settings.bank.key_age_s_max)}
        return {"bank": told}

    def _device_versions(self) -> Iterator[tuple[str, str]]:
        for name, slot in self._desk.supervisor.slots.items():
            version = getattr(slot.device, "version", "")
            if isinstance(version, str) and version:
                yield name, version[:VERSION_CHARACTERS]

    # --- what is asked of it ---

    def pause(self, seconds: str) -> str:
        """``pause 20``: "paused" for so long at most, or why not. Then ``end`` follows, or the pause lapses."""
        if self._under_way():
            return UNDER_WAY
        return "paused" if self._desk.opening.pause(min(float(seconds), PAUSE_S_MAX)) else SERVING

    async def end_between_visits(self) -> str:
        """ "ending", or why not. It ends by itself a moment later: the answer goes out first."""
        if self._under_way():
            return UNDER_WAY
        if not self._desk.opening.pause(PAUSE_S_MAX):
            return SERVING
        trio.lowlevel.current_trio_token().run_sync_soon(self._end)
        return "ending"

    async def picture(self) -> dict[str, str]:
        """Of a page that is nobody's: while somebody is served, or on any other page, there is none."""
        page, png = self._picture()
        if self._desk.opening.serving or page not in NOBODYS_PAGES or not png:
            return {"refused": SERVING if self._desk.opening.serving else f"page {page}"}
        return {"page": page, "png": base64.b64encode(png).decode()}

    def out_of_service(self, command: str) -> str:
        self._desk.opening.take_out(command)
        return "done"

    def back_in_service(self, command: str) -> str:
        self._desk.opening.bring_back(command)
        return "done"

    def reopen(self, slot: str) -> Any:
        """A part was swapped: what it says of itself before, for the answer; its slot is opened anew."""
        desk = self._desk
        if slot not in desk.supervisor.slots:
            return {"refused": NOT_FITTED}
        if desk.opening.serving or self._under_way():
            return {"refused": SERVING if desk.opening.serving else UNDER_WAY}
        before = dict(self._device_versions()).get(slot, "")
        desk.journal.record("slot_reopened", slot=slot)
        desk.supervisor.reopen(slot)
        return {"before": before, "cash_inside_fen": int(desk.cash_inside_fen)}

    async def test_page(self, slot: str) -> str:
        """ "printed", or why not."""
        desk = self._desk
        if desk.opening.serving:
            return SERVING
        try:
            with desk.opening.one_served(), trio.fail_after(PRINT_S_MAX):
                await self._print(slot)
        except DeviceFault as fault:
            return fault.health.reason or fault.health.condition.value
        except (OutcomeUnknown, trio.TooSlowError):
            return "unknown"
        return "printed"

    async def _print(self, slot: str) -> None:
        desk = self._desk
        terminal, moment = desk.settings.terminal.terminal_id, f"{desk.clock.now():%Y-%m-%d %H:%M}"
        if slot == "page_printer":
            await desk.page_printer.print_pdf(trial_pdf(terminal, moment), desk.clock.new_key())
            return
        paper = on_paper(trial_receipt(terminal, moment), desk.settings.language, desk.clock.new_key())
        await desk.supervisor.device("receipt_printer").print_receipt(paper)

    async def load_key(self, block: str) -> dict[str, Any]:
        """What became of it at the pad, or why not now: an act that goes on would make its PIN or MAC with another key
        than its host expects, and a pad that is away or was not yet asked who it is has refused nothing. Raises
        ValueError: no key block."""
        desk = self._desk
        if desk.opening.serving or self._under_way():
            return {"refused": SERVING if desk.opening.serving else UNDER_WAY}
        if desk.supervisor.coming(PAD):
            return {"refused": STARTING}
        if desk.supervisor.away(PAD):
            return {"refused": ABSENT}
        with desk.opening.one_served():
            return await key_loader(desk.supervisor, desk.journal, desk.settings)(block)

    def note(self, told: str) -> str:
        """What became of a command, as JSON {command, act, result, why}: a row of the journal.

        Raises:
            ValueError: no such note.
        """
        facts = json.loads(told[:NOTED_CHARACTERS_MAX])
        kept = {name: str(facts[name])[:100] for name in ("command", "act", "result", "why")}
        self._desk.journal.record("command_answered", **kept)
        return "noted"


def note_view(journal: Journal, code: str) -> str:
    """Somebody reads a case at the console: every view of one is logged (money-rules 29).

    Raises:
        ValueError: no number of a case.
    """
    if not (code.isdecimal() and len(code) <= CASE_DIGITS):
        raise ValueError("no number of a case")
    journal.record("case_viewed", staff="console", case=code)
    return "noted"
