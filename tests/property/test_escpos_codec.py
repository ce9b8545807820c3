"""What holds for every receipt text and every stream of answers."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.printer.escpos import codec
from drivers.printer.escpos.status import AutoStatus, Decoder, Event, Fence, Flow, Junk, ProcessDone, Status
from simulators.devices.escpos import EscposPrinter

WORDS = st.text(st.sampled_from("aZ9 .,·¥。，王小明㐂𠮷䶮𪚥€é\x1b\x10\x04\x00\n"), max_size=200)
GBK_WORDS = st.text(st.sampled_from("aZ9 .·。，王小明阿依古丽￥元"), max_size=200)
EVENTS = st.one_of(
    st.sampled_from([Flow(True), Flow(False), Fence(False, False), Fence(True, True), Fence(False, True)]),
    st.integers(0, 255).filter(lambda value: value & 0x93 == 0x12).map(Status),
    st.binary(min_size=4, max_size=4)
    .map(lambda raw: bytes((0x10 | raw[0] & 0x6C, *(one & 0x6F for one in raw[1:]))))
    .map(AutoStatus),
    st.integers(0, 9999).map(codec.process_digits).map(ProcessDone),
)


def _wire(event: Event) -> bytes:
    """The bytes a printer sends for it."""
    match event:
        case Status(value) | Junk(value):
            return bytes((value,))
        case AutoStatus(value):
            return value
        case ProcessDone(digits):
            return b"\x37\x22" + digits + b"\x00"
        case Flow(go):
            return b"\x11" if go else b"\x13"
        case Fence(paper_out, paper_low):
            return bytes((0x0C * paper_out | 0x03 * paper_low,))


@given(st.lists(EVENTS, max_size=30), st.data())
def test_any_split_of_the_answers_gives_the_same_events(events: list[Event], data: st.DataObject) -> None:
    """However the line cuts the stream, the decoder reads what the printer said."""
    stream = b"".join(map(_wire, events))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    decoder = Decoder()
    read = [
        event
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for event in decoder.receive(stream[start:end])
    ]
    assert read == events


@given(st.binary(max_size=400))
def test_noise_never_raises_and_little_is_held_back(noise: bytes) -> None:
    """Whatever comes, at most six bytes wait for more, and every byte is accounted for."""
    decoder = Decoder()
    accounted = sum(len(_wire(event)) for event in decoder.receive(noise))
    assert 0 <= len(noise) - accounted <= 6


@given(WORDS, st.sampled_from([16, 32, 42, 48]))
def test_wrapping_loses_nothing_and_fits(words: str, columns: int) -> None:
    """Every character but a space comes out once, in order, and no line is wider than the paper."""
    lines = codec.wrap(codec.clean(words), columns)
    assert "".join(lines).replace(" ", "") == codec.clean(words).replace(" ", "")
    assert all(codec.cells(line) <= columns for line in lines)


@given(GBK_WORDS, st.sampled_from([32, 42, 48]), st.sampled_from(["normal", "bold", "big"]))
def test_no_character_is_ever_split_between_two_lines(words: str, columns: int, style: str) -> None:
    """The printer shows every character whole: its own wrapping finds nothing left to do."""
    printer = EscposPrinter(columns=columns)
    body, lines = codec.text_piece(words, style, columns, "gbk")
    printer.receive(codec.INIT + codec.HANZI_ON + body)
    assert printer.unknown == []
    assert "□" not in "".join(printer.hanging)
    assert "".join(printer.hanging).replace(" ", "") == words.replace(" ", "")
    assert len(printer.hanging) * (2 if style == "big" else 1) == lines


@given(st.binary(max_size=600), st.integers(1, 20))
def test_images_keep_their_size_and_hold_no_real_time_command(raw: bytes, width_bytes: int) -> None:
    """Bands put together have every row; ink is only added."""
    rows = raw[: len(raw) // width_bytes * width_bytes]
    bands = codec.raster_pieces(width_bytes, rows)
    printed = b"".join(band[8:] for band in bands)
    assert len(printed) == len(rows)
    assert all(new & old == old for new, old in zip(printed, rows, strict=True))
    assert all(pair not in band[8:] for band in bands for pair in (b"\x10\x04", b"\x10\x05", b"\x10\x14"))


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_the_printer_survives_any_bytes(chunks: list[bytes]) -> None:
    """Noise never raises in the simulated printer, and its buffer keeps its limit."""
    printer = EscposPrinter(buffer_bytes=512)
    for chunk in chunks:
        printer.receive(chunk)
    assert printer.waiting_bytes <= 512 + (1 << 17)
