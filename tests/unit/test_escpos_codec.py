"""ESC/POS bytes judged by vectors and by python-escpos, which had no part in them."""

from pathlib import Path

import pytest
import segno
from escpos.printer import Dummy

from drivers.printer.escpos import codec
from drivers.printer.escpos.status import AutoStatus, Decoder, Fence, Flow, Junk, ProcessDone, Status, reasons

LINES = (Path(__file__).parents[1] / "vectors" / "escpos.txt").read_text(encoding="utf-8").splitlines()
VECTORS = {line.split()[1]: bytes.fromhex(line.split()[2]) for line in LINES if line.startswith("[escpos]")}
BUILT = {
    "init": codec.INIT,
    "hanzi_on": codec.HANZI_ON,
    "cut": codec.CUT,
    "fence": codec.FENCE,
    "process_fence": codec.process_fence(17),
    "ask_paper": codec.ask(4),
    "clear_buffers": codec.CLEAR_BUFFERS,
    "recover_and_clear": codec.RECOVER_AND_CLEAR,
    "raster_head": codec.raster_pieces(72, bytes(144))[0][:7],
    "yuan": codec.text_piece("¥", "normal", 48, "gbk")[0][:2],
    "qr": codec.qr_piece("https://a.cn/1", 6, "L")[3:-4],  # without the centring around it
}


def test_every_vector_is_judged() -> None:
    """No vector lies in the file unused."""
    assert BUILT.keys() == VECTORS.keys()


@pytest.mark.parametrize("name", VECTORS)
def test_built_bytes_equal_the_vector(name: str) -> None:
    """What the driver sends is what the manuals and other programs say."""
    assert BUILT[name] == VECTORS[name]


def test_sizes_of_codes_are_those_of_another_program() -> None:
    """segno agrees on the side of a code of any length, as bytes; in its alphanumeric mode it is never larger."""
    for length in (1, 14, 15, 213, 214, 560, 779, 780, 1125):
        assert codec.qr_side("a" * length) == len(segno.make("a" * length, error="m", micro=False).matrix)
        assert codec.qr_side("A" * length) >= len(segno.make("A" * length, error="m", micro=False).matrix)
    for length in (1126, 1171, 1172, 1465):
        assert codec.qr_level("a" * length) == "L"
        assert codec.qr_side("a" * length) == len(segno.make("a" * length, error="l", boost_error=False).matrix)
    for version, most in enumerate(codec.QR_BYTES_L, 1):
        assert segno.make("a" * most, error="l", boost_error=False, micro=False).version == version


def test_qr_equals_what_python_escpos_sends() -> None:
    """A second program builds the same QR commands for another content."""
    other = Dummy()
    other.qr("https://example.test/v?n=451207", native=True, size=6)
    assert codec.qr_piece("https://example.test/v?n=451207", 6, "L")[3:-4] in other.output


def test_raster_head_and_cut_equal_those_of_python_escpos() -> None:
    """A second program heads an image of 384 dots by 20 rows and cuts in the same way."""
    from PIL import Image

    other = Dummy()
    other.image(Image.new("1", (384, 20), 1), impl="bitImageRaster")
    assert codec.raster_pieces(48, bytes(48 * 20))[0][:8] in other.output
    other.cut()
    assert codec.CUT[:2] in other.output


def test_status_bits_read_as_the_manuals_say() -> None:
    """Each bit of DLE EOT 1 to 4 becomes its word; a quiet printer has none."""
    assert reasons(1, 0x12) == reasons(2, 0x12) == reasons(3, 0x12) == reasons(4, 0x12) == ()
    assert reasons(1, 0x1A) == ("offline",)
    assert reasons(2, 0x16) == ("cover_open",)
    assert reasons(2, 0x32) == ("paper_out",)
    assert reasons(3, 0x1A) == ("cutter",)
    assert reasons(4, 0x1E) == ("paper_low",)
    assert reasons(4, 0x7E) == ("paper_out", "paper_low")


def test_status_flow_control_automatic_status_and_junk_are_told_apart() -> None:
    """XON and XOFF look almost like a status, an automatic status begins like one, a power-off sounds like junk."""
    stream = b"\x12\x11\x13\x10\x0f\x00\x0f\xff\x00\x37\x220017\x00\x0c"
    assert Decoder().receive(stream) == [
        Status(0x12),
        Flow(True),
        Flow(False),
        AutoStatus(b"\x10\x0f\x00\x0f"),
        Junk(0xFF),
        Fence(False, False),
        ProcessDone(b"0017"),
        Fence(True, False),
    ]


def test_image_bytes_never_look_like_a_real_time_command() -> None:
    """10 14 inside an image would open a drawer on some printers: one dot is added, and no other byte changes."""
    rows = b"\x10\x04\x01\x10\x14\x01\x10\x05\x02\x10\x10\x04"
    safe = codec.without_real_time(rows)
    assert not any(pair in safe for pair in (b"\x10\x04", b"\x10\x05", b"\x10\x14"))
    assert sum(bin(new ^ old).count("1") for new, old in zip(safe, rows, strict=True)) == 4


def test_control_characters_in_a_name_are_not_commands() -> None:
    """A name from a card cannot cut the paper."""
    assert codec.text_piece("王\x1dV\x00\x10\x14明\x7f", "normal", 48, "gbk")[0] == "王V明\n".encode("gbk")


def test_closing_marks_do_not_start_a_line() -> None:
    """Chinese punctuation never begins a line: the character before it comes along."""
    assert codec.wrap("请取走卡和凭条。上面", 14) == ["请取走卡和凭", "条。上面"]


def test_short_words_and_amounts_stay_whole() -> None:
    """English breaks at spaces, an amount never inside; a word longer than half a line has to break."""
    assert codec.wrap("Reset the social security PIN", 24) == ["Reset the social", "security PIN"]
    assert codec.wrap("个人账户余额合计 1,234.50", 20) == ["个人账户余额合计", "1,234.50"]
    assert codec.wrap("a" * 30, 24) == ["a" * 24, "a" * 6]
