"""The SSP codec, the seal and the simulator's frames against the vectors, the worked session, and any stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.cash_module.ssp import codec, seal
from drivers.cash_module.ssp.codec import Code, Damaged, Decoder, Event, Packet
from drivers.cash_module.unreadable import Unreadable
from simulators.devices import ssp_frames
from simulators.devices.ssp import SspModule
from tests.cash_vectors import vectors

VECTORS = vectors("ssp")
DATA = st.binary(min_size=1, max_size=255)
HOST_SECRET, DEVICE_SECRET = 1234567, 7654321
KEY = bytes.fromhex("674523016745230119daf21a00000000")


@pytest.mark.parametrize(("frame", "note"), VECTORS, ids=[f"{n} {note}" for n, (_, note) in enumerate(VECTORS)])
def test_both_sides_build_and_read_each_vector(frame: bytes, note: str) -> None:
    """Codec and simulator make the same bytes of the data, and read the data from the bytes (manual GA138)."""
    packet = Decoder().receive(frame)[0]
    assert isinstance(packet, Packet)
    assert codec.frame(packet.data, sequence=packet.sequence, address=packet.address) == frame
    seq_id = packet.address | (0x80 if packet.sequence else 0)
    assert ssp_frames.frame_of(seq_id, packet.data) == frame
    assert list(ssp_frames.Reader().read(frame)) == [(seq_id, packet.data)]


def test_answers_mean_what_the_manual_says() -> None:
    """Setup, events and reject code of the vectors, read."""
    told = {note: Decoder().receive(frame)[0].data[1:] for frame, note in VECTORS}  # type: ignore[union-attr]
    setup = codec.setup(told["setup reply GBP 3 channels 5/10/20, security 2, real multiplier 0x40, proto 5"])
    assert (setup.unit_type, setup.firmware, setup.protocol) == (0, "0100", 5)
    assert setup.channels == (("GBP", 5 * 0x40), ("GBP", 10 * 0x40), ("GBP", 20 * 0x40))
    assert codec.events(told["credit 1 + stacked"]) == [Event(Code.CREDIT, channel=1), Event(Code.STACKED)]
    assert codec.events(told["reset + disabled"]) == [Event(Code.RESET), Event(Code.DISABLED)]
    assert codec.events(told["escrow channel 3"]) == [Event(Code.READ, channel=3)]
    assert codec.REJECTIONS[told["reject code 8"][0]] == "rejected_by_host"


def test_the_worked_session() -> None:
    """Key exchange and the two sealed packets, from both sides, to the byte (computed session of the vectors)."""
    frames = [frame for frame, _ in VECTORS][-7:-1]
    generator, modulus, host_key, device_key, poll, answer = (Decoder().receive(frame)[0].data for frame in frames)  # type: ignore[union-attr]
    assert generator == bytes((codec.GENERATOR,)) + seal.half(seal.GENERATOR)
    assert modulus == bytes((codec.MODULUS,)) + seal.half(seal.MODULUS)
    assert host_key == bytes((codec.EXCHANGE,)) + seal.half(seal.inter_key(HOST_SECRET))
    device_number = int.from_bytes(device_key[1:], "little")
    assert seal.shared_key(0x0123456701234567, device_number, HOST_SECRET) == KEY
    assert seal.seal(KEY, 0, b"\x07") == poll
    assert seal.open_sealed(KEY, answer) == (1, b"\xf0\xe8")
    vault = ssp_frames.Vault(0x0123456701234567, DEVICE_SECRET)
    vault.generator, vault.modulus = seal.GENERATOR, seal.MODULUS
    assert vault.exchange(seal.inter_key(HOST_SECRET)) == device_number
    assert vault.open(poll) == b"\x07"
    assert vault.seal(b"\xf0\xe8") == answer


def test_a_packet_with_another_key_or_count_is_not_opened() -> None:
    """Neither side takes what was not sealed for this moment."""
    assert seal.open_sealed(bytes(16), seal.seal(KEY, 0, b"\x07")) is None
    vault = ssp_frames.Vault(0x0123456701234567, DEVICE_SECRET)
    vault.generator, vault.modulus = seal.GENERATOR, seal.MODULUS
    vault.exchange(seal.inter_key(HOST_SECRET))
    assert vault.open(seal.seal(KEY, 5, b"\x07")) is None


def test_payout_events_are_read() -> None:
    """Sums, and what an incomplete payout paid of what was asked; a jam's code does not shift what follows."""
    value = bytes.fromhex("e8030000") + b"CNY"
    assert codec.events(b"\xd2\x01" + value) == [Event(Code.DISPENSED, values=(("CNY", 1000),))]
    assert codec.events(b"\xce" + value + b"\xe8")[0] == Event(Code.IN_BEZEL, values=(("CNY", 1000),))
    short = b"\xdc\x01" + bytes.fromhex("e8030000b80b0000") + b"CNY"
    assert codec.events(short + b"\xe8") == [
        Event(Code.INCOMPLETE, values=(("CNY", 1000),), asked=3000),
        Event(Code.DISABLED),
    ]
    assert codec.events(b"\xb1\x01" + value + b"\x01\xe8")[1] == Event(Code.DISABLED)


