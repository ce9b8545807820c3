"""Everything around a terminal that qemu emulates: devices at its USB ports, outside systems, and the files of its box.

The guest runs what a terminal runs. It reaches the outside systems, and the A4 printer on its own cable, at the address
by which qemu's user network calls this machine's loopback.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from shutil import copytree, rmtree
from typing import Any

import trio

from simulators.bank_settings import bank_host_settings, bank_settings
from simulators.cards.card import VirtualCard
from simulators.cards.psam import VirtualPsam
from simulators.devices.escpos import EscposPrinter
from simulators.devices.ipp import IppPrinter
from simulators.devices.kmy import build as build_pad
from simulators.devices.lcus import LcusBoard
from simulators.kiosk_settings import as_toml, kiosk_settings, medical_insurance_settings
from simulators.offline_documents import OFFLINE_DOCUMENTS, publish
from simulators.outside import OutsideSystems
from simulators.pki import QEMU_HOST, Pki, make_pki
from simulators.till import LooseTill
from simulators.usb import ports
from simulators.usb.card_slot import UsbCardSlot
from simulators.usb.printer import UsbReceiptPrinter
from simulators.usb.redir_cable import RedirCable
from simulators.usb.serial_cable import SerialCable
from simulators.usb.socket_cable import SocketCable
from simulators.worlds.world import World

LOOPBACK = "127.0.0.1"
BOX = Path("/etc/yikatong")  # in the guest
PRINTER_LINES_S = 40.0
# An emulated board is thirty times slower than a real one: what is silence there is haste here.
DEADLINE_S = 60.0
TIMING = {"question_s": 300.0, "card_left_s": 300.0, "paper_left_s": 300.0, "read_card_s": 120.0}
ESCPOS_PATIENCE = {"reply_s": 4.0, "poll_s": 15.0, "offline_s_max": 30.0, "confirm_s_base": 40.0, "line_s": 1.0}
IPP_PATIENCE = {"connect_s": 30.0, "reply_s": 60.0, "poll_s": 30.0}
LCUS_PATIENCE = {"reply_s": 4.0, "poll_s": 15.0}
KMY_PATIENCE = {"reply_s_max": 6.0, "heartbeat_s": 15.0}
RELAYS = ("card_slot", "pin_pad", "receipt_outlet", "page_outlet", "note_slot", "note_outlet")


class UsbTerminal:
    """``folder`` keeps certificates, books and what the devices remember; ``sockets`` is where qemu listens."""

    def __init__(self, world: World, folder: Path, sockets: Path, on_change: Callable[[], None] = lambda: None) -> None:
        self.world, self.folder = world, folder
        self.pki: Pki = make_pki(folder / "pki")
        self.outside = OutsideSystems(world, folder / "hosts", self.pki)
        self.cards = {
            card.handle: VirtualCard(
                card, world.resident(card.resident), world.keys, world.city, account=world.bank_account(card.handle)
            )
            for card in world.cards
        }
        self.psam = VirtualPsam(world.keys)
        self.pad, self.board, self.till = build_pad(world, {}), LcusBoard(on_change=on_change), LooseTill(on_change)
        self.printer = EscposPrinter(lines_s=PRINTER_LINES_S, sees_outlet=True, xon_xoff=False)
        self.page_printer = IppPrinter(folder)
        self.card_slot = UsbCardSlot(ports.socket_of(sockets, "card"), on_change)
        self.sam_slot = UsbCardSlot(ports.socket_of(sockets, "sam"), on_change)
        self.pad_cable = SerialCable(ports.socket_of(sockets, "pin-pad"), self.pad, on_change)
        self.cash_cable = SerialCable(ports.socket_of(sockets, "cash-acceptor"), self.till.recycler, on_change)
        self.board_cable = SerialCable(ports.socket_of(sockets, "lights"), self.board, on_change)
        device = UsbReceiptPrinter(self.printer, ports.RECEIPT_PRINTER)
        self.printer_cable = RedirCable(ports.socket_of(sockets, "receipt"), device, on_change)
        self.cables: tuple[SocketCable, ...] = (
            self.card_slot, self.sam_slot, self.pad_cable, self.cash_cable, self.board_cable, self.printer_cable,
        )  # fmt: skip

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Everything plugged in, the PSAM in its slot, the outside systems listening; until cancelled.

        Raises:
            simulators.processes.ChildEnded, OSError.
        """
        async with trio.open_nursery() as nursery:
            await nursery.start(self.outside.run)
            await nursery.start(self.page_printer.run)
            for cable in self.cables:
                await nursery.start(cable.run)
                cable.plug()
            await self.sam_slot.insert(self.psam)
            task_status.started()

    def power_cut(self) -> None:
        """Pad, lamps, receipt printer and cash module hang on the terminal's power; cards stay where they are."""
        for device in (self.pad, self.board, self.printer, self.till.recycler):
            device.power_cut()

    # --- the box ----------------------------------------------------------------------------------------------------

    def write_box(self, target: Path, *, size_px: tuple[int, int], turned: str = "normal") -> Path:
        """What lies in ``/etc/yikatong`` of this one terminal: settings, devices, certificates, signed documents.

        The outside systems run already: their ports are in it. ``turned``: the picture in the panel.
        """
        rmtree(target, ignore_errors=True)
        for folder in (target / "pki", target / OFFLINE_DOCUMENTS):
            folder.mkdir(parents=True)
        for name in ("hosts-ca.pem", "terminal.pem", "terminal.key", "staff-ca.pem", "recovery.public.pem"):
            (target / "pki" / name).write_bytes((self.pki.directory / name).read_bytes())
        (target / "pki" / "documents.public.pem").write_bytes(self.pki.public("documents").read_bytes())
        copytree(self.pki.anchors, target / "pki" / "anchors")
        publish(self.pki, self.world, target / OFFLINE_DOCUMENTS, datetime.now().astimezone())
        (target / "devices.toml").write_text(as_toml(devices()))
        (target / "settings.toml").write_text(as_toml(self.settings(size_px, turned)))
        return target

    def settings(self, size_px: tuple[int, int], turned: str) -> dict[str, Any]:
        """As an installer would write them, with this world's keys and addresses."""
        there = Pki(BOX / "pki")
        tree = kiosk_settings(
            run_dir=Path("/run/yikatong"),
            data_dir=Path("/var/lib/yikatong/journal"),
            offline_dir=BOX / OFFLINE_DOCUMENTS,
            size_px=size_px,
            pin_mode="B",
            pki=there,
            slots=self._slots(),
            host_ports=self.outside.ports,
            medical_insurance=medical_insurance_settings(self.world),
        )
        tree["panel"]["turned"] = turned
        tree["voice_dir"] = "/usr/lib/yikatong/voices"
        tree["bank"] = bank_settings()
        tree["hosts"]["bank"] = bank_host_settings(self.outside.bank_port, there)
        for host in tree["hosts"].values():
            host["url"] = host["url"].replace(LOOPBACK, QEMU_HOST)
            host["deadline_s"] = DEADLINE_S
        tree["timing"] = TIMING
        tree["seals"]["verify_s_max"] = DEADLINE_S * 2
        return tree

    def _slots(self) -> dict[str, dict[str, Any]]:
        lamps = {place: relay for relay, place in enumerate(RELAYS, 1)}
        return {
            "card_reader": {"driver": "pcsc", "reader": ports.CARD},
            "sam_reader": {"driver": "psam", "reader": ports.SAM},
            "pin_pad": {"driver": "kmy", "path": "/dev/kiosk/pin-pad", "mac_algorithm": "unionpay", **KMY_PATIENCE},
            "receipt_printer": {
                "driver": "escpos",
                "transport": "usb",
                "usb_serial": ports.RECEIPT_PRINTER,
                "outlet": "custom",
                "withdraw": "1d6502",
                **ESCPOS_PATIENCE,
            },
            "page_printer": {
                "driver": "ipp",
                "uri": self.page_printer.uri.replace(LOOPBACK, QEMU_HOST),
                **IPP_PATIENCE,
            },
            "cash_acceptor": {"driver": "ccnet", "path": "/dev/kiosk/cash-acceptor", "unit": "bill_to_bill"},
            "lights": {"driver": "lcus", "path": "/dev/kiosk/lights", **lamps, **LCUS_PATIENCE},
        }


def devices() -> dict[str, dict[str, str]]:
    """The table of the box's USB devices that get a name."""
    named = {name: {"serial": serial} for name, serial in ports.SERIAL_LINES.items()}
    return {
        **named,
        "receipt-printer": {"serial": ports.RECEIPT_PRINTER, "kind": "usb"},
        "touch-panel": {"serial": ports.PANEL, "kind": "touch"},
    }
