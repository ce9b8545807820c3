"""What a terminal is fitted with in memory: its settings, and the real drivers at its ports."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import trio

from drivers.card_reader.pcsc.driver import CardReaderSettings, PcscCardReader
from drivers.cash_module.ccnet.recycler import CcnetBillToBill as CcnetDriver
from drivers.cash_module.ccnet.validator import CcnetSettings
from drivers.cash_module.ccnet.validator import CcnetValidator as CcnetValidatorDriver
from drivers.cash_module.id003.driver import Id003Settings
from drivers.cash_module.id003.driver import Id003Validator as Id003Driver
from drivers.cash_module.puloon.driver import PuloonDispenser as PuloonDriver
from drivers.cash_module.puloon.driver import PuloonSettings
from drivers.cash_module.ssp.driver import SspModule as SspDriver
from drivers.cash_module.ssp.driver import SspSettings
from drivers.pin_pad.kmy.pad import KmyPad as KmyDriver
from drivers.pin_pad.kmy.settings import PadSettings, pad_settings
from drivers.printer.escpos.driver import EscposPrinter as EscposDriver
from drivers.printer.escpos.options import Options, read_options
from drivers.sam_reader.psam.driver import PsamReader, PsamSettings
from drivers.transport.line import Line
from kiosk.ports import DeviceContext
from kiosk.settings.bank_rules import BankRules
from kiosk.settings.config import AgencyKeys, HostSettings, JournalRules, Settings, SlotSettings, StaffRules
from kiosk.settings.config import Terminal as TerminalRules
from kiosk.settings.medical_rules import MedicalInsuranceRules
from simulators.bank_settings import bank_settings
from simulators.deterministic.cards import SlotLine
from simulators.deterministic.lines import Port
from simulators.deterministic.tills import DISPENSER, DISPENSER_YUAN
from simulators.kiosk_settings import PROMISED, medical_insurance_settings
from simulators.worlds.world import World

if TYPE_CHECKING:
    from simulators.deterministic.terminal import Terminal

SSP_POLL_S_MAX = 0.4  # at rest every twelfth: an SSP unit wants a word every five seconds


@dataclass(frozen=True)
class Pace:
    """How often drivers ask their devices, in seconds, as shipped. A long history asks less often, by the same code."""

    cash_s: float = CcnetSettings.poll_s
    printer_s: float = Options.poll_s
    pad_s: float = PadSettings.heartbeat_s


def settings_of(terminal: "Terminal", data: Path, run: Path) -> Settings:
    drivers = {
        "card_reader": "pcsc",
        "sam_reader": "psam",
        "pin_pad": "kmy",
        "receipt_printer": "escpos",
        "page_printer": "pages",
        **terminal.till.slots,
    }
    bank = () if terminal.bank is None else ("bank",)
    return Settings(
        run_dir=str(run),
        data_dir=str(data),
        terminal=TerminalRules(telephone="0000-12333"),
        slots={slot: SlotSettings(driver=driver) for slot, driver in drivers.items()},
        hosts={name: HostSettings(url="https://memory", **PROMISED.get(name, {})) for name in (*terminal.hosts, *bank)},
        medical_insurance=MedicalInsuranceRules(**_platform_rules(terminal.world)),
        bank=msgspec.convert(bank_settings(), BankRules) if bank else BankRules(),
        staff=terminal.office.rules if terminal.office else StaffRules(),
        agency_keys=terminal.office.keys if terminal.office else AgencyKeys(),
        journal=terminal.media.rules if terminal.media else JournalRules(),
    )


def _platform_rules(world: World) -> dict[str, Any]:
    rules = medical_insurance_settings(world)
    return {**rules, "sign_on_codes": tuple(rules["sign_on_codes"])}


def open_device(terminal: "Terminal", name: str, _options: Any, context: DeviceContext) -> Any:
    fuse, ports, pace = terminal.fuse, terminal.ports, terminal.pace
    match name:
        case "pcsc":
            return PcscCardReader(CardReaderSettings(), context, open_line=partial(SlotLine, terminal.slot, fuse))
        case "psam":
            return PsamReader(PsamSettings(), context, open_line=partial(SlotLine, terminal.sam_slot, fuse))
        case "kmy":
            options = {"path": "memory", "heartbeat_s": pace.pad_s, "mac_algorithm": "unionpay"}
            return KmyDriver(pad_settings(options), context, ports["pad"].open)
        case "escpos":
            return EscposDriver(
                read_options({"poll_s": pace.printer_s}), context, partial(_opened_line, ports["printer"])
            )
        case "ccnet":
            settings = CcnetSettings(path="memory", unit="bill_to_bill", poll_s=pace.cash_s)
            return CcnetDriver(settings, context, ports["cash"].open)
        case "ccnet_validator":
            settings = CcnetSettings(path="memory", poll_s=pace.cash_s)
            return CcnetValidatorDriver(settings, context, ports["cash"].open)
        case "id003":
            return Id003Driver(Id003Settings(path="memory", poll_s=pace.cash_s), context, ports["cash"].open)
        case "ssp":
            ssp = SspSettings(path="memory", recycle="1,10,50", poll_s=min(pace.cash_s, SSP_POLL_S_MAX))
            return SspDriver(ssp, context, ports["cash"].open)
        case "puloon":
            puloon = PuloonSettings(path="memory", denomination_fen=100 * DISPENSER_YUAN, poll_s=pace.cash_s)
            return PuloonDriver(puloon, context, ports[DISPENSER].open)
    assert name == "pages"
    terminal.pages.opened(context)
    return terminal.pages


async def _opened_line(port: Port, options: Options) -> Line:
    await trio.lowlevel.checkpoint()
    return port.open()
