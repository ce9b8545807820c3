"""The CCNET codec and the simulator's frames against the published vectors, and against any stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.cash_module.ccnet import codec
from drivers.cash_module.ccnet.codec import Code, Damaged, Decoder, Foreign, Reply
from drivers.cash_module.unreadable import Unreadable
from simulators.devices import ccnet_frames
from simulators.devices.ccnet import CcnetValidator
from simulators.devices.ccnet_recycler import CcnetBillToBill
from tests.cash_vectors import vectors

VECTORS = vectors("ccnet")
BODIES = st.binary(min_size=1, max_size=250)


@pytest.mark.parametrize(("frame", "note"), VECTORS, ids=[note for _, note in VECTORS])
def test_both_sides_build_and_read_each_vector(frame: bytes, note: str) -> None:
    """Codec and simulator make the same bytes of the body, and read the body from the bytes (CCNET document 1)."""
    address, body = frame[1], frame[3:-2]
    assert codec.frame(address, body) == ccnet_frames.frame_of(address, body) == frame
    assert Decoder(address).receive(frame) == [Reply(body)]
    assert list(ccnet_frames.Reader(address).read(frame)) == [body]
    assert Decoder(9).receive(frame) == [Foreign(address)]


def test_commands_are_the_vectors() -> None:
    """The commands that the drivers send are those of the document."""
    for command, frame in (
        (codec.POLL, "02 03 06 33 DA 81"),
        (codec.RESET, "02 03 06 30 41 B3"),
        (codec.STACK, "02 03 06 35 EC E4"),
        (codec.RETURN, "02 03 06 36 77 D6"),
        (codec.HOLD, "02 03 06 38 09 3F"),
        (codec.IDENTIFY, "02 03 06 37 FE C7"),
        (codec.BILL_TABLE, "02 03 06 41 4F D1"),
        (codec.STACKED_COUNTER, "02 03 06 5B 94 6E"),
        (codec.escrow_time_outs(60_000), "02 03 0E 5A 00 00 EA 60 00 00 EA 60 75 FD"),
        (codec.enable(frozenset(range(24))), "02 03 0C 34 FF FF FF FF FF FF FE F7"),
        (codec.enable(frozenset()), "02 03 0C 34 00 00 00 00 00 00 17 0C"),
    ):
        assert codec.frame(codec.VALIDATOR, command.body) == bytes.fromhex(frame)
    for command, frame in (
        (codec.POWER_RECOVERY, "02 01 06 66 4A 31"),
        (codec.EMPTY_DISPENSER, "02 01 06 67 C3 20"),
        (codec.CASSETTE_STATUS, "02 01 06 3B 2A B8"),
        (codec.dispense({6: 1, 4: 3}), "02 01 0A 3C 06 01 04 03 E8 5A"),
    ):
        assert codec.frame(codec.BILL_TO_BILL, command.body) == bytes.fromhex(frame)


def test_answers_mean_what_the_document_says() -> None:
    """Recovery, cassettes and counter of the vectors, read."""
    interrupted = codec.power_recovery(Reply(bytes.fromhex("3C80058303980C0005010303030507")))
    assert interrupted == codec.CutWhileDispensing(
        ((0, 5), (3, 3), (codec.ESCROW_CASSETTE, 12)), ((0, 5), (1, 3), (3, 3), (5, 7))
    )
    assert codec.power_recovery(Reply(bytes.fromhex("1706000402"))) == codec.Packed(((6, 0), (4, 2)))
    assert codec.power_recovery(Reply(b"\x00")) == codec.Clean()
    assert codec.cassettes(Reply(bytes.fromhex("860CC41E0000"))) == [
        codec.Cassette(1, False, 6, 12),
        codec.Cassette(2, True, 4, 30),
    ]
    assert codec.counter(Reply(bytes.fromhex("1234"))) == 4660
    assert (codec.TROUBLES[Code.FAILURE][0], codec.REJECTIONS[0x68]) == ("device_failure", "inhibited")


@pytest.mark.parametrize("body", [b"\x3c\x80", b"\x55\x01\x02", b"\x00\x01\x02"])
def test_a_recovery_answer_that_makes_no_sense_is_not_guessed(body: bytes) -> None:
    """Unreadable is said, never "clean"."""
    with pytest.raises(Unreadable):
        codec.power_recovery(Reply(body))


@pytest.mark.parametrize("device", [CcnetValidator(), CcnetBillToBill()])
def test_the_simulators_bill_table_is_read(device: CcnetValidator) -> None:
    """Mantissa, country and exponent of every type come back as yuan; another country's table is empty."""
    table = Reply(device._bill_table(b"") or b"") if device._initialized() is None else Reply(b"")
    assert codec.bill_table(table, "CHN") == {2: 1, 3: 5, 4: 10, 5: 20, 6: 50, 7: 100}
    assert codec.bill_table(table, "USA") == {}


@given(st.lists(BODIES, min_size=1, max_size=4), st.data())
def test_any_split_of_the_stream_gives_the_same_frames(bodies: list[bytes], data: st.DataObject) -> None:
    """However the line cuts them, whole frames come out whole and in order."""
    stream = b"".join(codec.frame(3, body) for body in bodies)
    decoder, found = Decoder(3), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += decoder.receive(stream[:size])
        stream = stream[size:]
    assert found == [Reply(body) for body in bodies]


@given(st.binary(max_size=600), BODIES)
def test_noise_never_raises_and_a_frame_after_a_pause_is_read(noise: bytes, body: bytes) -> None:
    """After noise and a quiet line the next frame comes through, on both sides."""
    decoder = Decoder(3)
    decoder.receive(noise)
    decoder.give_up()
    assert decoder.receive(codec.frame(3, body))[-1] == Reply(body)
    reader = ccnet_frames.Reader(3)
    list(reader.read(noise))
    reader.forget()
    assert list(reader.read(codec.frame(3, body))) == [body]


@given(BODIES, st.data())
def test_one_flipped_bit_is_never_a_reply(body: bytes, data: st.DataObject) -> None:
    """A damaged frame yields damage or nothing, never another answer of this device."""
    frame = bytearray(codec.frame(3, body))
    frame[data.draw(st.integers(0, len(frame) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    decoder = Decoder(3)
    found = decoder.receive(bytes(frame)) + decoder.give_up()
    assert all(isinstance(one, Damaged | Foreign) or one == Reply(body) for one in found)
