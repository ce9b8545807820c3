"""The receipt printer as a USB device: its descriptors, its class requests, and both ways to a computer."""

import struct

import pytest

from simulators.devices.escpos import EscposPrinter
from simulators.usb import redir, usbip
from simulators.usb.device import BULK_IN, BULK_OUT, Setup, Stalled
from simulators.usb.printer import UsbReceiptPrinter
from simulators.usb.redir import Kind, Status
from simulators.usb.redir_cable import RedirConversation
from simulators.usb.usbip_server import UsbIpConversation
from tests.usb_vectors import usb_vectors

PORT_STATUS = Setup(0xA1, 1, 0, 0, 1)


@pytest.fixture
def device() -> UsbReceiptPrinter:
    return UsbReceiptPrinter(EscposPrinter(xon_xoff=False), "RP01")


HELLO = struct.pack("<III", 0, 68, 0) + b"qemu".ljust(64, b"\0") + b"\xff\0\0\0"


def test_descriptors_say_what_a_printer_is(device: UsbReceiptPrinter) -> None:
    """Lengths add up, the class is printer, and there is one bulk endpoint each way (USB 2.0, chapter 9)."""
    whole = device.control(Setup(0x80, 6, 0x0200, 0, 255))
    assert struct.unpack_from("<H", whole, 2)[0] == len(whole) == 32
    assert whole[9 + 5 : 9 + 8] == bytes((7, 1, 2))
    assert {whole[18 + 2], whole[25 + 2]} == {BULK_OUT, BULK_IN}
    head = device.control(Setup(0x80, 6, 0x0100, 0, 18))
    assert len(head) == head[0] == 18
    assert head[8:12] == bytes.fromhex("e60f1e81")
    assert device.control(Setup(0x80, 6, 0x0303, 0x0409, 255)) == b"\x0a\x03" + "RP01".encode("utf-16-le")
    assert len(device.control(Setup(0x80, 6, 0x0200, 0, 9))) == 9


def test_the_device_id_is_one_of_ieee_1284(device: UsbReceiptPrinter) -> None:
    """Its own length in two bytes, then keys and values."""
    told = device.control(Setup(0xA1, 0, 0, 0, 1023))
    assert int.from_bytes(told[:2], "big") == len(told)
    assert b"CLS:PRINTER;" in told


@pytest.mark.parametrize(
    ("fault", "expected"),
    [("", 0x18), ("paper_out", 0x30), ("cover_open", 0x00), ("head_hot", 0x10), ("paper_low", 0x18)],
)
def test_port_status_is_the_printers_real_state(device: UsbReceiptPrinter, fault: str, expected: int) -> None:
    """Bits 3 (no error), 4 (selected) and 5 (paper empty), from what the printer is like now."""
    if fault:
        device.printer.press(fault)
    assert device.control(PORT_STATUS) == bytes((expected,))


def test_unknown_requests_stall(device: UsbReceiptPrinter) -> None:
    """A request that the class does not know, and a descriptor that is not there, are answered by a stall."""
    for asked in (Setup(0xA1, 9, 0, 0, 1), Setup(0x80, 6, 0x0309, 0, 255), Setup(0x00, 9, 5, 0, 0)):
        with pytest.raises(Stalled):
            device.control(asked)


def test_redir_packets_are_those_of_the_document(device: UsbReceiptPrinter) -> None:
    """Each packet that we send is byte for byte what the document's structures make of it."""
    expected = [packet for packet, _ in usb_vectors("redir")]
    ask = redir.ControlPacket(0x80, 1, 0xA1, 0, 0, 1, b"")
    assert [
        redir.hello(),
        redir.device_connect(device.device_descriptor),
        redir.encode(Kind.CONFIGURATION_STATUS, 7, b"\0\1"),
        redir.control_answer(9, ask, Status.SUCCESS, b"\x18"),
        redir.bulk_answer(5, BULK_IN, Status.SUCCESS, 1, b"\x12"),
        redir.bulk_answer(6, BULK_OUT, Status.SUCCESS, 3),
        redir.bulk_answer(6, BULK_IN, Status.CANCELLED, 0),
    ] == expected
    assert len(redir.ep_info({})) == 16 + 96 + 64
    with pytest.raises(redir.RedirError):
        redir.check_hello(HELLO[12:-4] + bytes(4))


