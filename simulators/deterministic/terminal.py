"""A terminal in memory: what outlives a power cut, and the lives of the kiosk in it.

Real: session, services, desk, supervisor, drivers, codecs, card applications, host clients, journal; on the other side
the device simulators, chips and sandboxes. In memory: wires, card slots, the way to the hosts, the disk, time and
chance. Not here: Kivy, the PIN process, the A4 printer's IPP and the process that checks seals, each proved elsewhere.
"""

import random
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import trio

from kiosk.basics.clock import SystemClock
from kiosk.basics.log import ALLOWED_FIELDS, Field
from kiosk.compose import Outside, compose, serve
from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import NewEntry
from kiosk.forwarder.forward import Forwarding, forward
from kiosk.visit.desk import Desk
from offline_queue.agency_keys import recovery_key
from offline_queue.copies import open_copies
from offline_queue.journal import SqliteJournal
from offline_queue.staff_books import StaffBooks
from simulators.cards.card import VirtualCard
from simulators.cards.chip import build_number
from simulators.cards.psam import VirtualPsam
from simulators.deterministic.bank import MemoryBankLine
from simulators.deterministic.cards import Slot
from simulators.deterministic.disk import NO_ROOM, Disk
from simulators.deterministic.fitting import Pace, open_device, settings_of
from simulators.deterministic.fuse import Fuse, PowerCut
from simulators.deterministic.hosts import MemoryHostLink, Network
from simulators.deterministic.lines import Port
from simulators.deterministic.media import Media, MemoryCopies
from simulators.deterministic.office import Hands, StaffOffice
from simulators.deterministic.offline import AgencyDocuments
from simulators.deterministic.paper import MemoryPagePrinter, PlainAgency, SealTakenAtItsWord
from simulators.deterministic.pin_entry import Type, TypedPin
from simulators.deterministic.screen import Mind, MindedScreen
from simulators.deterministic.strikes import REGISTERS
from simulators.deterministic.tills import Till, recycler
from simulators.deterministic.watch import Watch
from simulators.devices.escpos import EscposPrinter
from simulators.devices.kmy import build as build_pad
from simulators.hosts.agency_duty import AgencyDutySandbox
from simulators.hosts.agency_ledger import AgencyLedgerSandbox
from simulators.hosts.bank import BankHost
from simulators.hosts.bank_books import BookedAct
from simulators.hosts.card_platform import CardPlatformSandbox
from simulators.hosts.hospital import HospitalSandbox
from simulators.hosts.medical_insurance import MedicalInsuranceSandbox
from simulators.hosts.sandbox import Sandbox
from simulators.hosts.weather import Weather
from simulators.worlds.world import World

CHINA = timezone(timedelta(hours=8))
MORNING = datetime(2026, 11, 23, 8, 30, tzinfo=CHINA)  # a Monday
BOOT_TIME = datetime(2026, 1, 1, tzinfo=CHINA)  # of a clock without a battery
PRINTER_LINES_S = 40.0
NOT_READ_BESIDE = {"social_insurance", "card_platform", "agency", "hospital"}  # hosts whose books nobody else opens
LOADED = "drums_exchanged"
RESTART_S = 5.0  # systemd's pause before it starts again what ended


