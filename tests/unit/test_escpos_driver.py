"""The ESC/POS driver against its simulated printer, over four wires and through its faults.

Numbers in names are those of the list of faults that field reports gave us (docs/devices/printer_escpos.md).
"""

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from drivers.printer.escpos import codec
from drivers.transport.memory import ByteWire, LossyWire, PerfectWire, SlowWire, Wire
from kiosk.domain.health import Condition, Health
from kiosk.domain.receipt import PaperLine, PaperReceipt
from kiosk.ports import DeviceFault, OutcomeUnknown
from simulators.devices.escpos import EscposPrinter as Simulator
from tests.receipt_stand import QR, Stand, printer_on_wire, receipt

GOOD_WIRES = {"perfect": PerfectWire, "byte": ByteWire, "slow": SlowWire}


async def unknown(stand: Stand, what: PaperReceipt) -> str:
    """Print, and learn why nobody knows whether it printed."""
    with pytest.raises(OutcomeUnknown) as caught:
        await stand.driver.print_receipt(what)
    return caught.value.why


async def refused(stand: Stand, what: PaperReceipt) -> Health:
    """Print, and learn why it surely did not."""
    with pytest.raises(DeviceFault) as caught:
        await stand.driver.print_receipt(what)
    return caught.value.health


@pytest.mark.parametrize("wire", GOOD_WIRES.values(), ids=GOOD_WIRES.keys())
@pytest.mark.parametrize("fence", ["status", "process_id"])
async def test_a_receipt_comes_out_whole_over_every_good_wire(
    wire: type[Wire], fence: str, tmp_path: Path, autojump_clock: MockClock
) -> None:
    """However the bytes travel, the paper says what the service said, once, with its code and nothing unknown."""
    async with printer_on_wire(tmp_path, None, wire(), wire(), fence=fence) as stand:
        await stand.driver.print_receipt(receipt())
        (paper,) = stand.printer.papers
        assert paper.whole
        assert paper.lines[0] == "示例市社会保障卡"
        assert paper.lines[2] == "姓名：王小明"
        assert paper.lines[3] == "第0项  个人账户  ￥ 1,234.50 元"
        assert paper.codes == (QR,)
        assert stand.printer.unknown == []
        assert [health.condition for health in stand.reports] == [Condition.READY, Condition.BUSY, Condition.READY]


@pytest.mark.parametrize("seed", range(6))
async def test_over_a_damaging_wire_it_ends_and_prints_no_second_paper(
    seed: int, tmp_path: Path, autojump_clock: MockClock
) -> None:
    """Without check sums damage cannot be seen, but each attempt ends in a named way and no key gives two papers."""
    wires = LossyWire(seed, 0.003, 0.003, 0.003), LossyWire(seed + 50, 0.02, 0.02, 0.02)
    async with printer_on_wire(tmp_path, None, *wires) as stand:
        ends = 0
        for number in range(4):
            try:
                await stand.driver.print_receipt(receipt(f"job-{number}"))
            except (DeviceFault, OutcomeUnknown):
                ends += 1
            else:
                ends += 1
        assert ends == 4
        assert len([paper for paper in stand.printer.papers if paper.whole]) <= 4


async def test_24_a_job_that_is_retried_prints_once(tmp_path: Path, autojump_clock: MockClock) -> None:
    """The same key again returns without a byte, also for a driver that was opened anew."""
    async with printer_on_wire(tmp_path) as stand:
        await stand.driver.print_receipt(receipt())
        await stand.driver.print_receipt(receipt())
        assert len(stand.printer.papers) == 1
        printer = stand.printer
    async with printer_on_wire(tmp_path, printer) as stand:
        await stand.driver.print_receipt(receipt())
        assert len(printer.papers) == 1
        assert "receipt_already_printed" in stand.log.getvalue()


