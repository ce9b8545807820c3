"""The QR code of a receipt: read back from the printed picture, it books its row at the agency, once (rule 25)."""

import io
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from trio.testing import MockClock

from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import NewEntry
from kiosk.domain.receipt import PaperLine, PaperReceipt
from kiosk.hosts.agency.ledger import LedgerClient
from kiosk.money.copy_to_ledger import LedgerDisagrees, copy_rows
from offline_queue.base45 import base45
from offline_queue.copies import open_copies
from offline_queue.journal import SqliteJournal
from simulators.alone.import_receipt import import_all
from simulators.devices.escpos import EscposPrinter
from simulators.hosts import Weather
from simulators.hosts.agency_ledger import AgencyLedgerSandbox
from simulators.hosts.row_code import Code, CodeRefused, opened
from simulators.worlds.world import load_world
from tests.hosts.conftest import WORLDS
from tests.hosts.memory import DocumentedLink
from tests.receipt_stand import printer_on_wire

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
TERMINAL, CARD = "T0000001", "T00000131"
RECOVERY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ORDER: dict[str, str | int] = {
    "key": "01999d6e-7a00-7000-8000-000000000001",
    "bill": "B20261122-0007",
    "up_to_fen": 12_345,
    "means": "cash",
    "department": "呼吸与危重症医学科门诊三楼东区" * 4,
    "chip": "99000123456789ABCDEF0123456789AB",
}


@dataclass
class Village:
    """A terminal and its agency; some rows were copied by line before the line went down."""

    journal: SqliteJournal
    folder: Path
    agency: AgencyLedgerSandbox

    def order(self, **more: str | int) -> int:
        held = balanced((Account.CASH_BOX, 12_000), (Account.HOLDER_DEBT, -12_000))
        return self.journal.commit(NewEntry("settlement_order_left", "451207", {**ORDER, **more}, CARD, held))

    def code(self, seq: int) -> str:
        return self.journal.row_code(TERMINAL, seq)

    async def line_is_up(self) -> int:
        return await copy_rows(open_copies(self.folder), LedgerClient(DocumentedLink(self.agency), TERMINAL))

    def on_paper(self) -> list[int]:
        return [row.seq for row in self.agency.kept.only_on_paper(TERMINAL)]


@pytest.fixture
async def village(tmp_path: Path) -> AsyncIterator[Village]:
    journal = SqliteJournal(tmp_path / "terminal", lambda: NOW, RECOVERY.public_key())
    agency = AgencyLedgerSandbox(load_world(WORLDS / "tiny.toml"), tmp_path / "agency", Weather())
    made = Village(journal, tmp_path / "terminal", agency)
    journal.record("kiosk_started")
    await made.line_is_up()
    yield made
    made.journal.close()
    agency.close()


def read_by_a_scanner(png: bytes, folder: Path) -> str:
    """zbar, a reader that knows nothing of us. Raises CalledProcessError: it sees no code."""
    (folder / "paper.png").write_bytes(png)
    command = ["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", str(folder / "paper.png")]
    return subprocess.run(command, check=True, capture_output=True, timeout=30).stdout.decode().rstrip("\n")


@pytest.mark.parametrize("qr", ["native", "raster"])
@pytest.mark.parametrize(("dots", "columns"), [(576, 48), (384, 32)])
async def test_the_printed_code_books_the_row(
    village: Village, tmp_path: Path, autojump_clock: MockClock, qr: str, dots: int, columns: int
) -> None:
    """On 80 and on 58 mm, drawn by the printer or by us: a scanner reads it off the paper, and the agency books it."""
    printer = EscposPrinter(dots=dots, columns=columns)
    seq = village.order()
    paper = PaperReceipt("job-1", (PaperLine("已收到，尚未结算"),), village.code(seq))
    async with printer_on_wire(tmp_path, printer, qr=qr, dots=dots, columns=columns) as stand:
        await stand.driver.print_receipt(paper)
    assert printer.unknown == []
    read = read_by_a_scanner(printer.papers[0].png, tmp_path)
    result, row = village.agency.kept.book_paper(read)
    assert (result, row.seq, row.act, row.case_code) == ("booked", seq, "settlement_order_left", "451207")
    assert row.postings == "cash_box:12000 holder_debt:-12000"
    told = opened(row, RECOVERY)
    assert (told["card_number"], told["bill"], told["up_to_fen"]) == (CARD, "B20261122-0007", 12_345)


@pytest.mark.parametrize("dots", [576, 384])
async def test_a_longer_recovery_key_makes_a_code_that_is_read(
    village: Village, tmp_path: Path, autojump_clock: MockClock, dots: int
) -> None:
    """4096 bits: half as long again, printed on both widths, read off the paper, and all of the facts are in it."""
    custodians = rsa.generate_private_key(public_exponent=65537, key_size=4096)
    village.journal.close()
    village.journal = SqliteJournal(village.folder, lambda: NOW, custodians.public_key())
    accounts = [account for account in Account if account is not Account.RESIDENT][:6]
    shares = balanced((Account.RESIDENT, 7_407_402), *((account, -1_234_567) for account in accounts))
    seq = village.journal.commit(NewEntry("settlement_order_left", "451207", ORDER, CARD, shares))
    code = village.code(seq)
    assert 1200 < len(code) < 1500
    printer = EscposPrinter(dots=dots)
    async with printer_on_wire(tmp_path, printer, dots=dots) as stand:
        await stand.driver.print_receipt(PaperReceipt("job-1", (PaperLine("凭条"),), code))
    read = read_by_a_scanner(printer.papers[0].png, tmp_path)
    result, row = village.agency.kept.book_paper(read)
    assert result == "booked"
    assert opened(row, custodians)["department"] == ORDER["department"]


