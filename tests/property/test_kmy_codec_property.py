"""The KMY codec and the simulated pad for any content, any split and any noise."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from drivers.framing import Framed, Loose, bcc, expand_hex, join_hex
from drivers.pin_pad.kmy import codec
from drivers.pin_pad.kmy.codec import Command, Decoder, Event, Framing, KeyByte, Reply
from simulators.devices.kmy import KmyPad
from simulators.devices.kmy_frames import HELD_BACK_MAX

framings = st.builds(Framing, st.booleans(), st.booleans())
replies = st.builds(Reply, st.integers(0, 255), st.binary(max_size=250))
keys = st.builds(KeyByte, st.sampled_from(sorted(codec.KEY_BYTES)))
commands = st.builds(Command, st.sampled_from(sorted(codec.COMMANDS)), st.binary(max_size=254))

ASKS_A_PERSON = (0x23, 0x24)
LONGER_THAN_A_PERSON_MAY_TAKE_S = 3600.0


def on_wire(event: Event, framing: Framing) -> bytes:
    """What a pad sends, spelled out once more."""
    if isinstance(event, KeyByte):
        return bytes((event.value,))
    body = bytes((1 + len(event.data), event.status)) + event.data
    body += bytes((bcc(body),))
    return b"\x02" + (expand_hex(body) if framing.expand else body) + (b"\x03" if framing.etx else b"")


def split(stream: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    return [stream[a:b] for a, b in pairwise(edges)]


@given(framings, st.lists(replies | keys, max_size=5), st.lists(st.integers(0, 2000), max_size=20))
def test_any_split_gives_the_same_events(framing: Framing, events: list[Event], cuts: list[int]) -> None:
    """Replies and keys come out as they went in, however the stream is cut."""
    stream = b"".join(on_wire(event, framing) for event in events)
    decoder = Decoder(framing)
    assert [event for chunk in split(stream, cuts) for event in decoder.receive(chunk)] == events
    assert not decoder.in_frame


@given(framings, st.binary(max_size=1500), st.lists(st.integers(0, 2000), max_size=20))
def test_noise_never_raises_is_bounded_and_split_does_not_matter(
    framing: Framing, noise: bytes, cuts: list[int]
) -> None:
    """Whatever comes, the decoder holds back one frame at most and hears the same in any split."""
    whole, pieces = Decoder(framing), Decoder(framing)
    heard = whole.receive(noise) + whole.give_up()
    in_pieces: list[Event] = []
    for chunk in split(noise, cuts):
        in_pieces += pieces.receive(chunk)
        assert len(pieces._assembler._candidate) < codec.FRAME_BYTES_MAX
    assert in_pieces + pieces.give_up() == heard


@given(framings, st.binary(max_size=40), replies)
def test_a_reply_after_noise_is_heard_at_the_latest_after_a_pause(framing: Framing, noise: bytes, reply: Reply) -> None:
    """Noise delays a reply by one gap; it is lost only inside something that is itself a valid frame."""
    decoder = Decoder(framing)
    heard = decoder.receive(noise) + decoder.give_up()
    heard += decoder.receive(on_wire(reply, framing))
    assert heard[-1] == reply


@given(framings, replies, st.integers(1, 500), st.integers(1, 255))
def test_one_damaged_byte_is_never_taken_for_the_reply(framing: Framing, reply: Reply, at: int, flip: int) -> None:
    """A frame with one damaged byte is not that reply; only the case of a hex digit does not matter."""
    frame = bytearray(on_wire(reply, framing))
    at = 1 + at % (len(frame) - 1)
    frame[at] ^= flip
    decoder = Decoder(framing)
    heard = decoder.receive(frame) + decoder.give_up()
    only_case = framing.expand and bytes(frame).upper() == on_wire(reply, framing)
    assert (reply in heard) is only_case


@given(framings, commands)
def test_the_pad_reads_what_the_codec_writes(framing: Framing, command: Command) -> None:
    """Two frame codes written separately agree on every command, and its one reply decodes: at once, or, where the pad
    first asks for a part of a key, when that is in or its time is up.
    """
    pad = KmyPad({}, expand=framing.expand, etx=framing.etx)
    sent: list[bytes] = []
    pad.wire = sent.append
    pad.receive(codec.encode(command, framing))
    assert list(pad.commands) == [command.code]
    assert sent or command.code in ASKS_A_PERSON
    pad.tick(LONGER_THAN_A_PERSON_MAY_TAKE_S)
    assert [type(event) for event in Decoder(framing).receive(b"".join(sent))].count(Reply) == 1


@given(st.booleans(), st.booleans(), st.lists(st.binary(max_size=400), max_size=6))
def test_the_pad_survives_noise(expand: bool, etx: bool, chunks: list[bytes]) -> None:
    """The simulated pad never raises and holds back a bounded number of bytes."""
    pad = KmyPad({0: bytes(16)}, expand=expand, etx=etx)
    for chunk in chunks:
        pad.receive(chunk)
        assert len(pad._inbox) <= HELD_BACK_MAX


@given(st.binary(max_size=300))
def test_hex_expansion_is_reversible(body: bytes) -> None:
    """Joining undoes expanding, also in lower case."""
    assert join_hex(expand_hex(body)) == join_hex(expand_hex(body).lower()) == body


def test_pieces_show_nothing() -> None:
    """Neither frames nor loose bytes appear in a traceback's values."""
    assert "12" not in repr([Framed(b"12"), Loose(12)])