class Terminal:
    """One terminal and its world, made inside a running trio. ``live`` is one life of the kiosk."""

    def __init__(
        self,
        seed: int | str,
        world: World,
        folder: Path,
        pace: "Pace | None" = None,
        *,
        bank: bool = False,
        till: Till | None = None,
        ledger: bool = False,
        office: StaffOffice | None = None,
        media: bool = False,
    ) -> None:
        self.chance = random.Random(f"{seed} world")
        self.world, self.folder = world, folder
        self.pace = pace or Pace()
        self._with_bank = bank
        self.till = till or recycler()
        self.fuse = Fuse(on_death=self._power_fails)
        self.disk = Disk(folder, lambda: self.fuse.burn(f"sync {self.journal_act}"))
        self.journal_act = ""
        self.clock_off = timedelta(0)
        self.weather = Weather()
        self.network = Network(self.chance)
        self.log: list[tuple[str, dict[str, Field]]] = []
        self.story: list[str] = []  # what a person would tell, each line with its virtual second
        self.lives = 0
        self.crashes = 0  # the process ended by itself, because its disk was full
        self.full_since_s: float | None = None  # no room for another note's story
        self.loaded_yuan = 0  # what staff put into the cash module
        self.clock_has_battery = True  # else it begins anew with the power
        self.kiosk_dies_alone = False  # a process that ends: devices and cards keep their power and go on
        self.cash_harmed = False  # a fault that loses or hides notes: then only cases can explain them
        self.documents = AgencyDocuments(world, self.now())
        self.watch = Watch(self)
        self.live_case: Callable[[], str] = lambda: ""  # of the visit that goes on in this life
        self._make_devices()
        self._make_hosts(ledger=ledger)
        self.hands = Hands(self.till, self.tell)
        self.office = office
        self.staff_cards = office.cards() if office else {}
        self.media = Media(folder, office, self.chance, self.fuse) if office and media else None

    def _make_devices(self) -> None:
        world = self.world
        self.cash = self.till.acceptor
        self.printer = EscposPrinter(lines_s=PRINTER_LINES_S)
        self.pad = build_pad(world, {})
        self.pages = MemoryPagePrinter()
        self.ports = {
            **{name: Port(name, device, self.fuse) for name, device in self.till.devices.items()},
            "printer": Port("printer", self.printer, self.fuse),
            "pad": Port("pad", self.pad, self.fuse),
        }
        self.slot = Slot("Virtual PCD 00 00")
        self.sam_slot = Slot("Virtual PCD 00 01", VirtualPsam(world.keys))
        self.cards = {
            card.handle: VirtualCard(
                card,
                world.resident(card.resident),
                world.keys,
                world.city,
                account=world.bank_account(card.handle) if self._with_bank else None,
            )
            for card in world.cards
        }

    def _make_hosts(self, *, ledger: bool) -> None:
        folder = self.folder / "hosts"
        kinds: dict[str, Callable[..., Sandbox]] = {
            "social_insurance": PlainAgency,
            "card_platform": CardPlatformSandbox,
            "agency": AgencyDutySandbox,
            "hospital": HospitalSandbox,
            "medical_insurance": MedicalInsuranceSandbox,
            **({"agency_ledger": AgencyLedgerSandbox} if ledger else {}),
        }
        self.hosts: dict[str, Any] = {
            name: kind(self.world, folder, self.weather, self.now) for name, kind in kinds.items()
        }
        self.bank: BankHost | None = None
        if self._with_bank:
            self.bank = BankHost(self.world, folder, self.weather, self.now)
        for books in [host.books for host in self.hosts.values()] + ([self.bank.books.sql] if self.bank else []):
            books.executescript("pragma synchronous = off; pragma journal_mode = memory")  # a host's power never fails
        for name in NOT_READ_BESIDE & self.hosts.keys():
            self.hosts[name].books.execute("pragma locking_mode = exclusive")  # no locks at each question
        self.registered_before_fen = self.registered_fen()

    def load_cash(self, notes: Mapping[int, int]) -> None:
        """``notes``: yuan to pieces, one cassette each."""
        self.loaded_yuan = self.till.load(notes)

    def chip_of(self, handle: str) -> Any:
        return self.cards[handle] if handle in self.cards else self.staff_cards[handle]

    def registered_fen(self) -> int:
        """All debts that the registers of hospital and agency were ever told of."""
        wanted = "select coalesce(sum(owed_fen), 0) from debts"
        return sum(int(self.hosts[name].books.execute(wanted).fetchone()[0]) for name in REGISTERS)

    def bank_acts(self) -> list[BookedAct]:
        """Everything that the bank ever booked for a card of this world."""
        assert self.bank is not None
        return [act for account in self.world.bank_accounts for act in self.bank.books.acts(account.pan)]

    # --- time and words -----------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """The hosts' time, which is right."""
        return MORNING + timedelta(seconds=trio.current_time())

    def kiosk_now(self) -> datetime:
        if self.fuse.dead:
            raise PowerCut
        return self.now() + self.clock_off

    def clock_is_right(self) -> bool:
        """What the Date of any answer says of ours."""
        return not self.clock_off

    def _write(self, event: str, **fields: Field) -> None:
        assert fields.keys() <= ALLOWED_FIELDS, fields
        self.log.append((event, fields))
        if event == "slot":
            self.tell(f"{fields['slot']} is {fields['condition']} {fields['reason']}".rstrip())

    def tell(self, what: str) -> None:
        self.story.append(f"{trio.current_time():10.2f} {what}")

    @property
    def number_in_slot(self) -> str:
        """Of the card that is in it; "": none."""
        handle = next((handle for handle, chip in self.cards.items() if chip is self.slot.chip), None)
        return "" if handle is None else build_number(self.world.card(handle))

    def press(self, key: str) -> None:
        """A key of the PIN pad."""
        if self.ports["pad"].plugged:
            self.pad.press(key)

    # --- lives --------------------------------------------------------------------------------------------------------

    async def run_world(self) -> None:
        """Devices live on, whatever becomes of the kiosk."""
        async with trio.open_nursery() as nursery:
            for port in self.ports.values():
                nursery.start_soon(port.run)

    async def live(self, mind: Mind, type_: Type, until: Callable[["Life"], Awaitable[None]]) -> bool:
        """One life of the kiosk, from power on until ``until`` returns. Whether something else ended it: the power,
        whoever killed it, or its own last resort, a disk that takes no more.

        ``until`` is whoever stands in front, from the moment on in which a card put in is served.
        """
        self.lives += 1
        self.journal_act = ""
        try:
            with self._opened(mind, type_) as life:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(forward, life.forwarding)
                    if life.second:
                        nursery.start_soon(life.second.keep)
                    await nursery.start(serve, life.desk, life.journal)
                    await until(life)
                    nursery.cancel_scope.cancel()
        except BaseException as ended:
            if self.fuse.dead and _among(ended, lambda one: isinstance(one, PowerCut)):
                self._power_returns()
            elif self.disk.refusals and _among(ended, lambda one: NO_ROOM in str(one)):
                await self._begins_again()
            else:
                raise
            return True
        if self.fuse.dead:
            self._power_returns()
            return True
        return False

    async def _begins_again(self) -> None:
        """A commit that the disk did not take ends the process: nothing goes on that could not be written."""
        self.crashes += 1
        self.tell("the kiosk ends: its disk is full")
        for port in self.ports.values():
            port.hang_up()
        self.slot.power_cut()
        self.disk.process_ended()
        await trio.sleep(RESTART_S)

    @contextmanager
    def _opened(self, mind: Mind, type_: Type) -> Iterator["Life"]:
        with ExitStack() as closing:
            life = Life(self, mind, type_, closing)
            life.journal.record("kiosk_started")
            if self.office and life.journal.last(LOADED) is None:
                load = balanced((Account.DRUMS, 100 * self.loaded_yuan), (Account.VAULT, -100 * self.loaded_yuan))
                life.journal.commit(NewEntry(LOADED, "", postings=load))  # last evening, by two of staff
            yield life

    def _power_fails(self) -> None:
        what = "KILLED" if self.kiosk_dies_alone else "POWER CUT"
        self.tell(f"{what} after {self.fuse.burnt[-1] if self.fuse.burnt else 'nothing'}")
        self.disk.dead = True
        if self.kiosk_dies_alone:
            for port in self.ports.values():
                port.hang_up()
            return
        for port in self.ports.values():
            port.power_cut()
        self.slot.power_cut()
        self.sam_slot.power_cut()

    def _power_returns(self) -> None:
        if self.kiosk_dies_alone:
            self.disk.process_ended()
        else:
            self.disk.power_cut(self.chance)
            if not self.clock_has_battery:
                self.clock_off = BOOT_TIME - self.now()
        self.fuse.power_on()
        self.tell("the kiosk starts again" if self.kiosk_dies_alone else "power is back")

    def close(self) -> None:
        self.disk.close()
        for host in self.hosts.values():
            host.close()
        if self.bank is not None:
            self.bank.close()
        if self.media is not None:
            self.media.close()


