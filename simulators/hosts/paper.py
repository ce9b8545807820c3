"""Composing a certificate as an A4 page, as the agency's back end does. The layout is our own. INVENTED content form.

Beside what people read, the page carries ``certificate.json`` with the same facts, inside what the seal will cover,
so that a terminal can compare holder, kind, number and date before it prints.
"""

import json
import math
from collections.abc import Iterable
from datetime import datetime, time
from pathlib import Path

import segno
from fpdf import FPDF

from simulators.hosts.ledger import unrolled
from simulators.hosts.sheet import Sheet
from simulators.worlds.world import Resident

CONTENT_FILE = "certificate.json"
TITLES = {
    "insurance_certificate": "社会保险参保证明",
    "rights_record": "社会保险个人权益记录单",
    "benefit_certificate": "社会保险待遇领取证明",
}
INSURANCES = {
    "pension": "基本养老保险",
    "medical": "基本医疗保险",
    "unemployment": "失业保险",
    "injury": "工伤保险",
    "maternity": "生育保险",
}
STATES = {
    "in_force": "参保缴费",
    "paused": "暂停参保",
    "ended": "终止参保",
    "receiving": "领取待遇",
    "not_insured": "未参保",
}
AGENCY = "示例市社会保险经办机构"
SEAL_WORDS = "示例市社会保险业务专用章"
FIXED_WORDS = (
    "证明编号校验码姓名社会保障号码险种状态起始缴费累计月数年单位个人合计元到账未到发放日期项目金额账户尾号"
    "打印出具有效期至长期本由系统生成并加盖电子印章可扫描二维或访问以下地址核对内容测试演示无法律力共页第近"
    "岁性别男女说明：:，。、（）()¥《》—-/×…仅供参考领取人已连续个的与记录不一致以经办机构为准TEST空（卡内无姓名）"
)


def characters_of(residents: Iterable[Resident]) -> str:
    """Every character that a certificate of these residents may hold."""
    words = [FIXED_WORDS, AGENCY, SEAL_WORDS, *TITLES.values(), *INSURANCES.values(), *STATES.values()]
    for resident in residents:
        words += [resident.name, resident.number, *(benefit.kind for benefit in resident.benefits)]
    return "".join(words)


def compose(sheet: Sheet, fonts: list[Path]) -> bytes:
    """The unsealed PDF of one A4 page."""
    page = _blank_page(fonts)
    page.set_creation_date(datetime.combine(sheet.issued_on, time(9)).astimezone())
    page.set_title(f"{TITLES[sheet.kind]} {sheet.number}")
    _head(page, sheet)
    _person(page, sheet)
    if sheet.kind == "benefit_certificate":
        _benefits(page, sheet.resident)
    else:
        _insurances(page, sheet.resident)
    if sheet.kind == "rights_record":
        _contributions(page, sheet.resident)
    _foot(page, sheet)
    twin = json.dumps(sheet.content(), ensure_ascii=False, sort_keys=True).encode()
    page.embed_file(basename=CONTENT_FILE, bytes=twin, mime_type="application/json", compress=True)
    return bytes(page.output())


def draw_seal(fonts: list[Path]) -> bytes:
    """A round red seal, 42 mm across, as a one-page PDF: the visible appearance of the signature field."""
    page = FPDF(unit="mm", format=(42, 42))
    page.set_margins(0, 0)
    _prepare(page, fonts)
    page.set_draw_color(200, 16, 16)
    page.set_text_color(200, 16, 16)
    page.set_line_width(0.9)
    page.circle(21, 21, 20)
    _star(page, 21, 21, 6)
    page.set_font("face0", size=12)
    step = 270 / (len(SEAL_WORDS) - 1)
    for place, char in enumerate(SEAL_WORDS):
        turn = -135 + place * step
        with page.rotation(-turn, x=21, y=21):
            page.text(21 - page.get_string_width(char) / 2, 7.5, char)
    page.set_font("face0", size=7)
    page.text(21 - page.get_string_width("TEST 测试") / 2, 34, "TEST 测试")
    return bytes(page.output())


def _blank_page(fonts: list[Path]) -> FPDF:
    page = FPDF(format="A4")
    page.set_margins(20, 18)
    page.set_auto_page_break(False)  # one sheet: everything on it is counted to fit
    _prepare(page, fonts)
    return page


def _prepare(page: FPDF, fonts: list[Path]) -> None:
    for place, path in enumerate(fonts):
        page.add_font(f"face{place}", fname=path)
    page.set_fallback_fonts([f"face{place}" for place in range(1, len(fonts))], exact_match=False)
    page.set_font("face0", size=11)
    page.add_page()


