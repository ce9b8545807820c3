"""Catalog, rendering, line breaking, rare characters."""

import re
import string
from datetime import date
from pathlib import Path

import polib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.domain.money import Fen
from kiosk.domain.receipt import LineStyle, PaperLine, PaperReceipt, Receipt, ReceiptLine
from kiosk.domain.text import Amount, Bilingual, Day, Grouped, Month, Name, Text, say
from kiosk.l10n import MissingTranslation, on_paper, read_aloud, render
from kiosk.l10n.catalog import PO
from kiosk.l10n.collect import message_ids
from screens.lines import NO_END, NO_START, break_lines
from screens.typeface import BOLD, RARE, REGULAR, has_glyph, measure, raster, runs

CATALOG = polib.pofile(str(PO))
HARSH = ("系统异常", "操作失败", "非法", "无效", "!", "！")
CLAUSE_CHARS_MAX = 24


def test_every_message_has_chinese() -> None:
    """Each literal that the product says has an entry with a Chinese wording."""
    worded = {entry.msgid for entry in CATALOG if entry.msgstr}
    missing = {
        msgid: where
        for msgid, where in message_ids().items()
        if msgid not in worded and re.search(r"[^\W\d_]", re.sub(r"\{[^}]*\}", "", msgid))
    }
    assert missing == {}


def test_no_chinese_is_harsh() -> None:
    """No wording blames, shouts or speaks of system faults (ui-direction 7)."""
    assert [entry.msgstr for entry in CATALOG if any(word in entry.msgstr for word in HARSH)] == []


def test_clauses_are_short() -> None:
    """Between two marks stand at most 24 characters."""
    long = [
        clause
        for entry in CATALOG
        for clause in re.split(r"[，。、；：？,.;:?“”\"]", re.sub(r"\{[^}]*\}", "", entry.msgstr))
        if len(clause) > CLAUSE_CHARS_MAX
    ]
    assert long == []


def test_translations_keep_their_arguments() -> None:
    """Every argument of a message stands in its Chinese too, and no other."""
    for entry in CATALOG:
        names = {name for _, name, _, _ in string.Formatter().parse(entry.msgid) if name}
        assert names == {name for _, name, _, _ in string.Formatter().parse(entry.msgstr) if name}, entry.msgid


def test_no_message_stands_twice() -> None:
    """Two people who append to the catalog do not both append the same message."""
    msgids = [entry.msgid for entry in CATALOG]
    assert len(msgids) == len(set(msgids))


@pytest.mark.parametrize(
    ("value", "chinese", "english", "spoken"),
    [
        (Amount(Fen(123450)), "¥ 1,234.50 元", "¥1,234.50", "一千二百三十四元五角"),
        (Amount(Fen(-105)), "¥ -1.05 元", "¥-1.05", "负一元零五分"),
        (Day(date(2026, 11, 21)), "2026年11月21日", "21 November 2026", "二零二六年十一月二十一日"),
        (Month("2026-10"), "2026年10月", "October 2026", "二零二六年十月"),
        (Name("王小明"), "王小明", "王小明", "王小明"),
        (Grouped("451207"), "4512 07", "4512 07", "4 5 1 2，0 7"),
        (Bilingual("3 号窗口", "counter 3"), "3 号窗口", "counter 3", "3 号窗口"),
        (say("Help"), "叫人帮忙", "Help", "叫人帮忙"),
        (7, "7", "7", "7"),
        (20, "20", "20", "二十"),
        ("1 5 10 100", "1 5 10 100", "1 5 10 100", "一、五、十、一百"),
        ("12333", "12333", "12333", "12333"),
    ],
)
def test_values_are_worded_by_their_kind(value: object, chinese: str, english: str, spoken: str) -> None:
    """Amounts, dates, numbers to copy and nested texts have one form on the glass and one for the ear."""
    text = Text("{value}", {"value": value})  # type: ignore[dict-item]
    assert (render(text, "zh"), render(text, "en"), read_aloud(text, "zh")) == (chinese, english, spoken)