class Life:
    """The kiosk between two cuts, composed as ``run_kiosk`` composes it."""

    def __init__(self, terminal: Terminal, mind: Mind, type_: Type, closing: ExitStack) -> None:
        self.terminal = terminal
        data, run = terminal.folder / "data", terminal.folder / f"run-{terminal.lives}"
        run.mkdir()  # a tmpfs, empty after each power cut
        settings = settings_of(terminal, data, run)
        recovery = recovery_key(settings.agency_keys)
        self.journal = _NamedJournal(data, terminal.kiosk_now, recovery, free_bytes=lambda: terminal.disk.free_bytes)
        self.journal.terminal = terminal
        closing.callback(self.journal.database.close)  # also where the journal's last words meet no power any more
        closing.callback(self.journal.close)
        self.books = StaffBooks(data)
        closing.callback(self.books.close)
        self.screen = MindedScreen(mind)
        self.pages_before = 0  # shown before the visit that goes on now
        self.links = {
            name: MemoryHostLink(host, settings.hosts[name], terminal._write, terminal.network, terminal.fuse)
            for name, host in terminal.hosts.items()
        }
        self.bank_line: MemoryBankLine | None = None
        if terminal.bank is not None:
            deadline_s = settings.hosts["bank"].deadline_s
            self.bank_line = MemoryBankLine(terminal.bank, deadline_s, terminal.network, terminal.fuse)
        clock = _SteeredClock()
        clock.terminal = terminal
        # On a real terminal a process of its own; here both share one connection (money-rules 24).
        copies = open_copies(data)
        closing.callback(copies.close)
        write, confirmed = terminal._write, terminal.clock_is_right
        self.forwarding = Forwarding(settings, clock, write, self.journal, copies, self.links, time_confirmed=confirmed)
        self.second, others = None, None
        if media := terminal.media:
            self.second = media.copies(settings, copies, copies.public_key, terminal._write)
            others = MemoryCopies(media, settings, self.second)
        self.desk: Desk = compose(
            settings,
            Outside(
                log=terminal._write,
                clock=clock,
                journal=self.journal,
                terminal_books=self.books,
                links=self.links,
                screen=self.screen,
                find_driver=lambda name: partial(open_device, terminal, name),
                make_pin_entry=lambda reader, pad: TypedPin(reader, type_),
                seal_verifier=SealTakenAtItsWord(),
                bank_line=self.bank_line,
                other_copies=others,
                documents=terminal.documents,
            ),
        )

        terminal.live_case = lambda: self.desk.live_case

    @property
    def page(self) -> str:
        """The page that stands now."""
        return self.screen.standing.name if self.screen.standing else ""


class _NamedJournal(SqliteJournal):
    """The real one; it says which act a sync belongs to."""

    terminal: Terminal

    def commit(self, entry: NewEntry) -> int:
        self.terminal.journal_act = entry.act
        if not self.terminal.fuse.dead:
            self.terminal.watch.commits(entry, self.unsent() if "offline" in entry.facts else (0, 0))
        seq = super().commit(entry)
        self.terminal.watch.committed(entry)
        money = " ".join(f"{one.account.value}:{one.amount_fen}" for one in entry.postings if one.amount_fen)
        self.terminal.tell(f"journal {seq} {entry.act} {money}".rstrip())
        return seq


class _SteeredClock(SystemClock):
    terminal: Terminal

    def now(self) -> datetime:
        return self.terminal.kiosk_now()


def _among(ended: BaseException, wanted: Callable[[BaseException], bool]) -> bool:
    if isinstance(ended, BaseExceptionGroup):
        return ended.subgroup(wanted) is not None
    return wanted(ended)
