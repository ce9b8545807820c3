"""How the terminal is, put together for the fleet: told when something changed that matters, and every hour."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec
import trio

from provisioning.rules import forecast
from provisioning.rules.forecast import Track
from provisioning.rules.poll import Consumable, Head, Health, Money, Slot, TypedKey, Use, WorkingKeys
from provisioning.terminal.disk import Disk
from provisioning.terminal.house import House
from provisioning.terminal.machine import Board, modem_signal_dbm

HOURLY_S = 3600.0
WORD, TROUBLES_MAX, TROUBLE_CHARACTERS = 64, 32, 200
SILENT = "the kiosk does not answer"
LOW = ("paper_low", "paper_out")
PAPER = {"receipt_printer": "receipts", "page_printer": "pages"}


class History(msgspec.Struct, kw_only=True):
    tracks: dict[str, Track] = {}


@dataclass
class HealthTeller:
    """``capacities``: how much each consumable holds when it is full, by slot or cash unit; local facts.
    ``troubles``: what other parts of the agent have to say. ``clock_offset_ms``: fleet's time less ours."""

    house: House
    board: Board
    history: Path
    disk: Disk
    now: Callable[[], datetime]
    capacities: Mapping[str, int] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    troubles: Callable[[], list[str]] = list
    clock_offset_ms: int | None = None
    newest: Health | None = None
    _told: bytes = b""
    _told_at: float = float("-inf")
    _asked: bytes = b""
    _signal_dbm: float | None = None

    async def news(self) -> Health | None:
        """What must be told now; None: nothing that was not told within the hour."""
        due = trio.current_time() - self._told_at >= HOURLY_S
        if due:
            self._signal_dbm = await modem_signal_dbm()
        health = self.newest = await self._look()
        self._asked = _matters(health)
        return health if due or self._asked != self._told else None

    def heard(self) -> None:
        """The fleet has what ``news`` said last."""
        self._told, self._told_at = self._asked, trio.current_time()

    async def _look(self) -> Health:
        now, kiosk = self.now(), await self.house.health()
        unsent, money = await self.house.unsent(), await self.house.money()
        troubles = [*([] if kiosk else [SILENT]), *self.troubles()]
        return Health(
            at=now.isoformat(timespec="seconds"),
            serving=bool(kiosk and kiosk["serving"]),
            slots=_slots(kiosk),
            consumables=self._consumables(kiosk, now.date()),
            money=_money(unsent, money),
            machine=self.board.machine(now.date().isoformat(), self.clock_offset_ms, self._signal_dbm),
            use=msgspec.convert(_only(kiosk, "use", ("sessions", "failed_interactions", "staff_calls")), Use),
            keys=keys_of(kiosk),
            typed_keys=typed_keys_of(kiosk),
            versions={
                name[:WORD]: str(one)[:WORD] for name, one in {**_of(kiosk, "versions"), **self.versions}.items()
            },
            head=_head(unsent),
            troubles=[one[:TROUBLE_CHARACTERS] for one in troubles][:TROUBLES_MAX],
        )

    def _consumables(self, kiosk: Mapping[str, Any] | None, today: date) -> dict[str, Consumable]:
        """Paper by what was printed since the last roll was put in; notes as the devices count."""
        history = self._history()
        tracks = dict(history.tracks)
        for slot, name in PAPER.items():
            if slot in _of(kiosk, "slots"):
                printed = int(_of(kiosk, "use").get(name, 0))
                track = forecast.of_today(tracks.get(slot, Track()), today, printed)
                tracks[slot] = forecast.reloaded(track, _of(kiosk, "slots")[slot]["reason"] in LOW)
        for unit, told in _of(kiosk, "cash").items():
            if told.get("count") is not None:
                tracks[unit] = forecast.counted(tracks.get(unit, Track()), today, int(told["count"]))
        if tracks != history.tracks:
            self.disk.write(self.history, msgspec.json.encode(History(tracks=tracks)))
        shown = {name: track for name, track in tracks.items() if name in self.capacities}
        return {name: _consumable(track, self.capacities[name], today) for name, track in shown.items()}

    def _history(self) -> History:
        try:
            return msgspec.json.decode(self.history.read_bytes(), type=History)
        except (OSError, msgspec.MsgspecError):
            return History()


def _consumable(track: Track, of: int, today: date) -> Consumable:
    left = max(0, of - track.since_full)
    return Consumable(left=left, of=of, days_left=forecast.days_left(track, left, today))


def _of(kiosk: Mapping[str, Any] | None, name: str) -> Mapping[str, Any]:
    found = kiosk.get(name) if kiosk else None
    return found if isinstance(found, Mapping) else {}


def _only(kiosk: Mapping[str, Any] | None, name: str, fields: tuple[str, ...]) -> dict[str, Any]:
    return {one: value for one, value in _of(kiosk, name).items() if one in fields}


def _slots(kiosk: Mapping[str, Any] | None) -> dict[str, Slot]:
    """Cut to what the wire takes: a driver that says a whole sentence must not silence the terminal."""
    return {name[:WORD]: Slot(**_cut(told)) for name, told in _of(kiosk, "slots").items()}


def keys_of(kiosk: Mapping[str, Any] | None) -> dict[str, WorkingKeys]:
    """What the kiosk says of keys that are to be renewed; {} where it does not answer."""
    return {name[:WORD]: msgspec.convert(told, WorkingKeys) for name, told in _of(kiosk, "keys").items()}


def typed_keys_of(kiosk: Mapping[str, Any] | None) -> dict[str, TypedKey]:
    """What the kiosk says of keys that custodians typed; {} where it does not answer."""
    return {name[:WORD]: msgspec.convert(told, TypedKey) for name, told in _of(kiosk, "typed_keys").items()}


def _cut(told: Mapping[str, Any]) -> dict[str, str]:
    return {one: str(told[one])[:WORD] for one in ("condition", "reason", "since") if one in told}


def _money(unsent: Mapping[str, Any] | None, money: Mapping[str, Any] | None) -> Money | None:
    if unsent is None or money is None:
        return None
    return Money(
        unsent_count=unsent["unsent_count"],
        unsent_fen=unsent["unsent_sum_fen"],
        unsent_oldest=unsent["oldest_at"],
        suspense_fen=money["suspense_fen"],
        suspense_oldest=money["suspense_oldest"],
        open_effects=unsent["open_effects"],
        open_cases=money["open_cases"],
    )


def _head(unsent: Mapping[str, Any] | None) -> Head | None:
    if unsent is None or not unsent.get("public_key"):
        return None
    return Head(**{name: unsent[name] for name in ("seq", "link", "signature", "public_key")})


def _matters(health: Health) -> bytes:
    """What is worth a message at once. Sums that move with every resident count by their size alone."""
    money = health.money
    sizes = (
        (money.unsent_count.bit_length(), money.suspense_fen, money.open_cases, money.open_effects.bit_length())
        if money
        else ()
    )
    slots = {name: (slot.condition, slot.reason) for name, slot in health.slots.items() if slot.condition != "busy"}
    doubtful = sorted(name for name, key in health.typed_keys.items() if key.in_doubt)
    return msgspec.json.encode((health.serving, slots, sizes, health.versions, health.troubles, doubtful))