def test_hidden_amounts_show_dots() -> None:
    """Hiding replaces amounts, also in nested texts, and nothing else."""
    text = Text("{a} {b}", {"a": Text("{x}", {"x": Amount(Fen(100))}), "b": Name("王")})
    assert render(text, "en", hide_amounts=True) == "¥•••• 王"


def test_a_message_without_chinese_is_an_error() -> None:
    """The English never appears on a Chinese screen by silence."""
    with pytest.raises(MissingTranslation):
        render(Text("This sentence is nowhere in the catalog"), "zh")


def test_a_receipt_becomes_words() -> None:
    """Every line is rendered, styles and QR stay, the key names the piece of paper."""
    receipt = Receipt((ReceiptLine(say("Help"), LineStyle.BOLD),), qr="Q")
    assert on_paper(receipt, "zh", "k") == PaperReceipt("k", (PaperLine("叫人帮忙", LineStyle.BOLD),), "Q")


CHARS = st.sampled_from("把社保卡芯片朝上，插进亮灯的口。（三）“字”:A b9¥,.")


@given(st.text(CHARS, max_size=60), st.integers(120, 600))
def test_lines_fit_keep_everything_and_begin_well(words: str, width: int) -> None:
    """Lines are no wider than asked, lose only spaces, and closing marks start none unless a line is nothing else."""
    lines = break_lines(words, width, 40, False)
    assert "".join("".join(lines).split()) == "".join(words.split())
    for line in lines:
        assert measure(line, 40, False) <= width or len(line) == 1 or line[-1] in NO_START or line[-2] in NO_END
    marks = NO_START | NO_END | set(" b9A")
    if not any(char in marks for char in words):
        assert all(measure(line, 40, False) <= width for line in lines)


def test_a_full_stop_moves_down_with_its_character() -> None:
    """Kinsoku: the character before a closing mark moves to the next line with it."""
    width = int(measure("请带身份证到窗口", 40, False))
    assert break_lines("请带身份证到窗口。", width, 40, False) == ("请带身份证到", "窗口。")


def test_no_character_stands_alone_at_the_end() -> None:
    """The last line takes company from the line before it, if that costs no further line."""
    width = int(measure("请带身份证和社保卡到窗", 40, False))
    assert break_lines("请带身份证和社保卡到窗口。", width, 40, False) == ("请带身份证和社保卡到", "窗口。")


def test_a_short_part_after_a_comma_stands_alone() -> None:
    """Two characters of their own are no remnant: "pension," is not torn apart to keep them company."""
    width = int(measure("查养老金、", 40, False))
    assert break_lines("查养老金、余额", width, 40, False) == ("查养老金、", "余额")


def test_a_quotation_keeps_its_opening_mark() -> None:
    """An English quotation mark goes with its word."""
    width = int(measure('Go back and touch "', 40, False))
    assert break_lines('Go back and touch "Change the PIN".', width, 40, False)[0] == "Go back and touch"


def test_an_amount_is_never_broken() -> None:
    """Sign, figure and unit go to the next line together."""
    width = int(measure("原来是 ¥ 987,654.32", 40, False))
    assert break_lines("原来是 ¥ 987,654.32 元。", width, 40, False) == ("原来是", "¥ 987,654.32 元。")


@pytest.mark.parametrize("char", "㐂𠮷䶮𬭊𫟹𪚥骉堃")
def test_rare_characters_have_a_glyph_in_some_face(char: str) -> None:
    """No character of the rare names shows as a box, in either weight."""
    for bold in (False, True):
        ((face, _),) = runs(char, bold)
        assert face in (REGULAR, BOLD, *RARE)
        assert has_glyph(face, char)
        assert any(raster(char, 40, bold, 60)[2])


def test_common_characters_stay_in_the_main_face() -> None:
    """Fallback is by glyph: what the main face has is drawn with it."""
    assert [(file, part) for file, part in runs("王𪚥A", False)] == [(REGULAR, "王"), (RARE[0], "𪚥"), (REGULAR, "A")]


def test_the_catalog_has_its_header() -> None:
    """gettext decodes the catalog by the character set named in it."""
    assert CATALOG.metadata["Content-Type"] == "text/plain; charset=UTF-8"
    assert Path(PO).read_text("utf-8").count("# screens\n") == 1
