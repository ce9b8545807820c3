"""A terminal that qemu emulates, everything around it, and somebody who stands before it."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import trio

from simulators.hosts.hospital import HospitalSandbox
from simulators.hosts.medical_insurance import MedicalInsuranceSandbox
from simulators.smoke.bill import content_yuan
from simulators.smoke.cast import choose_payer
from simulators.smoke.glass import Glass
from simulators.smoke.hands import REACTION_S
from simulators.usb.ports import HUB, qemu_arguments, reader_of, touch_panel
from simulators.usb.terminal import UsbTerminal
from simulators.waiting import came_true, until
from simulators.worlds.world import Card, load_world
from tests.appliance.box import SerialGlass, kept_on, make_disk_for
from tests.appliance.disks import Built
from tests.appliance.machine import Hardware, Machine, machine

ROOT = Path(__file__).parents[2]
WORLD = ROOT / "simulators" / "worlds" / "demo.toml"
SIZE_PX = (1080, 1920)  # of the picture; the panel is a wide one that hangs on its side, as most upright ones do
# The guest reaches this machine's loopback, and nobody: no names, no IPv6; its own firewall has the last word.
NETWORK = "user,ipv6=off,dns=10.0.2.9"
ATTRACT_S_MAX = 900.0  # from power-on; every instruction is emulated, maybe on a machine that has more to do
PAGE_S_MAX = 120.0
KEY_S = 0.2
AGAIN_S, ANSWERED_S = 20.0, 8.0
READER, STICK = "card-reader", "stick"
REFUSED = r"target\.new='(block|reject)' device\.rule='block id "  # as usbguard's log tells it
NOTE_YUAN = 100
NOTES_MAX = 20


@dataclass
class Stage:
    """``disk`` outlives every start; so do books, notes, paper and chips."""

    folder: Path
    around: UsbTerminal
    disk: Path
    starts: int = 0

    @asynccontextmanager
    async def switched_on(self, tpm: Path | None = None) -> AsyncIterator["Visitor"]:
        """From power-on, until the block ends or somebody cuts it. Yields before the guest has started. ``tpm``: the
        board's, by its control socket."""
        self.starts += 1
        hardware = Hardware(
            self.disk, "raw", width_px=SIZE_PX[0], height_px=SIZE_PX[1], on_its_side=True, network=NETWORK,
            tpm=tpm, panel="", more=qemu_arguments(self.folder),
        )  # fmt: skip
        place = self.folder / f"{self.starts}"
        async with machine(place, hardware) as computer:
            yield Visitor(self.around, computer, SerialGlass(place / "serial.log"))
        self.around.power_cut()

    def journal(self) -> Path:
        """A copy of the terminal's journal, as its next start would find it. It is switched off."""
        return kept_on(self.disk, "/lib/yikatong/journal", self.folder / f"kept{self.starts}")

    @property
    def hospital(self) -> HospitalSandbox:
        hospital = self.around.outside.sandboxes["hospital"]
        assert isinstance(hospital, HospitalSandbox)
        return hospital

    @property
    def platform(self) -> MedicalInsuranceSandbox:
        platform = self.around.outside.sandboxes["medical_insurance"]
        assert isinstance(platform, MedicalInsuranceSandbox)
        return platform

    @property
    def payer(self) -> Card:
        """Whose bills leave a part for notes."""
        found = choose_payer(self.around.world, date.today())
        assert found is not None
        return found

    @property
    def content_yuan(self) -> int:
        return content_yuan(self.around.till.front())


@asynccontextmanager
async def stage(image: Built, folder: Path, alter: Callable[[Path], None] = lambda box: None) -> AsyncIterator[Stage]:
    """Everything but the terminal itself is on. ``folder``: short, for its UNIX sockets. ``alter``: what another
    installer would have put into /etc/yikatong."""
    around = UsbTerminal(load_world(WORLD), folder / "around", folder)
    async with trio.open_nursery() as nursery:
        await nursery.start(around.run)
        box = around.write_box(folder / "box", size_px=SIZE_PX, turned="left")
        alter(box)
        yield Stage(folder, around, make_disk_for(image.disk, folder / "disk.img", box))
        nursery.cancel_scope.cancel()


