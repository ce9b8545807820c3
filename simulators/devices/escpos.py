"""A thermal receipt printer of the ESC/POS kind: the printer's side of the wire, with paper that can be looked at.

Written from the Epson ESC/POS reference and Chinese vendors' manuals. Its Chinese font holds two-byte characters only,
like most printers in the field: a four-byte GB18030 character comes out as boxes (``gb18030_full`` for the others).
Real-time commands are obeyed wherever they stand, also inside an image, as some models do.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from simulators.devices.escpos_commands import LF, Command, characters, take_command
from simulators.devices.escpos_paper import Cell, Paper, QrRow, RasterRow, Row, TextRow, picture, words
from simulators.devices.escpos_status import FAULTS, STOPPING, full_status, status
from simulators.worlds.world import World

_MUTE = {"silent", "off", "cover_open_mute"}
_CLEAR = b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08"
_XON, _XOFF = b"\x11", b"\x13"
_PAPERS_MAX = 50
_ROWS_MAX = 2000  # a piece of paper of eight metres
_TICK_S_MAX = 0.5
_IMAGE_BYTES_MAX = 1 << 17


class EscposPrinter:
    """Implements ``simulators.lines.QuietDevice``. ``faults`` may be changed at any moment; see ``FAULTS``.

    ``lines_left`` counts down to ``paper_out`` where it is set. ``lines_s``: lines a second, 0 = at once.
    """

    def __init__(
        self,
        *,
        dots: int = 576,
        columns: int = 48,
        gb18030_full: bool = False,
        buffer_bytes: int = 4096,
        xon_xoff: bool = True,
        lines_s: float = 0,
        sees_outlet: bool = False,
        on_paper: Callable[[Paper], None] | None = None,
        on_withdrawn: Callable[[], None] = lambda: None,
    ) -> None:
        self.wire: Callable[[bytes], None] = lambda chunk: None
        self.faults: set[str] = set()
        self.papers: list[Paper] = []
        self.outlet: list[int] | None = [] if sees_outlet else None  # papers that lie there; None: nobody looks
        self.withdrawn: list[int] = []  # papers that the printer took back
        self.on_paper, self._on_withdrawn = on_paper, on_withdrawn
        self.lines_left: int | None = None
        self.lost_bytes = 0  # what did not fit into the buffer
        self.unknown: list[bytes] = []  # commands it did not understand
        self._dots, self._columns, self._full = dots, columns, gb18030_full
        self._buffer_bytes, self._xon_xoff, self._lines_s = buffer_bytes, xon_xoff, lines_s
        self._now_s, self._may_print = 0.0, 0.0
        self._next_id = 1
        self._rows: list[Row] = []
        self._raw = bytearray()
        self._forget_volatile()

    def _forget_volatile(self) -> None:
        self._inbox = bytearray()  # not yet searched for real-time commands
        self._buffer = bytearray()
        self._held_off = False
        self._hanzi = False
        self._line: list[Cell] = []
        self._plain()

    def _plain(self) -> None:
        self._wide = self._high = 1
        self._bold = False
        self._align = 0
        self._qr_module, self._qr_correction, self._qr_content = 3, "L", ""

    # --- hands ----------------------------------------------------------------------------------------------------

    def press(self, name: str) -> None:
        """Put a fault on or off; a new roll where that is what mends it. Raises KeyError: no such fault."""
        if name not in FAULTS:
            raise KeyError(name)
        if name not in self.faults:
            self.faults.add(name)
        elif name in ("paper_out", "paper_low"):
            self.load_paper()
        else:
            self.faults.discard(name)

    def load_paper(self) -> None:
        """A person puts a new roll in: what hung in the outlet is torn off."""
        self.faults -= {"paper_out", "paper_low"}
        self.lines_left = None
        self._tear(whole=False)
        self._work()

    def take_paper(self, number: int) -> None:
        """A hand takes this piece out of the outlet."""
        if self.outlet and number in self.outlet:
            self.outlet.remove(number)

    @property
    def hanging(self) -> tuple[str, ...]:
        """Lines that are printed and not yet cut."""
        return tuple(words(row) for row in self._rows)

    @property
    def waiting_bytes(self) -> int:
        """Received and not yet printed."""
        return len(self._buffer)

    # --- the wire -------------------------------------------------------------------------------------------------

    @property
    def can_time_out(self) -> bool:
        return bool(self._buffer)

    def tick(self, now_s: float) -> None:
        passed_s = min(max(0.0, now_s - self._now_s), _TICK_S_MAX)
        self._now_s = now_s
        self._may_print = min(self._may_print + passed_s * self._lines_s, self._lines_s * _TICK_S_MAX)
        self._work()

    def power_cut(self) -> None:
        """Everything received is forgotten; a piece that was begun hangs in the outlet."""
        self._forget_volatile()
        self._tear(whole=False)

    def receive(self, chunk: bytes) -> None:
        if "off" in self.faults:
            return
        self._inbox += chunk
        while self._inbox:
            used = self._real_time()
            if used is None:
                break  # may be the beginning of one
            if not used:
                self._store(self._inbox[0])
                used = 1
            del self._inbox[:used]
        self._work()

    def _store(self, byte: int) -> None:
        if len(self._buffer) >= self._buffer_bytes:
            self._work()
        if len(self._buffer) >= self._buffer_bytes + _longest_command(self._buffer):
            self.lost_bytes += 1
            return
        self._buffer.append(byte)
        if self._xon_xoff and not self._held_off and len(self._buffer) > self._buffer_bytes * 3 // 4:
            self._work()
            if len(self._buffer) > self._buffer_bytes * 3 // 4:
                self._held_off = True
                self._answer(_XOFF)

    def _real_time(self) -> int | None:
        """Obey the real-time command at the front: its length, 0 if there is none, None if it is incomplete."""
        head = bytes(self._inbox[: len(_CLEAR)])
        if head[0] != 0x10:
            return 0
        if len(head) == 1:
            return None
        if head[1] in (0x04, 0x05):
            if len(head) == 2:
                return None
            self._real_time_short(head[1], head[2])
            return 3
        if not _CLEAR.startswith(head):
            return 0
        if len(head) < len(_CLEAR):
            return None
        self._drop_buffer()
        return len(_CLEAR)

    def _real_time_short(self, command: int, number: int) -> None:
        if command == 0x04 and 1 <= number <= 4:
            self._answer(bytes((status(self.faults, number),)))
        elif command == 0x04 and number == 20 and self.outlet is not None:
            self._answer(full_status(self.faults, paper_waiting=bool(self.outlet)))
        elif command == 0x05 and number in (1, 2):
            self.faults.discard("cutter_jam")
            if number == 2:
                self._drop_buffer()

    def _drop_buffer(self) -> None:
        self._buffer.clear()
        self._line.clear()
        self._release()

    def _answer(self, chunk: bytes) -> None:
        if not self.faults & _MUTE:
            self.wire(chunk)

    # --- printing -------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        """Obey what is in the buffer, as far as speed, paper and faults let it."""
        while self._buffer and not self.faults & (STOPPING | {"off"}):
            if self._lines_s and self._may_print < 1:
                break
            before = bytes(self._buffer)
            command = take_command(self._buffer)
            if command is None:
                break
            self._raw += before[: len(before) - len(self._buffer)]
            self._obey(command)
        if len(self._buffer) < self._buffer_bytes // 4:
            self._release()

    def _release(self) -> None:
        if self._held_off:
            self._held_off = False
            self._answer(_XON)

    def _obey(self, command: Command) -> None:
        act = _ACTS.get(command.name)
        if act is None:
            self.unknown.append(command.name + command.arguments[:8])
            del self.unknown[:-_PAPERS_MAX]
        else:
            act(self, command.arguments)

    def _write(self, text: bytes) -> None:
        for char, cells in characters(text, self._hanzi, self._full):
            used = sum(cell.cells * cell.wide for cell in self._line)
            if used + cells * self._wide > self._columns:
                self._line_feed(b"")
            self._line.append(Cell(char, cells, self._wide, self._high, self._bold))

    def _line_feed(self, _: bytes) -> None:
        high = max((cell.high for cell in self._line), default=1)
        self._put(TextRow(tuple(self._line), self._align), high)
        self._line.clear()

    def _put(self, row: Row, lines: int) -> None:
        if len(self._rows) < _ROWS_MAX:
            self._rows.append(row)
        self._may_print -= lines if self._lines_s else 0
        if self.lines_left is not None:
            self.lines_left -= lines
            if self.lines_left <= 0:
                self.faults.add("paper_out")

    def _feed(self, arguments: bytes) -> None:
        if self._line:
            self._line_feed(b"")
        for _ in range(min(arguments[0], 20)):
            self._put(TextRow(()), 1)

    def _raster(self, arguments: bytes) -> None:
        width_bytes = arguments[2] + 256 * arguments[3]
        if self._line:
            self._line_feed(b"")
        if width_bytes and arguments[6:]:
            self._put(RasterRow(width_bytes, arguments[6:]), max(1, len(arguments[6:]) // width_bytes // 24))

    def _cut(self, _: bytes) -> None:
        if "cutter" in self.faults:
            self.faults.discard("cutter")
            self.faults.add("cutter_jam")
            return
        self._tear(whole=True)

    def _tear(self, *, whole: bool) -> None:
        if self._rows:
            paper = Paper(
                self._next_id,
                tuple(words(row) for row in self._rows),
                partial(picture, self._rows, self._dots, self._columns),
                bytes(self._raw),
                whole,
            )
            self._next_id += 1
            self.papers = [*self.papers[1 - _PAPERS_MAX :], paper]
            self._rows = []
            if self.outlet is not None:
                self.outlet.append(paper.id)
            if self.on_paper is not None:
                self.on_paper(paper)
        self._raw.clear()

    def _ejector(self, arguments: bytes) -> None:
        """GS e 2: what lies in the outlet goes back into the housing."""
        if arguments[:1] == b"\x02" and self.outlet and "presenter_stuck" not in self.faults:
            self.withdrawn += self.outlet
            self.outlet.clear()
            self._on_withdrawn()

    def _initialise(self, _: bytes) -> None:
        self._line.clear()
        self._hanzi = False
        self._plain()

    def _extended(self, arguments: bytes) -> None:
        """GS ( X pL pH: k is two-dimensional codes, H asks for an answer."""
        if arguments[:1] == b"k" and arguments[3:4] == b"1":
            self._qr(arguments[4], arguments[5:])
        elif arguments[:1] == b"H" and arguments[3:5] == b"00":
            if "no_fence" not in self.faults:
                self._answer(b"\x37\x22" + arguments[5:9] + b"\x00")
        else:
            self.unknown.append(b"\x1d(" + arguments[:8])

    def _qr(self, function: int, arguments: bytes) -> None:
        if function == 67:
            self._qr_module = arguments[0]
        elif function == 69:
            self._qr_correction = "LMQH"[(arguments[0] - 48) % 4]
        elif function == 80:
            self._qr_content = arguments[1:].decode("utf-8", "replace")
        elif function == 81 and self._qr_content:
            if self._line:
                self._line_feed(b"")
            self._put(QrRow(self._qr_content, self._qr_module, self._qr_correction, self._align), 8)

    def _paper_sensor(self, arguments: bytes) -> None:
        if arguments in (b"\x01", b"1") and "no_fence" not in self.faults:
            self._answer(bytes((0x03 * ("paper_low" in self.faults) | 0x0C * ("paper_out" in self.faults),)))

    def _size(self, arguments: bytes) -> None:
        self._wide, self._high = 1 + (arguments[0] >> 4 & 7), 1 + (arguments[0] & 7)

    def _hanzi_size(self, arguments: bytes) -> None:
        self._wide, self._high = 1 + (arguments[0] >> 2 & 1), 1 + (arguments[0] >> 3 & 1)

    def _mode(self, arguments: bytes) -> None:
        self._bold = bool(arguments[0] & 8)
        self._wide, self._high = 1 + (arguments[0] >> 5 & 1), 1 + (arguments[0] >> 4 & 1)

    def _set_bold(self, arguments: bytes) -> None:
        self._bold = bool(arguments[0] & 1)

    def _set_align(self, arguments: bytes) -> None:
        self._align = arguments[0] % 48 % 3

    def _hanzi_on(self, _: bytes) -> None:
        self._hanzi = True

    def _hanzi_off(self, _: bytes) -> None:
        self._hanzi = False

    def _ignore(self, _: bytes) -> None:
        """Understood, and without effect on this paper: line spacing, code page, margins, automatic status."""


_ACTS: dict[bytes, Callable[[EscposPrinter, bytes], None]] = {
    b"": EscposPrinter._write,
    LF: EscposPrinter._line_feed,
    b"\x1b@": EscposPrinter._initialise,
    b"\x1b!": EscposPrinter._mode,
    b"\x1bE": EscposPrinter._set_bold,
    b"\x1ba": EscposPrinter._set_align,
    b"\x1bd": EscposPrinter._feed,
    b"\x1c&": EscposPrinter._hanzi_on,
    b"\x1c.": EscposPrinter._hanzi_off,
    b"\x1c!": EscposPrinter._hanzi_size,
    b"\x1d!": EscposPrinter._size,
    b"\x1d(": EscposPrinter._extended,
    b"\x1dV": EscposPrinter._cut,
    b"\x1de": EscposPrinter._ejector,
    b"\x1dr": EscposPrinter._paper_sensor,
    b"\x1dv": EscposPrinter._raster,
    **dict.fromkeys(
        (b"\x1b2", b"\x1b3", b"\x1bt", b"\x1bR", b"\x1bM", b"\x1da", b"\x1dL", b"\x1dW"), EscposPrinter._ignore
    ),
}


def _longest_command(buffer: bytearray) -> int:
    """An image larger than the buffer still prints: its head is taken, its rows go straight through."""
    if buffer[:2] != b"\x1dv" or len(buffer) < 8:
        return 0
    return min(_IMAGE_BYTES_MAX, 8 + (buffer[4] + 256 * buffer[5]) * (buffer[6] + 256 * buffer[7]))


def build(world: World, options: Mapping[str, str]) -> EscposPrinter:
    """Options: ``dots``, ``columns``, ``lines_s`` as numbers, ``gb18030=full``, ``outlet=seen``, ``papers=DIR``."""
    keep = Path(options["papers"]) if "papers" in options else None
    return EscposPrinter(
        dots=int(options.get("dots", "576")),
        columns=int(options.get("columns", "48")),
        lines_s=float(options.get("lines_s", "0")),
        gb18030_full=options.get("gb18030") == "full",
        sees_outlet=options.get("outlet") == "seen",
        on_paper=partial(_keep, keep) if keep else None,
    )


def _keep(place: Path, paper: Paper) -> None:
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{paper.id:03d}.png").write_bytes(paper.png)
    (place / f"{paper.id:03d}.txt").write_text(paper.text + "\n", encoding="utf-8")