async def test_a_stained_and_creased_paper_is_still_read(
    village: Village, tmp_path: Path, autojump_clock: MockClock
) -> None:
    """A blot as wide as a fingertip and a white crease through the code: level M gives back what they hide."""
    printer, seq = EscposPrinter(), village.order()
    async with printer_on_wire(tmp_path, printer) as stand:
        await stand.driver.print_receipt(PaperReceipt("job-1", (PaperLine("凭条"),), village.code(seq)))
    sheet = Image.open(io.BytesIO(printer.papers[0].png)).convert("L")
    middle = sheet.width // 2
    pen = ImageDraw.Draw(sheet)
    pen.ellipse((middle - 120, 210, middle - 60, 270), fill=20)  # 60 dots = 7.5 mm
    pen.line((middle - 170, 330, middle + 170, 336), fill=255, width=4)
    stained = io.BytesIO()
    sheet.save(stained, "PNG")
    assert village.agency.kept.book_paper(read_by_a_scanner(stained.getvalue(), tmp_path))[0] == "booked"


async def test_a_row_is_booked_once_however_it_comes(village: Village) -> None:
    """By paper twice (each print has a code of its own), then by line, then by paper again: one row."""
    seq = village.order()
    results = [village.agency.kept.book_paper(village.code(seq))[0] for _ in range(2)]
    assert results == ["booked", "known"]
    assert village.on_paper() == [seq]
    await village.line_is_up()
    assert village.on_paper() == []
    assert village.agency.kept.book_paper(village.code(seq))[0] == "known"
    assert village.agency.alerts(TERMINAL) == []


async def test_a_code_shows_nobody_anything(village: Village) -> None:
    """Neither card number nor facts stand in a code for whoever reads it without the recovery key."""
    row = Code(village.code(village.order())).row
    clear = repr((row.terminal, row.at, row.act, row.postings, row.card_index, row.sealed))
    for word in (CARD, "B20261122", "cash,", "12345"):
        assert word not in clear
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(ValueError, match="ecrypt"):
        opened(row, stranger)


@pytest.mark.parametrize("facts", [0, 3, 40])
async def test_a_code_has_a_bounded_size_and_always_the_card(village: Village, facts: int) -> None:
    """However much an act wrote down: the longest stays out, the card stays in, and the code fits the paper."""
    more: dict[str, str | int] = {f"fact_{number}": "字" * 30 for number in range(facts)}
    code = village.code(village.order(**more))
    assert len(code) < 900
    assert opened(Code(code).row, RECOVERY)["card_number"] == CARD


async def test_a_changed_code_is_refused(village: Village, capsys: pytest.CaptureFixture[str]) -> None:
    """One character changed, cut off, added, or of another kind: refused, and nothing is booked; the rest goes on."""
    good = village.code(village.order())
    bad = [good[:-1], good + "0", "https://example.test", "", good.replace("YKT1", "YKT2")]
    bad += [
        good[:place] + ("A" if good[place] != "A" else "B") + good[place + 1 :] for place in range(5, len(good), 41)
    ]
    for text in bad:
        with pytest.raises(CodeRefused):
            village.agency.kept.book_paper(text)
    assert village.on_paper() == []
    assert import_all([bad[0], "", good], village.agency.kept) == 1
    told = capsys.readouterr()
    assert "refused" in told.err
    assert "row 2, settlement_order_left of case 451207: booked" in told.out


async def test_a_strangers_code_is_refused_and_noticed(village: Village, tmp_path: Path) -> None:
    """Printed by whoever found out our terminal's number, or by a terminal that nobody knows."""
    stranger = SqliteJournal(tmp_path / "stranger", lambda: NOW, RECOVERY.public_key())
    seq = stranger.record("settlement_order_left")
    codes = [stranger.row_code(TERMINAL, seq), stranger.row_code("T0000099", seq)]
    stranger.close()
    for code in codes:
        with pytest.raises(CodeRefused, match="not signed by this terminal"):
            village.agency.kept.book_paper(code)
    assert village.agency.alerts(TERMINAL) == [(seq, "receipt not signed by this terminal")]


async def test_paper_and_line_that_disagree_are_a_case(village: Village) -> None:
    """The same number with another link, both signed by this terminal: a disk was put back. Nothing is overwritten."""
    code = village.code(village.order())
    books = village.agency.kept.books
    village.agency.kept.book_paper(code)
    books.execute("UPDATE paper SET link = ?", ("ab" * 32,))
    with pytest.raises(LedgerDisagrees, match="differs"):
        await village.line_is_up()
    assert village.agency.alerts(TERMINAL) == [(2, "differs")]
    with pytest.raises(CodeRefused, match="another one here"):
        village.agency.kept.book_paper(code)


@pytest.mark.parametrize(
    ("raw", "text"), [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581"), (b"ietf!", "QED8WEX0")]
)
def test_base45_of_the_standard(raw: bytes, text: str) -> None:
    """RFC 9285, sections 4.3 and 4.4: its own examples."""
    assert base45(raw) == text


@given(st.text(max_size=1100))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Whatever a scanner types, the agency's reader refuses it in one way."""
    with pytest.raises(CodeRefused):
        Code("YKT1:" + text)
