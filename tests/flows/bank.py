"""The sandbox bank, the card's bank application and the pad's cipher in memory, for a kiosk whose journal is real.

Everything here survives a power cut but the client, which ``power_on`` makes anew. Every effect burns the fuse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drivers.card_reader.debit import CardDebitRun
from kiosk.hosts.bank.client import BankClient, Desk
from kiosk.hosts.bank.terminal import TraceCounter
from kiosk.money.bank_record import JournalBankRecord
from kiosk.ports import CardGone, HostRefused, OutcomeUnknown
from kiosk.ports.debit import DebitAct, DebitRules
from kiosk.settings.bank_rules import BankRules, CaKeyEntry
from simulators.hosts.bank import BankHost
from simulators.hosts.weather import Weather
from simulators.worlds.world import BankAccount, Card, World
from tests.bank.memory import MemoryLine, MemoryPad, MemoryReader
from tests.bank.stand import CA_KEY, PAN, RESIDENT, WallClock, card_of
from tests.flows.money import Fuse

ISSUER = BankRules(ca_keys={"test": CaKeyEntry(rid=CA_KEY.rid, index=CA_KEY.index, modulus=CA_KEY.modulus.hex())})


class SlotReader(MemoryReader):
    """The chip answers only while the card is in the slot. ``pull_at``: before this GENERATE AC, counted from 1."""

    inside: Callable[[], bool] = staticmethod(lambda: True)
    pull: Callable[[], None] = staticmethod(lambda: None)
    pull_at = 0

    async def open_debit(self, rules: DebitRules, act: DebitAct) -> CardDebitRun:
        if not self.inside():
            raise CardGone
        return await super().open_debit(rules, act)

    def _transmit(self, apdu: bytes) -> bytes:
        if apdu[1] == 0xAE and len(self.asked) + 1 == self.pull_at:
            self.pull()
        if not self.inside():
            raise CardGone
        return super()._transmit(apdu)


class TypingPad(MemoryPad):
    """Somebody types the PINs in ``typed``, then the right one for ever; None is the red key."""

    def __init__(self, fuse: Fuse) -> None:
        super().__init__(fuse)
        self.typed: list[str | None] = []

    async def pin_block(self, master: int, slot: int, pan12: str, template: Any, progress: Any) -> bytes | None:
        if not self.typed:
            return await super().pin_block(master, slot, pan12, template, progress)
        return await self.block_of(self.typed.pop(0), slot, pan12)


class LineToBank(MemoryLine):
    """Closed while the weather says so. ``mute``: message types (MTI) whose answers are lost, and how often."""

    mute: dict[str, int]

    async def ask(self, frame: bytes) -> bytes:
        message = await super().ask(frame)
        mti = self.host.heard[-1][:4]
        if self.mute.get(mti):
            self.mute[mti] -= 1
            raise OutcomeUnknown("bank", "no answer in time")
        return message

    def connected(self) -> Any:
        if self.host.weather.closed(self.host.name):
            raise HostRefused("bank", "line_down")
        return super().connected()


@dataclass
class BankOffice:
    """One resident's bank. ``account``: how their card and account are; the weather is the host's."""

    directory: Path
    account: BankAccount
    fuse: Fuse = field(default_factory=Fuse)
    log: Any = lambda *_, **__: None
    mute: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.weather = Weather()
        cards = [Card(handle="c", title="t", resident="r")]
        world = World(name="bank", residents=[RESIDENT], cards=cards, bank_accounts=[self.account])
        self.host = BankHost(world, self.directory, self.weather, random=lambda length: bytes(range(11, 11 + length)))
        self.pad = TypingPad(self.fuse)
        self.reader = SlotReader(card_of(self.account), self.fuse)

    def power_on(self, journal: Any, owner: Callable[[], tuple[str, str]]) -> BankClient:
        self.reader.card.power_off()
        record = JournalBankRecord(journal, owner)
        desk = Desk(lambda: self.reader, lambda: self.pad, record, WallClock(), self.log)
        traces = TraceCounter(self.directory / "trace.json")
        line = LineToBank(self.host, self.fuse)
        line.mute = self.mute
        return BankClient(ISSUER, line, traces, desk)

    @property
    def taken_fen(self) -> int:
        """What the account paid, by the bank's own books."""
        return self.account.balance_fen - self.host.books.balance_fen(PAN)

    @property
    def acts(self) -> list[tuple[str, str, int]]:
        """Kind, state and fen of everything that the bank has booked."""
        rows = self.host.books.sql.execute("SELECT kind, state, amount_fen FROM act ORDER BY trace")
        return [(str(kind), str(state), int(fen)) for kind, state, fen in rows]

    def close(self) -> None:
        self.host.close()
