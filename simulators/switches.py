"""The fault switches of the front panel, by name: what each does to devices, cables, network or power."""

from collections.abc import Awaitable, Callable, Sequence

from simulators.front_panel.front import Switch
from simulators.hardware import Hardware
from simulators.hosts.weather import Weather
from simulators.kiosk_process import KioskProcess
from simulators.till import JAMS

SLOW_HOST_S = 5.0  # below the kiosk's deadline of 8 s: slow, and still an answer

# Of outside systems; each is a switch of the weather by the same name.
HABITS = (
    "platform_down",
    "platform_silent",
    "reversal_overtakes",
    "window_pays",
    "day_is_over",
    "bank_down",
    "bank_slow",
    "bank_silent",
)

SWITCHES = (
    "paper_low", "paper_out", "cover_open", "printer_unplugged", "page_paper_empty", "page_printer_unplugged",
    "pad_battery_low", "pad_unplugged", "cash_unplugged", "cash_box_out", *JAMS,
    "lights_unplugged", "headset_in",
    "network_down", "slow_host", *HABITS, "pcscd_restart", "power_cut",
)  # fmt: skip
PAGE_FAULTS = {"page_paper_empty": "paper_out", "page_printer_unplugged": "unplugged"}
MOMENTARY = ("pcscd_restart", "power_cut")


class FaultSwitches:
    def __init__(
        self,
        hardware: Hardware,
        weather: Weather,
        processes: Sequence[KioskProcess],
        on_change: Callable[[], None],
    ) -> None:
        self._hardware, self._weather, self._processes, self._on_change = hardware, weather, processes, on_change

    def state(self, name: str) -> Switch:
        return Switch(name, name not in MOMENTARY and self._is_on(name), name in MOMENTARY)

    async def set(self, name: str, on: bool) -> None:
        """Raises LookupError: no such switch."""
        if name not in SWITCHES:
            raise LookupError(name)
        if name in MOMENTARY:
            await self._happen(name)
        else:
            await self._turn(name, on)
        self._on_change()

    async def _happen(self, name: str) -> None:
        happenings: dict[str, Callable[[], Awaitable[None]]] = {
            "pcscd_restart": self._hardware.restart_pcscd,
            "power_cut": self._power_cut,
        }
        await happenings[name]()

    async def _power_cut(self) -> None:
        self._hardware.power_cut()
        for process in self._processes:
            await process.power_cut()

    def _is_on(self, name: str) -> bool:
        hardware = self._hardware
        match name:
            case "network_down":
                return self._weather.down
            case "slow_host":
                return self._weather.slow_s > 0
            case _ if name in HABITS:
                return bool(getattr(self._weather, name))
            case "printer_unplugged":
                return hardware.is_unplugged(hardware.printer_line)
            case "pad_unplugged":
                return hardware.is_unplugged(hardware.pad_line)
            case "cash_unplugged":
                return hardware.is_unplugged(hardware.till.line)
            case "lights_unplugged":
                return hardware.is_unplugged(hardware.board_line)
            case "headset_in":
                return hardware.jack.plugged
            case "cash_box_out" | "note_jam" | "stacker_jam" | "dispenser_jam":
                return hardware.till.is_on(name)
            case "pad_battery_low":
                return "battery_low" in hardware.pad.faults
            case "page_paper_empty" | "page_printer_unplugged":
                return PAGE_FAULTS[name] in hardware.page_printer.faults
            case _:
                return name in hardware.printer.faults

    async def _turn(self, name: str, on: bool) -> None:
        hardware = self._hardware
        match name:
            case "network_down":
                self._weather.change(down=on)
            case "slow_host":
                self._weather.change(slow_s=SLOW_HOST_S if on else 0.0)
            case _ if name in HABITS:
                self._weather.change(**{name: on})
            case "printer_unplugged":
                hardware.plug(hardware.printer_line, unplugged=on)
            case "pad_unplugged":
                hardware.plug(hardware.pad_line, unplugged=on)
            case "cash_unplugged":
                hardware.plug(hardware.till.line, unplugged=on)
            case "lights_unplugged":
                hardware.plug(hardware.board_line, unplugged=on)
            case "headset_in":
                hardware.jack.plug(on)
            case "cash_box_out" | "note_jam" | "stacker_jam" | "dispenser_jam":
                hardware.till.turn(name, on)
            case "pad_battery_low":
                _member(hardware.pad.faults, "battery_low", on)
            case "page_paper_empty" | "page_printer_unplugged":
                await hardware.page_printer.set_fault(PAGE_FAULTS[name], on)
            case "paper_out" | "paper_low" if not on:
                hardware.printer.load_paper()  # a person puts a new roll in
            case _:
                _member(hardware.printer.faults, name, on)


def _member(faults: set[str], name: str, on: bool) -> None:
    if on:
        faults.add(name)
    else:
        faults.discard(name)
