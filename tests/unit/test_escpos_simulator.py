"""The simulated receipt printer: what its paper shows, judged with python-escpos as another terminal."""

from io import BytesIO

import segno
from escpos.printer import Dummy
from PIL import Image

from simulators.devices.escpos import EscposPrinter
from simulators.devices.escpos_paper import Paper


def printed(stream: bytes, **options: object) -> Paper:
    printer = EscposPrinter(**options)  # type: ignore[arg-type] # keyword options of the printer
    printer.receive(stream)
    (paper,) = printer.papers
    return paper


def ink(paper: Paper) -> list[list[bool]]:
    """Rows of dots, true where there is ink."""
    image = Image.open(BytesIO(paper.png)).convert("L")
    dots = image.tobytes()
    return [[dot < 128 for dot in dots[row : row + image.width]] for row in range(0, len(dots), image.width)]


def test_what_python_escpos_sends_is_on_the_paper() -> None:
    """Text, bold, a QR code, an image and the cut of another program are understood without remainder."""
    other = Dummy()
    other.set(bold=True, align="center")
    other._raw(b"Receipt 42\n")
    other.qr("https://example.test/1", native=True, size=4)
    other.image(Image.new("1", (64, 16), 0), impl="bitImageRaster")
    other.cut()
    printer = EscposPrinter()
    printer.receive(other.output)
    (paper,) = printer.papers
    assert paper.lines[0] == "Receipt 42"
    assert paper.codes == ("https://example.test/1",)
    assert "▦ 64x16" in paper.lines
    assert printer.unknown == []


def test_a_qr_code_on_the_paper_has_the_modules_of_its_content() -> None:
    """Every module read back from the picture is the one that segno makes of the content."""
    other = Dummy()
    other.qr("https://example.test/v?n=451207", native=True, size=6)
    other.cut()
    rows = ink(printed(other.output))
    matrix = segno.make("https://example.test/v?n=451207", error="L", micro=False).matrix
    inked = [(x, y) for y, row in enumerate(rows[8:-8], 8) for x, dot in enumerate(row) if dot]
    left, top = min(x for x, _ in inked), min(y for _, y in inked)
    read = [[rows[top + 6 * y + 3][left + 6 * x + 3] for x in range(len(matrix))] for y in range(len(matrix))]
    assert read == [[bool(bit) for bit in line] for line in matrix]


def test_an_image_comes_out_dot_by_dot() -> None:
    """A raster of known dots is found on the paper exactly so."""
    dots = bytes((0b10110010, 0b01010101)) * 8
    rows = ink(printed(b"\x1b@\x1dv0\x00\x02\x00\x08\x00" + dots + b"\x1dV\x00"))
    wanted = [bool(dots[0] << bit & 0x80) for bit in range(8)] + [bool(dots[1] << bit & 0x80) for bit in range(8)]
    assert [row[28:44] for row in rows[28:36]] == [wanted] * 8


def test_four_byte_characters_are_boxes_unless_the_font_is_full() -> None:
    """𠮷 is 95 34 B2 35 in GB18030: two boxes on a two-byte printer, itself on a full one."""
    stream = b"\x1b@\x1c&" + "王𠮷".encode("gb18030") + b"\n\x1dV\x00"
    assert printed(stream).lines == ("王□□",)
    assert printed(stream, gb18030_full=True).lines == ("王𠮷",)


def test_without_chinese_mode_there_is_only_junk() -> None:
    """Bytes past 80 without FS & are what code-page printers make of them."""
    assert printed(b"\x1b@" + "王".encode("gbk") + b"\n\x1dV\x00").lines == ("▒▒",)


def test_text_too_long_for_the_paper_wraps_by_whole_characters() -> None:
    """The printer's own wrapping at 48 cells."""
    stream = b"\x1b@\x1c&" + ("a" + "王" * 30).encode("gbk") + b"\n\x1dV\x00"
    assert printed(stream).lines == ("a" + "王" * 23, "王" * 7)


def test_big_text_is_twice_as_high_and_wide() -> None:
    """GS ! 11 doubles both ways: the ink of a letter covers four times the box."""
    small, big = (ink(printed(b"\x1b@\x1d!" + size + b"H\n\x1dV\x00")) for size in (b"\x00", b"\x11"))
    boxes = []
    for rows in (small, big):
        inked = [(x, y) for y, row in enumerate(rows[8:-8]) for x, dot in enumerate(row) if dot]
        boxes.append(
            (
                max(x for x, _ in inked) - min(x for x, _ in inked) + 1,
                max(y for _, y in inked) - min(y for _, y in inked) + 1,
            )
        )
    assert boxes[1] == (2 * boxes[0][0], 2 * boxes[0][1])


def test_a_real_time_command_inside_an_image_is_obeyed() -> None:
    """The hazard that drivers must avoid: a status question within image bytes is answered and its bytes are gone."""
    said: list[bytes] = []
    printer = EscposPrinter()
    printer.wire = said.append
    printer.receive(b"\x1b@\x1dv0\x00\x01\x00\x04\x00\xff\x10\x04\x01")
    assert said == [b"\x12"]
    assert printer.hanging == ()


def test_power_cut_forgets_what_was_not_printed() -> None:
    """The buffer is volatile; a piece that was begun is torn."""
    printer = EscposPrinter()
    printer.receive(b"\x1b@first\nsecond")
    printer.power_cut()
    assert [(paper.lines, paper.whole) for paper in printer.papers] == [(("first",), False)]
