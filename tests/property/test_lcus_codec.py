"""The LCUS codec and the simulated board against the vectors, and against any stream."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.lights.lcus import codec
from drivers.lights.lcus.codec import Decoder, Relay
from simulators.devices.lcus import LcusBoard
from tests.cash_vectors import vectors

VECTORS = vectors("lcus")


@pytest.mark.parametrize(("frame", "note"), VECTORS, ids=[note for _, note in VECTORS])
def test_both_sides_know_each_vector(frame: bytes, note: str) -> None:
    """The driver builds it, the board obeys it (makers' descriptions of the LCUS family)."""
    relay, on = frame[1], bool(frame[2])
    assert codec.switch(relay, on) == frame
    board = LcusBoard()
    board.receive(codec.switch(relay, not on))
    board.receive(frame)
    assert (relay in board.lit) == on == note.split("(")[0].strip().endswith("on")


def test_the_answer_of_a_board_is_read() -> None:
    """Lines as public programs print them: ``CH1: ON``, with or without a space before the end of the line."""
    heard = Decoder().receive(b"CH1: ON\r\nCH2: OFF\r\nCH3: OFF \r\nCH4:ON\n")
    assert heard == [Relay(1, True), Relay(2, False), Relay(3, False), Relay(4, True)]


@given(st.frozensets(st.integers(1, 8)), st.lists(st.integers(0, 60), max_size=8))
def test_any_split_of_an_answer_says_the_same(lit: frozenset[int], cuts: list[int]) -> None:
    """What the board tells is what is lit, however the stream is split."""
    board, told = LcusBoard(), bytearray()
    board.wire = told.extend
    for relay in lit:
        board.receive(codec.switch(relay, True))
    board.receive(codec.STATUS)
    decoder, heard, stream = Decoder(), [], bytes(told)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    for start, end in pairwise(edges):
        heard += decoder.receive(stream[start:end])
    assert {one.channel: one.on for one in heard} == {relay: relay in lit for relay in range(1, 9)}


@given(st.binary(max_size=300))
def test_noise_is_passed_over(noise: bytes) -> None:
    """No bytes make the codec raise, believe in a relay that no board has, or hold more than a line."""
    decoder = Decoder()
    assert all(1 <= one.channel <= 8 for one in decoder.receive(noise))
    assert len(decoder._held) <= codec.LINE_BYTES_MAX


@given(st.binary(max_size=300))
def test_noise_does_not_silence_the_board(noise: bytes) -> None:
    """After any noise the board understands again, once the four bytes of a broken command are over."""
    board = LcusBoard()
    board.receive(noise)
    for _ in range(2):
        board.receive(codec.switch(1, True))
    assert 1 in board.lit
