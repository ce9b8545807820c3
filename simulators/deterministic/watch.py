"""Rules that hold at the moment of a commit and cannot be seen afterwards; told as violations at the end."""

from typing import TYPE_CHECKING

import trio

from kiosk.domain.entries import NewEntry
from simulators.deterministic.offline import OfflineWatch

if TYPE_CHECKING:
    from simulators.deterministic.terminal import Terminal

BOX_BOOKED = "cash_box_exchanged"
NOTES_AFTER_FULL_MAX = 1  # the one whose entry was lit already


class Watch:
    """``commits`` is asked before each commit of the journal."""

    def __init__(self, terminal: "Terminal") -> None:
        self._terminal = terminal
        self.broken: list[str] = []
        policy = terminal.documents.policy(0)
        assert policy is not None
        self._offline = OfflineWatch(terminal.world, policy)
        self._full_since_s: float | None = None
        self._notes_after_full = 0
        self._bank_open: dict[str, str] = {}  # effect -> trace
        self._awaited: dict[str, trio.Event] = {}  # act -> set by the next commit of it

    def commits(self, entry: NewEntry, unsent: tuple[int, int]) -> None:
        terminal = self._terminal
        self.broken += self._offline.breaks(entry, terminal.kiosk_now(), unsent)
        if entry.act == "note_intent":
            self._full_disk_takes_no_money()
        elif entry.act == "dispense_intent":
            self._nobody_else_is_paid(entry)
        elif entry.act == "bank_intent":
            self._one_act_at_the_bank(entry)

    def next_of(self, act: str) -> trio.Event:
        """Set when the next entry of this act is durable."""
        return self._awaited.setdefault(act, trio.Event())

    def committed(self, entry: NewEntry) -> None:
        network = self._terminal.network
        network.owed_at.update((one.key, len(network.arrived.get(one.host, ()))) for one in entry.notices)
        if entry.act == BOX_BOOKED:
            self._terminal.hands.bag.clear()  # into the vault
        if entry.act in self._awaited:
            self._awaited.pop(entry.act).set()
        if not self._terminal.fuse.dead:
            self._offline.committed(entry, self._terminal.kiosk_now())
        if entry.act == "bank_intent":
            self._bank_open[entry.opens] = str(entry.facts.get("trace_number", ""))
        for key in (entry.closes, *entry.closes_too):
            self._bank_open.pop(key, None)

    def _full_disk_takes_no_money(self) -> None:
        since_s = self._terminal.full_since_s
        if since_s != self._full_since_s:
            self._full_since_s, self._notes_after_full = since_s, 0
        if since_s is not None:
            self._notes_after_full += 1
            if self._notes_after_full > NOTES_AFTER_FULL_MAX:
                self.broken.append("full_disk_takes_no_money: another note although its story may not fit")

    def _nobody_else_is_paid(self, entry: NewEntry) -> None:
        """Rules 13, 17 and 19: notes go out in the visit of the card that they belong to. Whoever pulled it a moment
        ago stands there still; whoever put in another one does not get them."""
        there, reason = self._terminal.number_in_slot, entry.facts.get("reason", "")
        if there not in ("", entry.card_number):
            self.broken.append(f"nobody_else_is_paid: notes go out ({reason}) while another card is in the slot")
        elif self._terminal.live_case() != entry.case_code:
            self.broken.append(f"nobody_else_is_paid: notes go out ({reason}) and it is nobody's visit")

    def _one_act_at_the_bank(self, entry: NewEntry) -> None:
        """Rule 21."""
        if self._bank_open:
            self.broken.append(f"one_act_at_the_bank: asked while {sorted(self._bank_open.values())} is open")
