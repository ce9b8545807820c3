"""Where bank client, pad driver, card and sandbox bank meet: real TLS over TCP, the real pad driver over a line in
memory, and the simulated card behind a channel of APDUs."""

import io
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import trio

from drivers.apdu import debit_card
from drivers.card_reader.debit import CardDebitRun
from kiosk.basics.log import JsonLog
from kiosk.domain.money import Fen
from kiosk.hosts.bank.client import BankClient, Desk
from kiosk.hosts.bank.line import BankLine
from kiosk.hosts.bank.terminal import TraceCounter
from kiosk.ports import CardGone
from kiosk.ports.debit import CaKey, DebitAct, DebitRules
from kiosk.ports.money import BankIntent, BankPayment
from kiosk.settings.bank_rules import BankRules, CaKeyEntry
from kiosk.settings.config import HostSettings
from simulators.cards import bank_keys
from simulators.cards.card import VirtualCard
from simulators.hosts.bank import BankHost
from simulators.hosts.bank_server import serve_bank
from simulators.hosts.weather import Weather
from simulators.pki import Pki
from simulators.worlds.world import BankAccount, Card, Keys, Resident, World
from tests.pad_stand import Stand as PadStand
from tests.pad_stand import pad_on_wire

PAN = "9990010000000000019"
PIN = "852963"
RESIDENT = Resident(handle="r", name="王秀兰", number="990001195103080268")
CA_KEY = CaKey("A000000333", bank_keys.CA_INDEX, bank_keys.ca_key().modulus_bytes, 3)
CARD_RULES = DebitRules(ca_keys=(CA_KEY,))


def account(**settings: Any) -> BankAccount:
    return BankAccount(**{"card": "c", "pan": PAN, "pin": PIN, "balance_fen": 100_000, **settings})


def card_of(one: BankAccount, **settings: Any) -> VirtualCard:
    return VirtualCard(Card(handle="c", title="t", resident="r", **settings), RESIDENT, Keys(), account=one)


def run_job(job: Generator[bytes, bytes, Any], transmit: Callable[[bytes], bytes]) -> Any:
    try:
        apdu = next(job)
        while True:
            apdu = job.send(transmit(apdu))
    except StopIteration as done:
        return done.value


class CardChannel:
    """A ``DebitReader`` over a simulated card in memory. ``pull_before``: instruction byte and which occurrence."""

    def __init__(self, card: VirtualCard) -> None:
        self.card: VirtualCard | None = card
        self.pull_before: tuple[int, int] | None = None
        self._seen: dict[int, int] = {}

    async def open_debit(self, rules: DebitRules, act: DebitAct) -> CardDebitRun:
        self._seen.clear()
        state = await self._run(debit_card.open_application(rules, act))
        return CardDebitRun(state, self._run, debit_card.account_of(state))

    async def _run(self, job: Generator[bytes, bytes, Any]) -> Any:
        await trio.lowlevel.checkpoint()
        return run_job(job, self._transmit)

    def _transmit(self, apdu: bytes) -> bytes:
        self._seen[apdu[1]] = self._seen.get(apdu[1], 0) + 1
        if self.pull_before == (apdu[1], self._seen[apdu[1]]):
            self.card = None
        if self.card is None:
            raise CardGone
        return self.card.transmit(apdu)


@dataclass
class Journal:
    """A ``BankRecord``. Facts go through the form that a journal entry has, as after a restart."""

    kept: list[dict[str, str | int]] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)

    def keep(self, intent: BankIntent) -> None:
        self.kept.append(intent.facts())

    def find(self, trace_number: str) -> BankIntent | None:
        return next((one for one in reversed(self.intents) if one.trace_number == trace_number), None)

    def open_traces(self) -> tuple[str, ...]:
        traces = dict.fromkeys(one.trace_number for one in self.intents if one.kind != "script_notice")
        return tuple(trace for trace in traces if trace not in self.closed)

    def owed_notices(self) -> tuple[BankIntent, ...]:
        return tuple(one for one in self.intents if one.kind == "script_notice" and one.trace_number not in self.taken)

    def noticed(self, trace_number: str) -> None:
        self.taken.add(trace_number)

    @property
    def intents(self) -> list[BankIntent]:
        return [BankIntent.from_facts(facts) for facts in self.kept]


