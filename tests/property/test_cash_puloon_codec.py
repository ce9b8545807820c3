"""The LCDM codec and the simulator's frames against the vectors, and against any stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.cash_module.puloon import codec
from drivers.cash_module.puloon.codec import Damaged, Decoder, Heard, Reply
from drivers.cash_module.unreadable import Unreadable
from simulators.devices import puloon as simulator
from tests.cash_vectors import vectors

VECTORS = vectors("puloon")
BODIES = st.binary(max_size=40).map(lambda body: body.replace(b"\x03", b"\x33"))


@pytest.mark.parametrize(("frame", "note"), VECTORS, ids=[note for _, note in VECTORS])
def test_both_sides_build_and_read_each_vector(frame: bytes, note: str) -> None:
    """Codec and simulator make the same bytes; the codec reads the answers (LCDM-1000T specification 3.3)."""
    first, command, body = frame[0], frame[3], frame[4:-2]
    assert simulator.frame(first, command, body) == frame
    if first == 0x04:
        assert codec.frame(command, body) == frame
    else:
        assert Decoder().receive(frame) == [Reply(command, body)]


def test_paid_is_what_passed_the_exit() -> None:
    """The two answers of the vectors, read: all paid; and seven of ten paid, one rejected, two unaccounted."""
    whole, cut = (codec.counts(Reply(frame[3], frame[4:-2])) for frame, _ in VECTORS[-2:])
    assert whole == codec.Counts(10, 10, 0, "", False)
    assert cut == codec.Counts(10, 7, 1, "jam_at_exit", False)
    assert (whole.unaccounted, cut.unaccounted) == (0, 2)
    assert codec.dispense(10) == VECTORS[0][0]


@pytest.mark.parametrize("body", [b"", b"10100000x", b"1x100000", b"101000"])
def test_counts_that_make_no_sense_are_not_guessed(body: bytes) -> None:
    """Unreadable is said; nobody reads zero into it."""
    with pytest.raises(Unreadable):
        codec.counts(Reply(codec.DISPENSE, body))


@given(st.lists(BODIES, min_size=1, max_size=4), st.data())
def test_any_split_of_the_stream_gives_the_same_events(bodies: list[bytes], data: st.DataObject) -> None:
    """However the line cuts them, answers and confirmations come out whole and in order."""
    stream = b"".join(b"\x06" + simulator.frame(1, 0x45, body) for body in bodies)
    decoder, found = Decoder(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += decoder.receive(stream[:size])
        stream = stream[size:]
    assert found == [event for body in bodies for event in (Heard(True), Reply(0x45, body))]


@given(st.binary(max_size=300), BODIES)
def test_noise_never_raises_and_an_answer_after_a_pause_is_read(noise: bytes, body: bytes) -> None:
    """After noise and a quiet line the next answer comes through."""
    decoder = Decoder()
    decoder.receive(noise)
    decoder.give_up()
    assert decoder.receive(simulator.frame(1, 0x45, body)) == [Reply(0x45, body)]


@given(BODIES, st.data())
def test_one_flipped_bit_is_never_another_answer(body: bytes, data: st.DataObject) -> None:
    """The check byte finds it, or nothing comes out."""
    frame = bytearray(simulator.frame(1, 0x45, body))
    frame[data.draw(st.integers(0, len(frame) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    decoder = Decoder()
    found = decoder.receive(bytes(frame)) + decoder.give_up()
    assert all(isinstance(one, Damaged | Heard) for one in found)
