"""The ID-003 codec and the simulator's frames against the vectors, and against any stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.cash_module.id003 import codec
from drivers.cash_module.id003.codec import Code, Damaged, Decoder, Reply
from drivers.cash_module.unreadable import Unreadable
from simulators.devices import id003 as simulator
from simulators.devices.id003 import Id003Validator
from tests.cash_vectors import vectors

VECTORS = vectors("id003")
BODIES = st.binary(min_size=1, max_size=251)


@pytest.mark.parametrize(("frame", "note"), VECTORS, ids=[f"{n} {note}" for n, (_, note) in enumerate(VECTORS)])
def test_both_sides_build_and_read_each_vector(frame: bytes, note: str) -> None:
    """Codec and simulator make the same bytes of the body, and read the body from the bytes (ID03-001)."""
    body = frame[2:-2]
    assert codec.frame(body) == simulator.frame_of(body) == frame
    assert Decoder().receive(frame) == [Reply(body)]
    assert list(simulator.Reader().read(frame)) == [body]


def test_commands_are_the_vectors() -> None:
    """The commands that the driver sends are those of the description."""
    for command, frame in (
        (codec.STATUS, "FC 05 11 27 56"),
        (codec.RESET, "FC 05 40 2B 15"),
        (codec.STACK, "FC 05 41 A2 04"),
        (codec.RETURN, "FC 05 43 B0 27"),
        (codec.HOLD, "FC 05 44 0F 53"),
        (codec.VERSION, "FC 05 88 6F 5F"),
        (codec.CURRENCY, "FC 05 8A 7D 7C"),
        (codec.INHIBIT, "FC 06 C3 01 8D C7"),
        (codec.ACCEPT, "FC 06 C3 00 04 D6"),
        (codec.POWER_RECOVERY, "FC 07 C5 02 00 20 BF"),
        (codec.enable(frozenset(range(0x61, 0x71))), "FC 07 C0 00 00 2D B5"),
    ):
        assert codec.frame(command.body) == bytes.fromhex(frame)
    assert codec.enable(frozenset({0x61, 0x64})).body == bytes.fromhex("c0f6ff")


def test_every_state_of_the_description_is_known() -> None:
    """Fault row 19: 40, 41 and 42 are three states, and none of them is a crash."""
    assert {0x40, 0x41, 0x42} == {int(code) for code in codec.POWER_UPS}
    assert set(codec.TROUBLES) | codec.POWER_UPS | codec.IN_ESCROW | codec.AT_REST < set(Code)


def test_the_currency_table_is_read() -> None:
    """The simulator's codes come back as yuan; another country's table is empty; a cut one is not guessed."""
    table = Reply(Id003Validator()._table())
    assert codec.currency_table(table, -1) == {0x61: 1, 0x63: 5, 0x64: 10, 0x65: 20, 0x66: 50, 0x67: 100}
    assert codec.currency_table(table, 1) == {}
    with pytest.raises(Unreadable):
        codec.currency_table(Reply(b"\x8a\x61\x01"), -1)


@given(st.lists(BODIES, min_size=1, max_size=4), st.data())
def test_any_split_of_the_stream_gives_the_same_frames(bodies: list[bytes], data: st.DataObject) -> None:
    """However the line cuts them, whole frames come out whole and in order, on both sides."""
    stream = b"".join(codec.frame(body) for body in bodies)
    decoder, reader, found, read = Decoder(), simulator.Reader(), [], []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += decoder.receive(stream[:size])
        read += list(reader.read(stream[:size]))
        stream = stream[size:]
    assert found == [Reply(body) for body in bodies]
    assert read == bodies


@given(st.binary(max_size=600), BODIES)
def test_noise_never_raises_and_a_frame_after_a_pause_is_read(noise: bytes, body: bytes) -> None:
    """After noise and a quiet line the next frame comes through, on both sides."""
    decoder, reader = Decoder(), simulator.Reader()
    decoder.receive(noise)
    decoder.give_up()
    assert decoder.receive(codec.frame(body))[-1] == Reply(body)
    list(reader.read(noise))
    reader.forget()
    assert list(reader.read(codec.frame(body))) == [body]


@given(st.binary(min_size=1, max_size=20), st.data())
def test_one_flipped_bit_is_never_another_frame(body: bytes, data: st.DataObject) -> None:
    """A damaged frame yields damage or nothing."""
    frame = bytearray(codec.frame(body))
    frame[data.draw(st.integers(0, len(frame) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    decoder = Decoder()
    found = decoder.receive(bytes(frame)) + decoder.give_up()
    assert all(isinstance(one, Damaged) for one in found)