class WallClock:
    """A ``Clock`` of which only time and chance are asked."""

    def now(self) -> datetime:
        return datetime.now().astimezone()

    def random(self, length: int) -> bytes:
        return bytes(range(1, 1 + length))

    def new_key(self) -> str:
        raise NotImplementedError

    def new_case_code(self) -> str:
        raise NotImplementedError


@dataclass
class BankStand:
    host: BankHost
    weather: Weather
    pad: PadStand
    channel: CardChannel
    journal: Journal
    log: io.StringIO
    rules: BankRules
    line: BankLine
    directory: Path
    typed_under: int | None = 0  # number of the last act of custodians at the pad; None: its key is in doubt
    client: BankClient = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A fresh client over what survives: journal and trace counter."""
        desk = Desk(
            reader=lambda: self.channel,
            pad=lambda: self.pad.driver,
            record=self.journal,
            clock=WallClock(),
            log=JsonLog(self.log),
            keys_under=lambda: self.typed_under,
        )
        self.client = BankClient(self.rules, self.line, TraceCounter(self.directory / "trace.json"), desk)

    @property
    def balance_fen(self) -> int:
        return self.host.books.balance_fen(PAN)

    async def typing(self, act: Callable[[], Any], pin: str = PIN, *more: str) -> Any:
        """Run an act while the resident types a PIN."""
        result: list[Any] = []

        async def type_pin() -> None:
            await self.pad.type(pin, *(more or ("enter",)))

        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(type_pin)
                result.append(await act())
                nursery.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            raise _alone(group) from None
        return result[0]

    async def pay(self, amount_fen: int, pin: str = PIN, trace: str = "") -> BankPayment:
        """One purchase; the journal closes it when its outcome is certain, as the house does."""
        trace = trace or self.client.new_trace_number()
        self.trace = trace
        paid = await self.typing(partial(self.client.purchase, Fen(amount_fen), trace), pin)
        self.journal.closed.add(trace)
        assert isinstance(paid, BankPayment)
        return paid

    def close(self, trace: str) -> None:
        self.journal.closed.add(trace)


def _alone(group: BaseExceptionGroup[BaseException]) -> BaseException:
    leaves: list[BaseException] = []
    for error in group.exceptions:
        leaves.append(_alone(error) if isinstance(error, BaseExceptionGroup) else error)
    return next((leaf for leaf in leaves if not isinstance(leaf, trio.Cancelled)), leaves[0])


@asynccontextmanager
async def bank_stand(
    directory: Path, pki: Pki, one: BankAccount | None = None, deadline_s: float = 5.0, **rules: Any
) -> AsyncIterator[BankStand]:
    one = one or account()
    weather = Weather()
    world = World(
        name="bank", residents=[RESIDENT], cards=[Card(handle="c", title="t", resident="r")], bank_accounts=[one]
    )
    host = BankHost(world, directory, weather)
    entry = CaKeyEntry(rid="A000000333", index=CA_KEY.index, modulus=CA_KEY.modulus.hex())
    log = io.StringIO()
    async with trio.open_nursery() as nursery:
        port = await nursery.start(serve_bank, host, 0, pki)
        settings = HostSettings(
            url=f"tls://127.0.0.1:{port}",
            ca=str(pki.hosts_ca),
            certificate=str(pki.terminal_certificate),
            private_key=str(pki.terminal_key),
            deadline_s=deadline_s,
        )
        async with pad_on_wire(mac_algorithm="unionpay") as pad:
            bank_rules = BankRules(**{"ca_keys": {"test": entry}, **rules})
            line = BankLine(settings, JsonLog(log))
            yield BankStand(host, weather, pad, CardChannel(card_of(one)), Journal(), log, bank_rules, line, directory)
        nursery.cancel_scope.cancel()
    host.close()


__all__ = ["CARD_RULES", "PAN", "PIN", "BankStand", "account", "bank_stand", "card_of", "replace", "run_job"]