async def test_24_an_offline_that_flaps_does_not_end_the_receipt(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Offline for no reason and back within its time: the receipt goes on, and there is one."""
    async with (
        printer_on_wire(tmp_path, Simulator(lines_s=20), batch_bytes=64) as stand,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(stand.driver.print_receipt, receipt(lines=10))
        await stand.until(lambda: len(stand.printer.hanging) > 3)
        stand.printer.faults.add("offline")
        await trio.sleep(1.0)
        stand.printer.faults.discard("offline")
        await stand.until(lambda: bool(stand.printer.papers))
        assert len(stand.printer.papers) == 1


@pytest.mark.parametrize("fault", ["paper_out", "cover_open", "head_hot"])
async def test_25_a_fault_known_before_the_first_byte_sends_nothing(
    fault: str, tmp_path: Path, autojump_clock: MockClock
) -> None:
    """The gate asks right before printing; the printer gets questions only, and the key may be tried again."""
    async with printer_on_wire(tmp_path, poll_s=3600.0) as stand:
        stand.printer.faults.add(fault)
        before = len(stand.sent)
        assert await refused(stand, receipt()) == Health(Condition.FAULT, fault)
        assert stand.sent[before:] == b"".join(codec.ask(question) for question in codec.QUESTIONS)
        stand.printer.load_paper()
        stand.printer.faults.discard(fault)
        await stand.driver.print_receipt(receipt())
        assert len(stand.printer.papers) == 1


async def test_26_a_silent_printer_is_unknown_and_prints_nothing(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Silence is not "paper is fine": health becomes unknown, and printing is refused with nothing sent."""
    async with printer_on_wire(tmp_path) as stand:
        stand.printer.faults.add("silent")
        await stand.until(lambda: stand.reports[-1].condition is Condition.UNKNOWN)
        assert (await refused(stand, receipt())).condition is Condition.UNKNOWN
        assert stand.printer.papers == []


async def test_27_an_open_cover_that_mutes_becomes_a_fault(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Silent for a few questions is unknown; silent for longer ends the driver with a fault, to be opened anew."""
    async with printer_on_wire(tmp_path, silent_polls_max=3) as stand:
        stand.printer.faults.add("cover_open_mute")
        with trio.fail_after(30):
            await stand.over.wait()
        assert stand.reports[-1] == Health(Condition.UNKNOWN, "silent")
        assert stand.fault is not None
        assert stand.fault.health == Health(Condition.FAULT, "silent")


async def test_28_paper_out_in_mid_receipt_is_unknown_and_the_rest_never_prints(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """The half receipt is torn off with the old roll; after the new roll nothing of it comes out; no blind repeat."""
    printer = Simulator(lines_s=20)
    printer.lines_left = 6
    async with printer_on_wire(tmp_path, printer, batch_bytes=128) as stand:
        assert await unknown(stand, receipt(lines=12)) == "paper_out"
        assert stand.reports[-1] == Health(Condition.FAULT, "paper_out")
        await trio.sleep(1.0)
        printer.load_paper()
        await trio.sleep(5.0)
        assert [paper.whole for paper in printer.papers] == [False]
        assert printer.hanging == ()
        assert await unknown(stand, receipt(lines=12)) == "already_tried"
        await stand.driver.print_receipt(receipt("reprint", lines=12))
        assert [paper.whole for paper in printer.papers] == [False, True]
        assert printer.papers[1].codes == (QR,)


@pytest.mark.parametrize("xon_xoff", [True, False])
async def test_29_a_long_receipt_never_overflows_a_small_buffer(
    xon_xoff: bool, tmp_path: Path, autojump_clock: MockClock
) -> None:
    """Three hundred lines and images through a slow printer with 2 kB: not one byte is lost."""
    printer = Simulator(lines_s=60, buffer_bytes=2048, xon_xoff=xon_xoff)
    async with printer_on_wire(tmp_path, printer, window_bytes=1900, batch_bytes=512, qr="raster") as stand:
        await stand.driver.print_receipt(receipt(lines=300, name="㐂𠮷䶮𪚥"))
        (paper,) = printer.papers
        assert printer.lost_bytes == 0
        assert printer.unknown == []
        assert len([line for line in paper.lines if line.startswith("第")]) == 300


async def test_30_initialising_happens_only_at_the_start(tmp_path: Path, autojump_clock: MockClock) -> None:
    """ESC @ stands before a receipt and never behind one, where it would garble the next."""
    async with printer_on_wire(tmp_path) as stand:
        await stand.driver.print_receipt(receipt("job-1"))
        await stand.driver.print_receipt(receipt("job-2"))
        first, second = stand.printer.papers
        assert all(paper.raw.count(codec.INIT) == 1 and codec.INIT in paper.raw[:8] for paper in (first, second))


async def test_31_rare_characters_and_yuan_signs_print_as_themselves(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Only lines that the printer's font cannot hold are drawn; no box, no junk, one kind of yuan sign."""
    async with printer_on_wire(tmp_path) as stand:
        await stand.driver.print_receipt(receipt(name="㐂𠮷䶮𪚥"))
        (paper,) = stand.printer.papers
        assert "□" not in paper.text
        assert paper.lines[2] == "▦ 576x24"
        assert "￥ 1,234.50 元" in paper.text


async def test_31_a_printer_with_a_full_font_gets_text(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Where the settings say gb18030, four-byte characters go as text."""
    async with printer_on_wire(tmp_path, Simulator(gb18030_full=True), charset="gb18030") as stand:
        await stand.driver.print_receipt(receipt(name="㐂𠮷䶮𪚥"))
        assert "姓名：㐂𠮷䶮𪚥" in stand.printer.papers[0].lines


async def test_without_confirmation_nobody_calls_it_printed(tmp_path: Path, autojump_clock: MockClock) -> None:
    """The paper may even be out: a printer that never confirms leaves the outcome unknown."""
    async with printer_on_wire(tmp_path) as stand:
        stand.printer.faults.add("no_fence")
        assert await unknown(stand, receipt()) == "no_confirmation"


async def test_a_printer_that_dies_behind_its_confirmation_is_unknown(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """A lone 00 is also what a power-off sounds like: only a printer that still answers is believed."""
    printer = Simulator()
    async with printer_on_wire(tmp_path, printer) as stand:
        wire = printer.wire

        def die_when_confirming(chunk: bytes) -> None:
            if chunk == b"\x00":
                printer.faults.add("off")
            wire(chunk)

        printer.wire = die_when_confirming
        assert await unknown(stand, receipt()) == "silent"


async def test_a_jammed_cutter_is_unknown_and_cleared(tmp_path: Path, autojump_clock: MockClock) -> None:
    """The cutter's error stops the printer before it confirms; what waits is dropped."""
    async with printer_on_wire(tmp_path) as stand:
        stand.printer.faults.add("cutter")
        assert await unknown(stand, receipt()) == "cutter"
        await stand.until(lambda: stand.sent.endswith(codec.CLEAR_BUFFERS + codec.RECOVER_AND_CLEAR))
        assert stand.printer.waiting_bytes == 0


async def test_low_paper_degrades_and_still_prints(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Staff learn of it; residents get their receipt."""
    async with printer_on_wire(tmp_path) as stand:
        stand.printer.faults.add("paper_low")
        await stand.driver.print_receipt(receipt())
        assert stand.reports[-1] == Health(Condition.DEGRADED, "paper_low")
        assert len(stand.printer.papers) == 1


async def test_a_line_lost_in_mid_receipt_is_unknown(tmp_path: Path, autojump_clock: MockClock) -> None:
    """The cable is pulled while it prints: unknown for the service, a fault for the supervisor, who opens anew."""
    async with printer_on_wire(tmp_path, Simulator(lines_s=10), batch_bytes=64) as stand:
        outcomes: list[str] = []

        async def print_it() -> None:
            outcomes.append(await unknown(stand, receipt(lines=30)))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(print_it)
            await stand.until(lambda: len(stand.printer.hanging) > 5)
            stand.far.close()
        assert outcomes == ["lost"]
        await stand.over.wait()
        assert stand.fault is not None
        assert stand.fault.health == Health(Condition.ABSENT, "lost")


async def test_what_an_earlier_process_left_in_the_buffer_never_prints(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """Opening the printer empties it: half a receipt must not come out in the next resident's hands."""
    printer = Simulator()
    printer.faults.add("paper_out")
    printer.receive(codec.INIT + codec.HANZI_ON + "姓名：王小明\n".encode("gbk"))
    async with printer_on_wire(tmp_path, printer) as stand:
        assert stand.fault is not None
        assert stand.fault.health == Health(Condition.FAULT, "paper_out")
        printer.load_paper()
        assert printer.hanging == ()


async def test_a_cancelled_service_does_not_leave_half_a_receipt(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Once the first byte is out, the receipt is finished even if nobody waits for it any more."""
    async with printer_on_wire(tmp_path, Simulator(lines_s=20)) as stand:
        with trio.move_on_after(0.3):
            await stand.driver.print_receipt(receipt(lines=20))
        assert [paper.whole for paper in stand.printer.papers] == [True]


async def test_a_missing_font_is_a_fault_before_anything_is_sent(tmp_path: Path, autojump_clock: MockClock) -> None:
    """A rare name without a font to draw it is refused, not printed as boxes."""
    async with printer_on_wire(tmp_path, fonts="/nonexistent/font.ttf") as stand:
        assert await refused(stand, receipt(name="𠮷")) == Health(Condition.FAULT, "font_missing")
        await stand.driver.print_receipt(PaperReceipt("plain", (PaperLine("王小明"),)))
        assert stand.printer.papers[0].lines[0] == "王小明"


async def test_a_stray_xoff_does_not_hold_the_next_receipt(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Noise that looks like XOFF while the printer is empty: a resident does not wait for an XON that never comes."""
    async with printer_on_wire(tmp_path) as stand:
        stand.printer.wire(b"\x13")
        await trio.sleep(1.0)
        with trio.fail_after(5):
            await stand.driver.print_receipt(receipt())
        assert len(stand.printer.papers) == 1
