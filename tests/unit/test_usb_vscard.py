"""The card in qemu's reader, and the cable of its port: judged by vectors, and over a socket as qemu opens it."""

from pathlib import Path

import pytest
import trio

from simulators.cards.card import VirtualCard
from simulators.cards.rack import CardRack
from simulators.usb import vscard
from simulators.usb.card_slot import UsbCardSlot
from simulators.usb.vscard import Kind, Message
from simulators.worlds.world import load_world
from tests.usb_vectors import usb_vectors

VECTORS = usb_vectors("vscard")
SELECT = bytes.fromhex("00A40400") + b"\x0f" + bytes.fromhex("7378312E73682EC9E7BBE1B1A3D5CF")


@pytest.fixture
def card() -> VirtualCard:
    world = load_world(Path(__file__).parents[2] / "simulators" / "worlds" / "tiny.toml")
    return next(iter(CardRack(world).cards.values()))


def test_what_we_say_is_what_the_header_lays_down() -> None:
    """Hello, card in, card out and an answer have the bytes of the public header's structures."""
    init, add, atr, remove, apdu = (frame for frame, _ in VECTORS)
    assert vscard.hello() == init + add
    assert vscard.inserted(bytes.fromhex("3b000102")) == atr
    assert vscard.removed() == remove
    assert vscard.answer(bytes.fromhex("00a4040000")) == apdu


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_messages_come_out_of_any_pieces(size: int) -> None:
    """The same messages, however the socket cuts them."""
    stream = b"".join(frame for frame, _ in VECTORS)
    decoder, found = vscard.Decoder(), []
    for start in range(0, len(stream), size):
        found += decoder.receive(stream[start : start + size])
    assert [one.kind for one in found] == [1, 3, 5, 6, 7]
    assert b"".join(map(vscard.encode, found)) == stream


def test_nonsense_is_refused() -> None:
    """A length that nobody sends, another magic and an ATR that qemu would drop end the conversation."""
    with pytest.raises(vscard.VscardError):
        vscard.Decoder().receive(b"\0\0\0\7\0\0\0\0\x7f\0\0\0")
    with pytest.raises(vscard.VscardError):
        vscard.Decoder().receive(vscard.encode(Message(Kind.INIT, b"DCSV" + bytes(8))))
    with pytest.raises(ValueError, match="ATR"):
        vscard.inserted(bytes(41))


class Computer:
    """Qemu's side of the socket."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream, self._decoder = stream, vscard.Decoder()
        self._heard: list[Message] = []

    async def hears(self) -> Message:
        while not self._heard:
            chunk = await self.stream.receive_some(4096)
            assert chunk, "hung up"
            self._heard += self._decoder.receive(bytes(chunk))
        return self._heard.pop(0)

    async def asks(self, apdu: bytes) -> bytes:
        await self.stream.send_all(vscard.answer(apdu))
        answer = await self.hears()
        assert answer.kind == Kind.APDU
        return answer.body


async def _computer(listener: trio.SocketListener) -> Computer:
    computer = Computer(await listener.accept())
    assert [(await computer.hears()).kind for _ in range(2)] == [Kind.INIT, Kind.READER_ADD]
    return computer


async def test_a_card_goes_in_answers_and_comes_out(card: VirtualCard, tmp_path: Path) -> None:
    """Insertion tells the ATR, APDUs reach the chip, and pulling is said, not left to a closed socket."""
    listener = await _listener(tmp_path / "reader")
    slot = UsbCardSlot(tmp_path / "reader")
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            await nursery.start(slot.run)
            slot.plug()
            computer = await _computer(listener)
            await slot.insert(card)
            assert await computer.hears() == Message(Kind.ATR, card.atr)
            assert (await computer.asks(SELECT))[-2] == 0x61
            assert slot.apdu_count == 1
            await slot.remove()
            assert (await computer.hears()).kind == Kind.CARD_REMOVE
            nursery.cancel_scope.cancel()


async def test_a_card_that_is_in_stays_in_over_a_power_cut(card: VirtualCard, tmp_path: Path) -> None:
    """The computer goes and comes back: the card is announced again, and has forgotten what was selected."""
    slot = UsbCardSlot(tmp_path / "reader")
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            await nursery.start(slot.run)
            slot.plug()
            await slot.insert(card)
            for _ in range(2):
                listener = await _listener(tmp_path / "reader")
                computer = await _computer(listener)
                assert (await computer.hears()).body == card.atr
                assert (await computer.asks(bytes.fromhex("00B2020000")))[-2:] != b"\x90\x00"
                assert (await computer.asks(SELECT))[-2] == 0x61
                await computer.stream.aclose()
                await listener.aclose()
                (tmp_path / "reader").unlink()
            nursery.cancel_scope.cancel()


async def test_a_mute_chip_hears_and_says_nothing(card: VirtualCard, tmp_path: Path) -> None:
    """Its ATR comes, an APDU has no answer, and it can still be pulled."""
    listener = await _listener(tmp_path / "reader")
    slot = UsbCardSlot(tmp_path / "reader")
    card.mute = True
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            await nursery.start(slot.run)
            slot.plug()
            computer = await _computer(listener)
            await slot.insert(card)
            assert (await computer.hears()).kind == Kind.ATR
            await computer.stream.send_all(vscard.answer(SELECT))
            while not slot.apdu_count:
                await trio.sleep(0.01)
            await slot.remove()
            assert (await computer.hears()).kind == Kind.CARD_REMOVE
            nursery.cancel_scope.cancel()


async def _listener(path: Path) -> trio.SocketListener:
    sock = trio.socket.socket(trio.socket.AF_UNIX)
    await sock.bind(str(path))
    sock.listen(1)
    return trio.SocketListener(sock)
