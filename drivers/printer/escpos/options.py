"""Settings of one ESC/POS printer, each with its unit."""

from collections.abc import Mapping
from dataclasses import dataclass

from drivers.options import OptionError
from drivers.options import read_options as read_fields
from drivers.printer.escpos.composer import Paper
from drivers.printer.raster import DEFAULT_FONTS


@dataclass(frozen=True)
class Options:
    """See docs/devices/printer_escpos.md for how to find the right values for a model."""

    transport: str = "serial"  # serial | usb
    port: str = "/dev/kiosk/receipt_printer"
    baud: int = 9600
    parity: str = "N"  # N | E | O
    usb_vendor: int = 0  # 0 = the first USB device of printer class
    usb_product: int = 0
    usb_serial: str = ""
    columns: int = 48  # 32 | 42 | 48
    dots: int = 576
    charset: str = "gbk"  # gb2312 | gbk | gb18030
    qr: str = "native"  # native | raster
    fence: str = "status"  # status (GS r 1) | process_id (GS ( H), stronger where the model has it
    outlet: str = "none"  # none | custom: the printer sees what lies in its outlet (DLE EOT 20, byte 3, bit 5)
    present: str = ""  # hex of the command that puts a cut receipt into the outlet, where the cut alone does not
    withdraw: str = ""  # hex of the command that takes back what lies in the outlet, where the model can
    fonts: str = ""  # paths joined by ':', "#n" names a face of a collection; empty = Debian's
    poll_s: float = 4.0  # each job asks anyway before it begins
    reply_s: float = 0.4  # a real-time answer takes a few milliseconds; this is silence
    silent_polls_max: int = 5
    batch_bytes: int = 512  # between two status questions
    window_bytes: int = 3072  # unconfirmed at most: smaller than the printer's buffer
    flow_s_max: float = 20.0  # how long XOFF or a full line may hold us
    offline_s_max: float = 5.0  # an offline without a reason may flap
    confirm_s_base: float = 4.0
    line_s: float = 0.15  # to print one line of paper, at worst

    @property
    def paper(self) -> Paper:
        return Paper(self.columns, self.dots, self.charset, self.qr, bytes.fromhex(self.present))

    @property
    def font_chain(self) -> tuple[str, ...]:
        return tuple(self.fonts.split(":")) if self.fonts else DEFAULT_FONTS

    def wire_s(self, length: int) -> float:
        """Seconds that ``length`` bytes take on a serial line: ten bits a byte."""
        return length * 10 / self.baud


def read_options(options: Mapping[str, object]) -> Options:
    """Raises OptionError: unknown name, wrong type, or value out of its range."""
    read = read_fields(Options, options)
    rules = {
        "transport is serial or usb": read.transport in ("serial", "usb"),
        "parity is N, E or O": read.parity in ("N", "E", "O"),
        "charset is gb2312, gbk or gb18030": read.charset in ("gb2312", "gbk", "gb18030"),
        "qr is native or raster": read.qr in ("native", "raster"),
        "fence is status or process_id": read.fence in ("status", "process_id"),
        "outlet is none or custom": read.outlet in ("none", "custom"),
        "present and withdraw are hex": _is_hex(read.present) and _is_hex(read.withdraw),
        "withdraw needs an outlet that is seen": not read.withdraw or read.outlet != "none",
        "columns lie between 16 and 64": 16 <= read.columns <= 64,
        "dots are a multiple of 8 up to 832": read.dots % 8 == 0 and 8 * read.columns <= read.dots <= 832,
        "batch_bytes <= window_bytes": 0 < read.batch_bytes <= read.window_bytes,
        "waits are positive": min(read.poll_s, read.reply_s, read.flow_s_max, read.baud) > 0,
    }
    for rule, holds in rules.items():
        if not holds:
            raise OptionError(rule)
    return read


def _is_hex(text: str) -> bool:
    try:
        bytes.fromhex(text)
    except ValueError:
        return False
    return True
