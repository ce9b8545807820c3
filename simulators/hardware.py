"""The terminal's devices, simulated, and what hands can do to them: cards, keys, paper, cables."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import trio

from simulators.cards.bare_slot import BareSlot
from simulators.cards.card import VirtualCard
from simulators.cards.psam import VirtualPsam
from simulators.cards.reader_with_pad import ReaderWithPad
from simulators.cards.slot import CardSlot
from simulators.cards.staff import VirtualStaffCard, staff_cards
from simulators.devices.escpos import EscposPrinter
from simulators.devices.escpos_paper import Paper
from simulators.devices.ipp import IppPrinter, Sheet
from simulators.devices.jack import HeadsetJack
from simulators.devices.kmy import KEY_BYTES, KmyPad
from simulators.devices.kmy import build as build_pad
from simulators.devices.lcus import LcusBoard
from simulators.front_panel.front import NotPossible
from simulators.native.build import build
from simulators.outlets import PageOutlet, ReceiptOutlet
from simulators.pcscd import PrivatePcscd
from simulators.pki import make_pki
from simulators.pty_line import PtyLine
from simulators.till import Till
from simulators.worlds.world import World

LOOPBACK = "127.0.0.1"
PIN_PAD = "pin_pad"
OWN_PAD = "card_reader"  # of a reader that has its own (mode A)
SHEETS_WAITING_MAX = 10  # to be drawn
LAMPS = ("card_slot", "pin_pad", "receipt_outlet", "page_outlet", "note_slot", "note_outlet")  # on relays 1 to 6
PRINTER_LINES_S = 40.0  # a slow one prints 50 mm/s, 3.75 mm a line: slower than this, but nobody should wait here


class Hardware:
    """Everything that is bolted into the terminal. ``on_change`` is called after whatever a person could see."""

    def __init__(self, world: World, run_dir: Path, pin_mode: str, on_change: Callable[[], None]) -> None:
        self.on_change = on_change
        self._pin_mode, self._run_dir = pin_mode, run_dir
        self.pcscd = PrivatePcscd(run_dir / "pcscd")
        self.cards = {
            card.handle: VirtualCard(
                card, world.resident(card.resident), world.keys, world.city, account=world.bank_account(card.handle)
            )
            for card in world.cards
        }
        self.staff = staff_cards(world, make_pki(run_dir / "pki"))
        self.pad: KmyPad = build_pad(world, {})
        self.pad_line = PtyLine(run_dir / "dev" / "pin-pad", self.pad)
        self.printer = EscposPrinter(
            lines_s=PRINTER_LINES_S, sees_outlet=True, on_paper=self._paper_came, on_withdrawn=on_change
        )
        self.printer_line = PtyLine(run_dir / "dev" / "receipt-printer", self.printer)
        self.till = Till(run_dir / "dev" / "cash", on_change)
        self.board = LcusBoard(on_change=on_change)
        self.board_line = PtyLine(run_dir / "dev" / "lights", self.board)
        self.jack = HeadsetJack()
        self.jack_line = PtyLine(run_dir / "dev" / "headset", self.jack)
        self.page_printer = IppPrinter(run_dir, on_sheet=self._sheet_came)
        self.receipts, self.sheets = ReceiptOutlet(), PageOutlet()
        self._own_pad_socket = run_dir / "own-pad.sock"
        self.own_pad_reader = ReaderWithPad(self._own_pad_socket, lambda: self.inserted, world.keys)
        self._psam = VirtualPsam(world.keys)
        self._slot: CardSlot | BareSlot = BareSlot(on_change)  # mode A: as only the library sees it
        self._sam_slot = CardSlot(LOOPBACK, 0)
        self._unplugged: set[str] = set()
        self._sheets_in, self._sheets_out = trio.open_memory_channel[Sheet](SHEETS_WAITING_MAX)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Power everything up; started once every device answers.

        Raises:
            simulators.pcscd.PcscdError, OSError.
        """
        with self.pcscd:
            self._sam_slot = CardSlot(LOOPBACK, self.pcscd.sam_port)
            async with trio.open_nursery() as nursery:
                if self._pin_mode == "A":
                    await nursery.start(self.own_pad_reader.run)
                else:
                    self._slot = slot = CardSlot(LOOPBACK, self.pcscd.card_port)
                    slot.on_change = self.on_change
                    await nursery.start(slot.run)
                lines = (self.pad_line, self.printer_line, self.till.line, self.board_line, self.jack_line)
                for part in (self._sam_slot, *lines, self.page_printer):
                    await nursery.start(part.run)
                nursery.start_soon(self._lay_sheets)
                await self._sam_slot.insert(self._psam)
                task_status.started()

    # --- cards ----------------------------------------------------------------------------------------------------

    @property
    def inserted(self) -> VirtualCard | VirtualStaffCard | None:
        card = self._slot.card
        return card if isinstance(card, VirtualCard | VirtualStaffCard) else None

    @property
    def apdu_seconds(self) -> float:
        """What the chips of card and PSAM computed since power-up."""
        return self._slot.apdu_seconds + self._sam_slot.apdu_seconds

    @property
    def noticed_at(self) -> float:
        """``time.perf_counter()`` at which the reader saw the card that is in; 0 while it did not."""
        return self._slot.noticed_at or 0.0

    async def insert(self, handle: str) -> None:
        """Raises LookupError, NotPossible."""
        card = self.staff[handle] if handle in self.staff else self.cards[handle]
        if self.inserted:
            raise NotPossible("卡口里有卡 · there is a card in the slot")
        try:
            await self._slot.insert(card)
        except OSError as error:
            raise NotPossible("读卡器没有反应 · the reader does not take it") from error

    async def pull(self) -> None:
        """Raises NotPossible."""
        if not self.inserted:
            raise NotPossible("卡口是空的 · the slot is empty")
        await self._slot.remove()
        self.own_pad_reader.card_out()

    # --- keys -----------------------------------------------------------------------------------------------------

    def press(self, key: str, pad: str = PIN_PAD) -> None:
        """Raises LookupError: no such key or pad."""
        if key not in KEY_BYTES or pad not in (PIN_PAD, OWN_PAD):
            raise LookupError(key)
        if pad == OWN_PAD:
            self.own_pad_reader.pad.press(key)
        elif "pin-pad" not in self._unplugged:
            self.pad.press(key)

    def asks_pin(self, pad: str = PIN_PAD) -> bool:
        return self.own_pad_reader.pad.lit if pad == OWN_PAD else self.pad.lit

    @property
    def lamps(self) -> tuple[str, ...]:
        """Places whose lamp is on: what a person sees, whatever the kiosk believes."""
        return tuple(place for relay, place in enumerate(LAMPS, 1) if relay in self.board.lit)

    # --- paper ----------------------------------------------------------------------------------------------------

    def paper(self, number: int) -> Paper:
        """Raises LookupError: torn off, or never printed."""
        for paper in self.papers():
            if paper.id == number:
                return paper
        raise LookupError(number)

    def papers(self) -> list[Paper]:
        """Pieces in the outlet, newest first."""
        gone = self.receipts.taken | set(self.printer.withdrawn)
        return [paper for paper in reversed(self.printer.papers) if paper.id not in gone]

    def take_paper(self, number: int) -> None:
        self.receipts.taken.add(self.paper(number).id)
        self.printer.take_paper(number)
        self.on_change()

    def _paper_came(self, paper: Paper) -> None:
        self.receipts.came(paper.id)
        self.on_change()

    def _sheet_came(self, sheet: Sheet) -> None:
        self._sheets_in.send_nowait(sheet)

    async def _lay_sheets(self) -> None:
        async for sheet in self._sheets_out:
            await self.sheets.lay(sheet)
            self.on_change()

    def take_sheet(self, number: int) -> None:
        self.sheets.take(number)
        self.on_change()

    # --- cables and power -----------------------------------------------------------------------------------------

    def plug(self, line: PtyLine, *, unplugged: bool) -> None:
        if unplugged:
            self._unplugged.add(line.path.name)
            line.unplug()
        else:
            self._unplugged.discard(line.path.name)
            line.plug()

    def is_unplugged(self, line: PtyLine) -> bool:
        return line.path.name in self._unplugged

    async def restart_pcscd(self) -> None:
        """Kill pcscd and start it again; cards that are in stay in.

        Blocks for about a third of a second: pcscd must be started from the main thread.
        """
        self.pcscd.restart()
        await trio.lowlevel.checkpoint()

    def slots(self) -> Mapping[str, Mapping[str, Any]]:
        """The settings of every slot of the terminal, as the drivers want them.

        Raises:
            simulators.native.build.BuildError: mode A's vendor library could not be compiled.
        """
        reader: Mapping[str, Any] = {"driver": "pcsc"}
        if self._pin_mode == "A":
            library = build("ldt33_standin", self._run_dir / "native")
            reader = {"driver": "ldt33", "library": str(library), "icc_device": "USB1"}
        return {
            "card_reader": reader,
            "sam_reader": {"driver": "psam"},
            "pin_pad": {
                "driver": "kmy",
                "path": str(self.pad_line.path),
                "mac_algorithm": "unionpay",
                "component_entry": True,
            },
            "receipt_printer": {
                "driver": "escpos",
                "port": str(self.printer_line.path),
                "outlet": "custom",
                "withdraw": "1d6502",
            },
            "page_printer": {"driver": "ipp", "uri": self.page_printer.uri},
            "lights": {"driver": "lcus", "path": str(self.board_line.path), **_relays()},
            "headset": {"driver": "evdev_jack", "path": str(self.jack_line.path)},
            "cash_acceptor": {"driver": "ccnet", "path": str(self.till.line.path), "unit": "bill_to_bill"},
        }

    def environment(self) -> Mapping[str, str]:
        """What libraries in the kiosk's process read to find their reader."""
        return {
            "PCSCLITE_CSOCK_NAME": str(self.pcscd.socket_path),
            "LDT33_STANDIN_SOCKET": str(self._own_pad_socket),
        }

    def power_cut(self) -> None:
        """Pad, receipt printer, lamps and cash module hang on the terminal's power; the A4 printer has its own."""
        self.board_line.power_cut()
        self.jack_line.power_cut()
        self.pad_line.power_cut()
        self.printer_line.power_cut()
        self.till.power_cut()


def _relays() -> Mapping[str, int]:
    return {place: relay for relay, place in enumerate(LAMPS, 1)}
