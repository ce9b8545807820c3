"""A receipt printer that sees its outlet: what lies there, who took it, what it takes back."""

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from drivers.options import OptionError
from drivers.printer.escpos.codec import FULL_STATUS
from drivers.printer.escpos.options import read_options
from drivers.printer.escpos.status import Decoder, Fence, FullStatus, Status
from drivers.transport.memory import ByteWire, PerfectWire, SlowWire, Wire
from kiosk.ports import OutletEye
from simulators.devices.escpos import EscposPrinter
from simulators.devices.escpos_status import full_status
from tests.cash_vectors import vectors
from tests.receipt_stand import printer_on_wire, receipt

SEEN = {"outlet": "custom", "withdraw": "1d6502"}
VECTORS = vectors("full_status")


def kiosk_printer() -> EscposPrinter:
    return EscposPrinter(sees_outlet=True)


@pytest.mark.parametrize(("frame", "note"), VECTORS, ids=[note for _, note in VECTORS])
def test_both_sides_know_the_full_status(frame: bytes, note: str) -> None:
    """The driver reads it; the printer answers it (manuals of Custom and Pyramid, DLE EOT 20)."""
    if frame == FULL_STATUS:
        printer, said = kiosk_printer(), bytearray()
        printer.wire = said.extend
        printer.receive(frame)
        assert Decoder(full=True).receive(bytes(said)) == [FullStatus(bytes(4))]
    else:
        (event,) = Decoder(full=True).receive(frame)
        assert isinstance(event, FullStatus)
        assert event.paper_waiting == ("in the outlet" in note)
        faults = {
            fault for fault, words in (("paper_out", "roll is out"), ("cover_open", "cover open")) if words in note
        }
        assert full_status(faults, paper_waiting=event.paper_waiting) == frame


def test_the_noughts_of_a_full_status_are_no_confirmation() -> None:
    """Read as one answer, its 00 bytes do not pass for GS r 1: a receipt would be called printed by them."""
    stream = full_status(set(), paper_waiting=False) + b"\x12" + b"\x00"
    assert Decoder(full=True).receive(stream) == [FullStatus(bytes(4)), Status(0x12), Fence(False, False)]
    assert Decoder(full=False).receive(stream).count(Fence(False, False)) > 1


@pytest.mark.parametrize("wire", [PerfectWire, ByteWire, SlowWire])
async def test_paper_waits_until_it_is_taken(tmp_path: Path, wire: type[Wire], autojump_clock: MockClock) -> None:
    """Nothing waits before; a receipt waits when it is printed; who takes it ends ``wait_taken`` within two seconds."""
    async with printer_on_wire(tmp_path, kiosk_printer(), wire(), wire(), **SEEN) as stand:
        assert isinstance(stand.driver, OutletEye)
        assert stand.driver.paper_waiting is False
        await stand.driver.print_receipt(receipt())
        assert stand.driver.paper_waiting is True
        with trio.move_on_after(30) as patience:
            await stand.driver.wait_taken()
        assert patience.cancelled_caught
        stand.printer.take_paper(stand.printer.papers[-1].id)
        with trio.fail_after(2):
            await stand.driver.wait_taken()
        assert stand.driver.paper_waiting is False


async def test_of_two_papers_both_must_go(tmp_path: Path, autojump_clock: MockClock) -> None:
    """One taken, one left: something waits."""
    async with printer_on_wire(tmp_path, kiosk_printer(), **SEEN) as stand:
        for key in ("job-1", "job-2"):
            await stand.driver.print_receipt(receipt(key))
        stand.printer.take_paper(stand.printer.papers[0].id)
        await trio.sleep(5)
        assert stand.driver.paper_waiting is True


async def test_without_an_eye_nothing_is_claimed(tmp_path: Path, autojump_clock: MockClock) -> None:
    """A common printer is never asked, and says neither that paper waits nor that it is gone."""
    async with printer_on_wire(tmp_path) as stand:
        await stand.driver.print_receipt(receipt())
        assert stand.driver.paper_waiting is None
        assert not await stand.driver.withdraw()
        assert FULL_STATUS not in bytes(stand.sent)
        with trio.move_on_after(30) as patience:
            await stand.driver.wait_taken()
        assert patience.cancelled_caught


async def test_a_model_without_the_question_is_no_eye(tmp_path: Path, autojump_clock: MockClock) -> None:
    """The settings promise an eye, the printer does not answer: unknown, and receipts are printed all the same."""
    async with printer_on_wire(tmp_path, EscposPrinter(), **SEEN) as stand:
        await stand.driver.print_receipt(receipt())
        assert stand.driver.paper_waiting is None
        assert len(stand.printer.papers) == 1


async def test_silence_is_not_taken(tmp_path: Path, autojump_clock: MockClock) -> None:
    """A printer that falls silent with paper in its outlet does not say that it was taken."""
    async with printer_on_wire(tmp_path, kiosk_printer(), **SEEN) as stand:
        await stand.driver.print_receipt(receipt())
        stand.printer.faults.add("silent")
        with trio.move_on_after(30) as patience:
            await stand.driver.wait_taken()
        assert patience.cancelled_caught
        assert stand.driver.paper_waiting is None


async def test_left_paper_is_taken_back(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Withdrawn once, and said so only when the outlet is empty."""
    async with printer_on_wire(tmp_path, kiosk_printer(), **SEEN) as stand:
        await stand.driver.print_receipt(receipt())
        assert await stand.driver.withdraw()
        assert stand.printer.withdrawn == [stand.printer.papers[-1].id]
        assert bytes(stand.sent).count(bytes.fromhex("1d6502")) == 1


async def test_a_presenter_that_is_stuck_is_no_success(tmp_path: Path, autojump_clock: MockClock) -> None:
    """The command went out, the paper still lies there: False, in bounded time."""
    async with printer_on_wire(tmp_path, kiosk_printer(), **SEEN) as stand:
        await stand.driver.print_receipt(receipt())
        stand.printer.faults.add("presenter_stuck")
        with trio.fail_after(30):
            assert not await stand.driver.withdraw()
        assert stand.driver.paper_waiting is True


async def test_a_presenter_is_told_behind_the_cut(tmp_path: Path, autojump_clock: MockClock) -> None:
    """``present`` follows the cut of each receipt."""
    async with printer_on_wire(tmp_path, kiosk_printer(), present="1d65030c", **SEEN) as stand:
        await stand.driver.print_receipt(receipt())
        assert b"\x1dVA\x00\x1de\x03\x0c" in bytes(stand.sent)
        assert stand.printer.unknown == []


@pytest.mark.parametrize("wrong", [{"outlet": "perhaps"}, {"present": "1d6"}, {"withdraw": "1d6502"}], ids=str)
def test_settings_of_an_outlet_that_cannot_be(wrong: dict[str, object]) -> None:
    """Unknown eyes, half a byte, and taking back what nobody sees are refused."""
    with pytest.raises(OptionError):
        read_options(wrong)
