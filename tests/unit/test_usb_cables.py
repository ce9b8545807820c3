"""Cables to a computer's ports: what a plug and its end do, over the sockets that qemu and Linux open."""

import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from simulators.devices.escpos import EscposPrinter
from simulators.usb import redir
from simulators.usb.device import BULK_IN, BULK_OUT
from simulators.usb.printer import UsbReceiptPrinter
from simulators.usb.redir import Kind
from simulators.usb.redir_cable import RedirCable
from simulators.usb.serial_cable import SerialCable
from simulators.usb.usbip_server import LOOPBACK, UsbIpServer
from tests.usb_vectors import usb_vectors

ASK = b"\x10\x04\x01"  # DLE EOT 1; 0x12: ready
HELLO = struct.pack("<III", 0, 68, 0) + b"qemu".ljust(64, b"\0") + b"\xff\0\0\0"


@asynccontextmanager
async def _computer(path: Path) -> AsyncIterator[trio.SocketListener]:
    """Qemu's side of one port."""
    sock = trio.socket.socket(trio.socket.AF_UNIX)
    await sock.bind(str(path))
    sock.listen(1)
    async with trio.SocketListener(sock) as listener:
        yield listener


async def test_a_serial_device_answers_is_unplugged_and_comes_back(tmp_path: Path) -> None:
    """The same unit behind a second connection: the cable was pulled, not the power."""
    unit = EscposPrinter()
    cable = SerialCable(tmp_path / "port", unit)
    with trio.fail_after(20):
        async with _computer(tmp_path / "port") as port, trio.open_nursery() as nursery:
            await nursery.start(cable.run)
            for _ in range(2):
                cable.plug()
                line = await port.accept()
                await line.send_all(b"x" + ASK)
                assert await line.receive_some(64) == b"\x12"
                cable.unplug()
                while await line.receive_some(64):
                    pass
                assert not cable.plugged
                await line.aclose()
            nursery.cancel_scope.cancel()
    assert unit.waiting_bytes == 0
    unit.receive(b"\n")
    assert unit.hanging == ("xx",)


async def test_a_printer_greets_every_computer_anew(tmp_path: Path) -> None:
    """After each plug: hello, descriptors, and a status question that is answered by its number."""
    device = UsbReceiptPrinter(EscposPrinter(xon_xoff=False), "RP01")
    cable = RedirCable(tmp_path / "port", device)
    ask = struct.pack("<BBHIH", BULK_OUT, 0, 3, 0, 0) + ASK
    with trio.fail_after(20):
        async with _computer(tmp_path / "port") as port, trio.open_nursery() as nursery:
            await nursery.start(cable.run)
            cable.plug()
            for _ in range(2):
                line = await port.accept()  # the second time the terminal's power had gone, and the plug stayed
                await line.send_all(HELLO + redir.encode(Kind.BULK_PACKET, 7, ask))
                await line.send_all(redir.encode(Kind.BULK_PACKET, 8, struct.pack("<BBHIH", BULK_IN, 0, 64, 0, 0)))
                decoder, heard = redir.Decoder(), []
                while not any(packet.number == 8 for packet in heard):
                    heard += decoder.receive(bytes(await line.receive_some(4096)))
                assert [packet.kind for packet in heard[:4]] == [0, 4, 5, 1]
                assert heard[-1].body[-1:] == b"\x12"
                await line.aclose()
            nursery.cancel_scope.cancel()


async def test_a_linux_attaches_over_tcp_and_lets_go(tmp_path: Path) -> None:
    """The device is imported by one at a time, and free again when that one hangs up."""
    server = UsbIpServer(UsbReceiptPrinter(EscposPrinter(xon_xoff=False), "RP02"))
    wanted = usb_vectors("usbip")[0][0]
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            port = await nursery.start(server.run)
            for _ in range(2):
                first = await trio.open_tcp_stream(LOOPBACK, port)
                await _until_imported(first, wanted)
                second = await trio.open_tcp_stream(LOOPBACK, port)
                await second.send_all(wanted)
                assert (await second.receive_some(4096))[7] == 1
                await second.aclose()
                await first.aclose()
            nursery.cancel_scope.cancel()


async def _until_imported(stream: trio.SocketStream, wanted: bytes) -> None:
    await stream.send_all(wanted)
    answer = b""
    while len(answer) < 8 + 0x138:
        answer += await stream.receive_some(4096)
    assert answer[:8] == bytes.fromhex("0111000300000000")