@dataclass
class Visitor:
    """One resident: looks, touches, types, feeds notes and takes what comes out."""

    around: UsbTerminal
    computer: Machine
    glass: Glass

    async def finds_it_open(self) -> None:
        """From power-on until residents are served: then the page asks for a card, and systemd hears of it."""
        await self.sees("insert_card", limit_s=ATTRACT_S_MAX)
        await self.until_said("Started yikatong-kiosk.service", 0, "the kiosk serves")

    async def sees(self, *questions: str, limit_s: float = PAGE_S_MAX) -> str:
        """Which of these stands, as soon as one does. Raises simulators.smoke.glass.Unexpected."""
        return (await self.glass.until(*questions, limit_s=limit_s)).question

    async def answers(self, value: str, *then: str, limit_s: float = PAGE_S_MAX) -> str:
        """A finger on this answer, and which of these questions follows. Who sees nothing happen touches again: a page
        that was drawn anew a moment before is deaf, and in an emulator a moment is long."""
        spot = await self.glass.until_offered(value, limit_s=PAGE_S_MAX)
        stands, again_until = self.glass.look().question, trio.current_time() + limit_s - AGAIN_S
        while True:
            await trio.sleep(REACTION_S)
            await self.computer.touch(*spot.middle)
            if await came_true(lambda: self.glass.look().question != stands, AGAIN_S):
                return await self.sees(*then, limit_s=limit_s)
            if trio.current_time() > again_until:
                return await self.sees(*then, limit_s=AGAIN_S)

    async def puts_card_in(self, handle: str) -> None:
        await self.around.card_slot.insert(self.around.cards[handle])

    async def takes_card(self) -> None:
        await self.around.card_slot.remove()

    async def pulls_reader(self) -> None:
        """The card reader's own plug; the PSAM is in another."""
        self.around.card_slot.unplug()
        await self._pulls(READER)

    async def plugs_reader(self) -> None:
        for device in reader_of("card"):
            await self.computer.monitor.ask("device_add", **device)
        self.around.card_slot.plug()

    async def pulls_panel(self) -> None:
        await self._pulls(touch_panel()["id"])

    async def plugs_panel(self) -> None:
        await self.computer.monitor.ask("device_add", **touch_panel())

    async def plugs_stranger(self, driver: str) -> None:
        """Something that has no place here, for as long as it takes the terminal to refuse it."""
        place = len(self.computer.serial)
        await self.computer.monitor.ask("device_add", driver=driver, id="stranger", bus=f"{HUB}.0")
        await self.until_said(REFUSED, place, f"{driver} is refused")
        await self._pulls("stranger")

    async def plugs_stick(self, image: Path) -> None:
        """In, until the terminal has put it where its agent alone can read it, and out again."""
        place = len(self.computer.serial)
        file = {"driver": "file", "filename": str(image)}
        await self.computer.monitor.ask("blockdev-add", **{"driver": "raw", "node-name": STICK, "file": file})
        driver = {"driver": "usb-storage", "id": STICK, "bus": f"{HUB}.0", "drive": STICK}
        await self.computer.monitor.ask("device_add", **driver)
        await self.until_said(r"Finished yikatong-stick@sd[a-z]1\.service", place, "the stick is there")
        place = len(self.computer.serial)
        await self._pulls(STICK)
        await self.until_said(r"Stopped yikatong-stick@sd[a-z]1\.service", place, "the stick is gone")

    async def _pulls(self, device: str) -> None:
        await self.computer.monitor.ask("device_del", id=device)
        with trio.fail_after(PAGE_S_MAX):  # qemu takes a device away when the guest lets go of it
            while any(one["name"] == device for one in await self._peripherals()):
                await trio.sleep(KEY_S)

    async def _peripherals(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = await self.computer.monitor.ask("qom-list", path="/machine/peripheral")
        return found

    async def types(self, digits: str) -> None:
        """At the pad, once it asks, with a person's pace, and the green key at last."""
        pad = self.around.pad
        await until(lambda: pad.lit, PAGE_S_MAX, "the pad asks for a PIN")
        for key in (*digits, "enter"):
            await trio.sleep(KEY_S)
            pad.press(key)

    async def looks_at_the_balance(self, pin: str) -> None:
        """From the menu and back to it."""
        await self.answers("query_account", "pin_entry")
        await self.types(pin)
        await self.sees("overview")
        await self.answers("account", "figures_account")
        await self.answers("back", "overview")
        await self.answers("back", "menu")

    async def feeds(self) -> int:
        """Notes of 100, one after another, until no more are asked for; yuan."""
        till = self.around.till
        for fed in range(NOTES_MAX):
            await until(lambda: till.front().lit or not self._is_asked_for_notes, PAGE_S_MAX, "the slot for notes")
            if not self._is_asked_for_notes:
                return fed * NOTE_YUAN
            inside = content_yuan(till.front())
            till.feed(NOTE_YUAN)
            await until(lambda before=inside: content_yuan(till.front()) > before, PAGE_S_MAX, "the note is inside")  # type: ignore[misc]
            # Nobody feeds the next one before the page has answered to this one; an emulated one takes its time.
            await came_true(lambda: not self._is_asked_for_notes, ANSWERED_S)
        return NOTES_MAX * NOTE_YUAN

    @property
    def _is_asked_for_notes(self) -> bool:
        return self.glass.look().question == "feed_notes"

    async def takes_notes(self) -> int:
        till = self.around.till
        await until(lambda: bool(till.front().outlet), PAGE_S_MAX, "change")
        change = sum(till.front().outlet)
        await trio.sleep(REACTION_S)
        till.take_notes()
        return change

    async def hears_of(self, slot: str, condition: str, before: int) -> int:
        """Until the kiosk's log says so of a device, after place ``before`` of the serial line; where that is."""
        said = f'"event": "slot", "slot": "{slot}", "condition": "({condition})"'
        return await self.until_said(said, before, f"{slot} is {condition}")

    async def until_said(self, words: str, before: int, what: str) -> int:
        """Until the serial line has said what matches ``words`` after place ``before`` of it; where that ends."""
        said = re.compile(words)
        await until(lambda: said.search(self.computer.serial, before) is not None, PAGE_S_MAX, what)
        match = said.search(self.computer.serial, before)
        assert match is not None
        return match.end()
