"""Events of an input device, however they arrive. Source of layout and codes: linux/input.h, input-event-codes.h."""

import struct
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from drivers.headset.evdev.codec import EVENT, SW_HEADPHONE_INSERT, Decoder, Dropped, Switched, is_on
from simulators.devices.jack import HeadsetJack

SWITCHED = st.builds(Switched, st.integers(0, 16), st.booleans())
OTHER = st.tuples(st.sampled_from([0, 1, 3, 4]), st.sampled_from([0, 1, 7]), st.integers(-(2**31), 2**31 - 1))
HEADPHONES_IN_64_BIT = bytes.fromhex("a0c10067000000004e610000000000000500020001000000")


def frame(kind: int, code: int, value: int) -> bytes:
    return EVENT.pack(1, 2, kind, code, value)


def test_a_plug_as_a_64_bit_kernel_tells_it() -> None:
    """EV_SW 5, SW_HEADPHONE_INSERT 2, value 1; 24 bytes."""
    assert len(HEADPHONES_IN_64_BIT) == EVENT.size
    assert Decoder().receive(HEADPHONES_IN_64_BIT) == [Switched(SW_HEADPHONE_INSERT, True)]


@given(st.lists(st.one_of(SWITCHED, OTHER), max_size=20), st.lists(st.integers(0, 480), max_size=10))
def test_any_split_gives_the_same_events(told: list[Switched | tuple[int, int, int]], cuts: list[int]) -> None:
    """Switches come out in order, everything else is passed over."""
    stream = b"".join(frame(5, one.code, one.on) if isinstance(one, Switched) else frame(*one) for one in told)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    decoder, found = Decoder(), []
    for start, end in pairwise(edges):
        found += decoder.receive(stream[start:end])
    assert [one for one in found if isinstance(one, Switched)] == [one for one in told if isinstance(one, Switched)]


@given(st.lists(st.binary(max_size=100), max_size=20))
def test_noise_never_raises_and_is_not_kept(chunks: list[bytes]) -> None:
    """Less than one event is ever held."""
    decoder = Decoder()
    for chunk in chunks:
        decoder.receive(chunk)
    assert len(decoder._held) < EVENT.size


def test_a_queue_that_ran_over_is_told() -> None:
    """SYN_DROPPED: the state must be asked for anew."""
    assert Decoder().receive(frame(0, 3, 0)) == [Dropped()]


@given(st.integers(0, 2**17 - 1), st.integers(0, 16))
def test_the_bit_of_a_switch(bits: int, code: int) -> None:
    """EVIOCGSW answers longs of this machine."""
    assert is_on(struct.pack("@L", bits), code) is bool(bits >> code & 1)


def test_the_simulated_jack_speaks_the_same_language() -> None:
    """Both sides wrote the frame by themselves."""
    jack, decoder = HeadsetJack(), Decoder()
    told: list[Switched | Dropped] = []
    jack.wire = lambda chunk: told.extend(decoder.receive(chunk))
    for plugged in (True, True, False):
        jack.plug(plugged)
    jack.power_cut()
    assert told == [Switched(2, True), Switched(2, False), Switched(2, False)]
