"""The bank, the pad and the card in memory, with a fuse that cuts the power after any effect.

Effects: a journal commit, a verb of the pad, an APDU, a question before it arrives, an answer before it is heard.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio

from drivers.apdu import debit_card
from drivers.card_reader.debit import CardDebitRun
from kiosk.basics.log import JsonLog
from kiosk.hosts.bank.client import BankClient, Desk
from kiosk.hosts.bank.codec import FrameReader
from kiosk.hosts.bank.terminal import TraceCounter
from kiosk.ports import OutcomeUnknown, PadKey
from kiosk.ports.debit import DebitAct, DebitRules
from kiosk.ports.money import BankIntent
from kiosk.settings.bank_rules import BankRules, CaKeyEntry
from simulators.cards.card import VirtualCard
from simulators.devices import kmy_crypto
from simulators.hosts.bank import BankHost
from simulators.hosts.bank_frames import pack, unpack
from simulators.hosts.weather import Weather
from simulators.worlds.world import BankAccount, Card, Keys, World
from tests.bank.stand import CA_KEY, PIN, RESIDENT, Journal, WallClock, card_of, run_job
from tests.flows.money import Fuse

MASTER = bytes.fromhex(Keys().pad_master)


class FusedJournal(Journal):
    fuse: Fuse

    def keep(self, intent: BankIntent) -> None:
        self.fuse.burn("commit intent")
        super().keep(intent)


class MemoryPad:
    """A ``PinPad`` in which somebody always types the right PIN. Its keys survive a power cut."""

    serial = "SIM00001"
    decrypts = False

    def __init__(self, fuse: Fuse) -> None:
        self.fuse = fuse
        self.keys: dict[int, bytes] = {}

    async def load_work_key(self, master: int, slot: int, cryptogram: bytes) -> bytes:
        self.fuse.burn("pad key")
        self.keys[slot] = kmy_crypto.decrypt_ecb(MASTER, cryptogram)
        return kmy_crypto.check_value(self.keys[slot])

    async def pin_block(self, master: int, slot: int, pan12: str, template: Any, progress: Any) -> bytes | None:
        return await self.block_of(PIN, slot, pan12)

    async def block_of(self, pin: str | None, slot: int, pan12: str) -> bytes | None:
        """What the pad makes of these digits; None: the red key."""
        await trio.lowlevel.checkpoint()
        self.fuse.burn("pad PIN")
        return kmy_crypto.pin_block(self.keys[slot], pin.encode(), pan12.encode()) if pin is not None else None

    async def mac(self, master: int, slot: int, message: bytes) -> bytes:
        self.fuse.burn("pad MAC")
        return kmy_crypto.mac_unionpay(self.keys[slot], message)

    async def next_key(self) -> PadKey:
        raise NotImplementedError

    def forget_keys(self) -> None:
        return

    async def answers_forbidden_decrypt(self) -> bool:
        return self.decrypts


class MemoryReader:
    """A ``DebitReader`` whose card is one object for ever; a power cut resets the chip."""

    def __init__(self, card: VirtualCard, fuse: Fuse) -> None:
        self.card, self.fuse = card, fuse
        self.asked: list[int] = []  # which kind each GENERATE AC wanted

    async def open_debit(self, rules: DebitRules, act: DebitAct) -> CardDebitRun:
        state = await self._run(debit_card.open_application(rules, act))
        return CardDebitRun(state, self._run, debit_card.account_of(state))

    async def _run(self, job: Any) -> Any:
        await trio.lowlevel.checkpoint()
        return run_job(job, self._transmit)

    def _transmit(self, apdu: bytes) -> bytes:
        if apdu[1] in (0xAE, 0x82):  # the others change nothing that outlives the power
            self.fuse.burn("card")
        if apdu[1] == 0xAE:
            self.asked.append(apdu[2])
        return self.card.transmit(apdu)


class MemoryLine:
    def __init__(self, host: BankHost, fuse: Fuse) -> None:
        self.host, self.fuse = host, fuse
        self.twist: dict[int, str] = {}  # fields that every answer gets instead, under a right MAC

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["MemoryLine"]:
        await trio.lowlevel.checkpoint()
        yield self

    async def ask(self, frame: bytes) -> bytes:
        self.fuse.burn("question")
        answer = self.host.answer(frame[2:])
        self.fuse.burn("answer")
        if answer is None:
            raise OutcomeUnknown("bank", "no answer in time")
        return self._twisted(FrameReader().receive(answer)[0])

    def _twisted(self, message: bytes) -> bytes:
        mti, fields = unpack(message)
        fields |= {number: value for number, value in self.twist.items() if number in fields}
        if 64 not in fields:
            return pack(mti, fields)
        covered = pack(mti, fields)[:-8]
        return covered + kmy_crypto.mac_unionpay(bytes.fromhex(self.host.books.value("mac_key")), covered)


def same_keys_for_ever(length: int) -> bytes:
    return bytes(range(11, 11 + length))


class MemoryWorld:
    """Everything that outlives a power cut. ``client`` is what does not."""

    def __init__(
        self, directory: Path, one: BankAccount, log: Any, random: Callable[[int], bytes] = same_keys_for_ever
    ) -> None:
        self.directory, self.log = directory, log
        self.fuse = Fuse()
        self.weather = Weather()
        world = World(
            name="bank",
            residents=[RESIDENT],
            cards=[Card(handle="c", title="t", resident="r")],
            bank_accounts=[one],
        )
        self.host = BankHost(world, directory, self.weather, random=random)
        self.journal = FusedJournal()
        self.pad = MemoryPad(self.fuse)
        self.reader = MemoryReader(card_of(one), self.fuse)
        self.start()

    def start(self, left: int | None = None) -> None:
        """Power on. ``left``: so many effects, then it is gone again."""
        self.fuse.left = left
        self.journal.fuse = self.fuse
        self.reader.card.power_off()
        entry = CaKeyEntry(rid=CA_KEY.rid, index=CA_KEY.index, modulus=CA_KEY.modulus.hex())
        desk = Desk(lambda: self.reader, lambda: self.pad, self.journal, WallClock(), JsonLog(self.log))
        self.line = MemoryLine(self.host, self.fuse)
        traces = TraceCounter(self.directory / "trace.json")
        self.client = BankClient(BankRules(ca_keys={"test": entry}), self.line, traces, desk)