def _head(page: FPDF, sheet: Sheet) -> None:
    page.set_font("face0", size=9)
    page.cell(0, 5, f"证明编号：{sheet.number}", align="R", new_x="LMARGIN", new_y="NEXT")
    page.cell(0, 5, f"校验码：{sheet.check_code}", align="R", new_x="LMARGIN", new_y="NEXT")
    page.ln(6)
    page.set_font("face0", size=22)
    page.cell(0, 12, TITLES[sheet.kind], align="C", new_x="LMARGIN", new_y="NEXT")
    page.ln(6)


def _person(page: FPDF, sheet: Sheet) -> None:
    name = sheet.resident.name or "（卡内无姓名）"
    rows = [("姓名", name), ("社会保障号码", sheet.resident.number), ("出具日期", sheet.issued_on.isoformat())]
    rows.append(("有效期至", sheet.valid_until.isoformat() if sheet.valid_until else "长期"))
    page.set_font("face0", size=12)
    for label, value in rows:
        page.cell(42, 9, label, border=1)
        page.cell(0, 9, value, border=1, new_x="LMARGIN", new_y="NEXT")
    page.ln(5)


def _table(page: FPDF, widths: tuple[int, ...], rows: list[tuple[str, ...]], size: int = 11, height: int = 8) -> None:
    page.set_font("face0", size=size)
    for row in rows:
        for width, cell in zip(widths, row, strict=True):
            page.cell(width, height, cell, border=1, align="C")
        page.ln(height)
    page.ln(4)


def _insurances(page: FPDF, resident: Resident) -> None:
    rows: list[tuple[str, ...]] = [("险种", "参保状态", "起始日期", "累计缴费月数")]
    for insurance, words in INSURANCES.items():
        entry = resident.insurances.get(insurance)
        if entry is None:
            rows.append((words, STATES["not_insured"], "—", "—"))
        else:
            rows.append((words, STATES.get(entry.state, entry.state), entry.since or "—", str(entry.months)))
    _table(page, (50, 40, 40, 40), rows, height=7)


def _contributions(page: FPDF, resident: Resident) -> None:
    """Thirteen months, the five insurances of a month in one line."""
    months: dict[str, tuple[int, int, bool]] = {}
    for one in unrolled(resident):
        personal_fen, employer_fen, arrived = months.get(one.month, (0, 0, True))
        months[one.month] = (personal_fen + one.personal_fen, employer_fen + one.employer_fen, arrived and one.arrived)
    rows: list[tuple[str, ...]] = [("缴费年月", "个人（元）", "单位（元）", "到账")]
    for month, (personal_fen, employer_fen, arrived) in sorted(months.items(), reverse=True)[:13]:
        rows.append((month, _yuan(personal_fen), _yuan(employer_fen), "已到账" if arrived else "未到账"))
    _table(page, (40, 50, 50, 30), rows, size=9, height=5)


def _benefits(page: FPDF, resident: Resident) -> None:
    rows: list[tuple[str, ...]] = [("发放日期", "项目", "金额（元）", "账户尾号")]
    for one in sorted(resident.benefits, key=lambda one: one.paid_on, reverse=True)[:13]:
        rows.append((one.paid_on, one.kind, _yuan(one.amount_fen), one.account_tail))
    _table(page, (40, 60, 40, 30), rows, size=10, height=7)


def _foot(page: FPDF, sheet: Sheet) -> None:
    _qr(page, sheet.verify_at, x=20, y=232, side_mm=32)
    page.set_xy(20, 266)
    page.set_font("face0", size=8)
    notes = "本证明由系统生成并加盖电子印章，可扫描二维码或访问以下地址核对内容。TEST 测试，无法律效力。"
    page.multi_cell(0, 4, f"{notes}\n{sheet.verify_at}", new_x="LMARGIN", new_y="NEXT")
    page.set_font("face0", size=11)
    page.text(130, 240, AGENCY)
    page.text(138, 247, sheet.issued_on.isoformat())


def _qr(page: FPDF, words: str, x: float, y: float, side_mm: float) -> None:
    """As filled squares: sharp at any resolution of the printer."""
    rows = [list(row) for row in segno.make_qr(words, error="m").matrix_iter(border=4)]
    module = side_mm / len(rows)
    page.set_fill_color(0, 0, 0)
    for down, row in enumerate(rows):
        for across, dark in enumerate(row):
            if dark:
                page.rect(x + across * module, y + down * module, module, module, style="F")


def _star(page: FPDF, x: float, y: float, radius: float) -> None:
    corners = []
    for point in range(10):
        reach = radius if point % 2 == 0 else radius * 0.382
        angle = math.pi * (point / 5 - 0.5)
        corners.append((x + reach * math.cos(angle), y + reach * math.sin(angle)))
    page.set_fill_color(200, 16, 16)
    page.polygon(corners, style="F")


def _yuan(fen: int) -> str:
    return f"{fen // 100:,}.{fen % 100:02d}"
