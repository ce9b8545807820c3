"""Lines and codes drawn as dots."""

import pytest
import segno

from drivers.printer.raster import DEFAULT_FONTS, Bitmap, FontMissing, Pen, _chain

PEN = Pen(576, 48)


def ink(bitmap: Bitmap) -> int:
    return sum(byte.bit_count() for byte in bitmap.rows)


def test_a_drawn_line_is_as_wide_as_the_paper_and_as_high_as_text() -> None:
    """576 dots, and 24 rows with 6 of leading; big lines are twice as high."""
    assert (PEN.line("王").width_bytes, PEN.line("王").height) == (72, 30)
    assert PEN.line("王", "big").height == 60


@pytest.mark.parametrize("char", "㐂𠮷䶮𪚥㛃")
def test_each_rare_character_has_a_glyph_of_its_own(char: str) -> None:
    """No box stands for it: its picture differs from that of a character that no font can have."""
    assert PEN.line(char).rows != PEN.line("\U0010fffe").rows
    assert ink(PEN.line(char)) > 30


def test_a_character_missing_in_the_first_font_comes_from_the_next() -> None:
    """𪚥 is in no Noto Sans CJK; with that font alone it is a box, with the chain it is itself."""
    alone = Pen(576, 48, DEFAULT_FONTS[:1])
    assert alone.line("𪚥").rows == alone.line("\U0010fffe").rows
    assert PEN.line("𪚥").rows != alone.line("𪚥").rows


def test_characters_keep_to_their_cells() -> None:
    """What follows a wide and a narrow character begins two and one cells later."""
    shifted, plain = PEN.line("王a王"), PEN.line("王")
    rows = [shifted.rows[row * 72 : row * 72 + 72] for row in range(30)]
    first = [plain.rows[row * 72 : row * 72 + 3] for row in range(30)]
    assert [row[:3] for row in rows] == first
    third = [int.from_bytes(row, "big") >> (576 - 60) & 0xFFFFFF for row in rows]
    assert third == [int.from_bytes(row, "big") for row in first]


def test_bold_has_more_ink() -> None:
    """Emphasis is visible in drawn lines too."""
    assert ink(PEN.line("王小明", "bold")) > ink(PEN.line("王小明")) * 1.2


@pytest.mark.parametrize("dots", [384, 576])
def test_a_drawn_code_has_the_modules_of_its_content(dots: int) -> None:
    """Each module, found back in the dots, is segno's, with a quiet zone of four around."""
    content = "https://example.test/v?n=4512070012"
    bitmap = Pen(dots, dots // 12).qr(content)
    matrix = segno.make(content, error="m", micro=False).matrix
    module = bitmap.height // (len(matrix) + 8)
    left = (dots - len(matrix) * module) // 2
    rows = [bitmap.rows[row * dots // 8 : (row + 1) * dots // 8] for row in range(bitmap.height)]

    def dot(x: int, y: int) -> int:
        return rows[y][x // 8] >> (7 - x % 8) & 1

    half = module // 2
    read = [
        [dot(left + x * module + half, (y + 4) * module + half) for x in range(len(matrix))] for y in range(len(matrix))
    ]
    assert read == [list(line) for line in matrix]
    assert not any(any(row) for row in rows[: 4 * module])


def test_a_warm_pen_has_opened_every_font() -> None:
    """After warming up no font is left to be opened for the first receipt of a day, and each step is a small one."""
    pen = Pen(576, 48)
    assert len(list(pen.warm())) > 2
    opened = _chain.cache_info().misses
    pen.line("王秀兰 㐂𪚥\U0002b820 1,234.50")
    assert _chain.cache_info().misses == opened


def test_without_any_font_drawing_is_impossible_and_says_so() -> None:
    """An error by name, not a page of boxes."""
    with pytest.raises(FontMissing):
        Pen(576, 48, ("/nonexistent/font.ttf",)).line("王")