def test_a_guest_prints_and_asks_over_redir(device: UsbReceiptPrinter) -> None:
    """Hello, configuration, a line of print and a status question, each answered by its number, in any pieces."""
    said = bytearray()
    talk = RedirConversation(device, said.extend)
    bulk = _bulk(BULK_OUT, 6) + b"hello\n"
    ask = _bulk(BULK_OUT, 3) + b"\x10\x04\x01"
    stream = (
        HELLO
        + redir.encode(Kind.SET_CONFIGURATION, 1, b"\x01")
        + redir.encode(Kind.BULK_PACKET, 2, _bulk(BULK_IN, 64))
        + redir.encode(Kind.BULK_PACKET, 3, bulk)
        + redir.encode(Kind.BULK_PACKET, 4, ask)
        + redir.encode(Kind.BULK_PACKET, 5, _bulk(BULK_IN, 64))
        + redir.encode(Kind.CANCEL_DATA_PACKET, 5)
        + redir.encode(Kind.CANCEL_DATA_PACKET, 2)
    )
    for start in range(0, len(stream), 7):
        talk.receive(stream[start : start + 7])
    answers = redir.Decoder().receive(bytes(said))
    assert [one.kind for one in answers[:4]] == [
        Kind.HELLO, Kind.INTERFACE_INFO, Kind.EP_INFO, Kind.DEVICE_CONNECT
    ]  # fmt: skip
    rest = {one.number: one.body for one in answers[4:]}
    assert rest[1] == b"\x00\x01"
    assert rest[3] == _bulk(BULK_OUT, 6)
    assert rest[2] == _bulk(BULK_IN, 1) + b"\x12"
    assert rest[5] == _bulk(BULK_IN, 0, Status.CANCELLED)
    assert len(answers) == 4 + 5  # what was finished is not cancelled once more
    assert device.printer.hanging == ("hello",)


def test_a_full_printer_takes_nothing_and_loses_nothing(device: UsbReceiptPrinter) -> None:
    """Without paper the buffer fills, the computer waits, and all is printed once there is paper again."""
    said = bytearray()
    talk = RedirConversation(device, said.extend)
    talk.receive(HELLO)
    device.printer.press("paper_out")
    line = b"x" * 47 + b"\n"
    for number in range(100):
        talk.receive(redir.encode(Kind.BULK_PACKET, number, _bulk(BULK_OUT, 48) + line))
    assert talk.transfers is not None
    assert talk.transfers.waits_for_room
    assert device.printer.lost_bytes == 0
    device.printer.load_paper()
    talk.transfers.pump()
    assert not talk.transfers.waits_for_room
    assert len(device.printer.hanging) == 100
    taken = [one for one in redir.Decoder().receive(bytes(said)) if one.kind == Kind.BULK_PACKET]
    assert [one.number for one in taken] == list(range(100))


def test_usbip_packets_are_those_of_the_document() -> None:
    """Questions are read and answers written as the kernel's field tables say."""
    packets = [packet for packet, _ in usb_vectors("usbip")]
    wanted, listed, refused, submit, answer, bulk, unlink, unlinked = packets
    decoder = usbip.Decoder()
    assert decoder.receive(listed) == [usbip.DevList()]
    assert decoder.receive(wanted) == [usbip.Import("1-1")]
    asked = decoder.receive(submit + bulk + unlink)
    assert asked[0] == usbip.Submit(13, True, 0, 1, PORT_STATUS, b"")
    assert isinstance(asked[1], usbip.Submit)
    assert (asked[1].endpoint, asked[1].sent) == (1, b"\x1b\x40\x0a")
    assert asked[2] == usbip.Unlink(15, 12)
    assert usbip.imported(None) == refused
    assert usbip.submitted(13, 0, 1, b"\x18") == answer
    assert usbip.unlinked(15, usbip.UNLINKED) == unlinked


def test_one_computer_at_a_time_has_the_device(device: UsbReceiptPrinter) -> None:
    """Who comes second is refused, the first one prints and asks, and an unlinked read is answered as such."""
    wanted = usb_vectors("usbip")[0][0]
    free = iter((True, False))
    said, other = bytearray(), bytearray()
    talk = UsbIpConversation(device, said.extend, lambda: next(free))
    talk.receive(wanted)
    second = UsbIpConversation(device, other.extend, lambda: next(free))
    second.receive(wanted)
    assert len(said) == 8 + 0x138
    assert bytes(other) == usbip.imported(None)
    said.clear()
    talk.receive(_submit(1, 1, BULK_IN & 15, 64) + _submit(2, 0, BULK_OUT, 3, b"\x10\x04\x01"))
    assert bytes(said) == usbip.submitted(2, 0, 3) + usbip.submitted(1, 0, 1, b"\x12")
    said.clear()
    talk.receive(_submit(3, 1, BULK_IN & 15, 64) + _unlink(4, 3) + _unlink(5, 1))
    assert bytes(said) == usbip.unlinked(4, usbip.UNLINKED) + usbip.unlinked(5, 0)


def _bulk(endpoint: int, length: int, status: int = 0) -> bytes:
    return struct.pack("<BBHIH", endpoint, status, length, 0, 0)


def _submit(number: int, direction: int, endpoint: int, length: int, sent: bytes = b"") -> bytes:
    return struct.pack(">IIIIIIiiii8s", 1, number, 0x10002, direction, endpoint, 0, length, 0, 0, 0, bytes(8)) + sent


def _unlink(number: int, which: int) -> bytes:
    return struct.pack(">IIIIII24x", 2, number, 0x10002, 0, 0, which)
