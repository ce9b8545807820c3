"""A terminal out of service, two custodians in front of it, and a pad that takes parts of keys."""

from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import trio

from kiosk.domain.entries import NewEntry
from kiosk.domain.typed_keys import KeyPlace, PartAnswer, PartEnd
from kiosk.ports import DeviceFault
from kiosk.ports.devices import Progress
from kiosk.settings.key_rules import TypedKey
from kiosk.staff.typed_keys import keys_in_doubt
from kiosk.visit.opening import OUT
from offline_queue.journal import SqliteJournal
from simulators.pki import Pki
from tests.flows.duty import DutyRoom
from tests.flows.fittings import FakePad

VALUE = bytes.fromhex("8CA64DE9")
IN, LAST = PartAnswer(PartEnd.IN), PartAnswer(PartEnd.IN, VALUE)
KEYS = {"bank_master": TypedKey(domain="bank", custodians=("1001", "1002")),
        "social": TypedKey(domain="social", master=1, slot=2, custodians=("1003", "1004"))}  # fmt: skip
ALL = {
    "staff_key_choose": "bank_master",
    "staff_key_ready": "ready",
    "staff_key_part_in": "understood",
    "staff_key_stopped": "understood",
    "staff_key_unknown": "understood",
    "staff_key_in_service": "understood",
    "staff_key_not_custodian": "understood",
    "staff_key_same_person": "back",
    "staff_key_other_compares": "understood",
    "staff_key_refused": "understood",
    "staff_key_confirmed": "understood",
    "staff_key_not_taken": "again",
    "staff_key_check_value": "same",
    "staff_not_now": "understood",
    "staff_money_moves": "understood",
}


class CustodiansPad(FakePad):
    """A pad at which custodians type: what each part comes to, in order; None: they type for ever."""

    component_digits, component_letters = 32, "F1-F6"

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[PartAnswer | DeviceFault | None] = [IN, LAST]
        self.asked: list[tuple[KeyPlace, int]] = []
        self.forgotten = 0

    async def type_component(self, place: KeyPlace, number: int, progress: Progress) -> PartAnswer:
        self.asked.append((place, number))
        await trio.lowlevel.checkpoint()
        answer = self.answers.pop(0)
        if answer is None:
            await trio.sleep_forever()
        if isinstance(answer, DeviceFault):
            raise answer
        assert answer is not None
        return answer

    async def forget_components(self) -> None:
        await trio.lowlevel.checkpoint()
        self.forgotten += 1


class Power(BaseException):
    """Gone: no handler of ours lives through it."""


class CutJournal(SqliteJournal):
    """The real journal; the power goes once, at the first commit of this act, before or after it is durable."""

    cut_at = ""
    after = False

    def commit(self, entry: NewEntry) -> int:
        if entry.act != self.cut_at:
            return super().commit(entry)
        self.cut_at = ""
        if self.after:
            super().commit(entry)
        raise Power


class KeyRoom(DutyRoom):
    """Out of service, with a pad that takes parts of keys."""

    journal: CutJournal

    def __init__(self, folder: Path, pki: Pki, now: datetime | None = None) -> None:
        self.pad = CustodiansPad()
        super().__init__(folder, pki, journal_kind=CutJournal, pad=self.pad)
        self.clock.moment = now or self.clock.moment
        self.kiosk.desk.settings = msgspec.structs.replace(self.kiosk.desk.settings, typed_keys=KEYS)
        self.journal.record(OUT, command="1")

    async def custodian(self, staff_id: str, **script: Any) -> None:
        menu = {"staff_menu": ["key", "finish"]}
        await self.visit(self.card(staff_id, "clerk"), **(ALL | menu | script))

    def facts(self, act: str) -> dict[str, str | int]:
        """Of the newest entry of this act."""
        entry = self.journal.last(act)
        assert entry is not None and entry.facts is not None
        return dict(entry.facts)

    def key_acts(self) -> list[str]:
        return [act for act in self.acts() if act.startswith("key_")]

    @property
    def doubtful(self) -> frozenset[str]:
        return keys_in_doubt(self.journal, KEYS)