@pytest.mark.parametrize("text", [b"\x99", b"\xee", b"\xd2\x02" + bytes(7), b"\xdc\x01" + bytes(10)])
def test_an_event_that_cannot_be_read_hides_nothing(text: bytes) -> None:
    """Unreadable is said: what stands behind an event of unknown size cannot be found."""
    with pytest.raises(Unreadable):
        codec.events(text)


def test_commands_for_money_are_as_the_manual_lays_them_out() -> None:
    """Payout by denomination, routes and inhibits."""
    assert codec.pay(((1000, 3), (5000, 1)), "CNY").hex() == "46020300e8030000434e59010088130000434e5958"
    assert codec.route(1000, "CNY", to_store=True).hex() == "3b00e8030000434e59"
    assert codec.inhibits(frozenset({1, 2, 3})) == bytes.fromhex("020700")


@pytest.mark.parametrize("store", [False, True])
def test_the_simulators_setup_is_read(store: bool) -> None:
    """Six channels of yuan in fen, and the kind of unit."""
    device = SspModule(store=store)
    device._protocol = 6
    setup = codec.setup(device._setup())
    assert setup.channels == tuple(("CNY", yuan * 100) for yuan in (1, 5, 10, 20, 50, 100))
    assert setup.unit_type == (codec.SMART_PAYOUT if store else 0)


@given(st.lists(DATA, min_size=1, max_size=3), st.data())
def test_any_split_of_the_stream_gives_the_same_frames(bodies: list[bytes], data: st.DataObject) -> None:
    """However the line cuts them, also between two 7F, whole frames come out whole and in order, on both sides."""
    stream = b"".join(codec.frame(body, sequence=True) for body in bodies)
    decoder, reader, found, read = Decoder(), ssp_frames.Reader(), [], []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += decoder.receive(stream[:size])
        read += list(reader.read(stream[:size]))
        stream = stream[size:]
    assert found == [Packet(True, 0, body) for body in bodies]
    assert read == [(0x80, body) for body in bodies]


@given(st.binary(max_size=600), DATA)
def test_noise_never_raises_and_a_frame_after_a_pause_is_read(noise: bytes, body: bytes) -> None:
    """After noise and a quiet line the next frame comes through, on both sides."""
    decoder, reader = Decoder(), ssp_frames.Reader()
    decoder.receive(noise)
    decoder.give_up()
    assert decoder.receive(codec.frame(body, sequence=False))[-1] == Packet(False, 0, body)
    list(reader.read(noise))
    reader.forget()
    assert list(reader.read(codec.frame(body, sequence=False))) == [(0, body)]


@given(DATA, st.data())
def test_one_flipped_bit_is_never_another_frame(body: bytes, data: st.DataObject) -> None:
    """A damaged frame yields damage or nothing."""
    frame = bytearray(codec.frame(body, sequence=False))
    frame[data.draw(st.integers(0, len(frame) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    decoder = Decoder()
    found = decoder.receive(bytes(frame)) + decoder.give_up()
    assert all(isinstance(one, Damaged) for one in found)


@given(st.binary(min_size=1, max_size=200), st.integers(0, 2**32 - 1))
def test_what_is_sealed_can_be_opened(data: bytes, count: int) -> None:
    """Round trip, whatever the length and the count."""
    assert seal.open_sealed(KEY, seal.seal(KEY, count, data)) == (count, data)


@given(st.binary(max_size=64))
def test_what_is_not_sealed_is_never_opened(packet: bytes) -> None:
    """Any bytes: nothing, and no exception."""
    assert seal.open_sealed(KEY, b"\x7e" + packet) is None
