"""Messages and frames: what goes in comes out, in any pieces, and noise is only ever unreadable."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.domain.money import Fen
from kiosk.hosts.bank import codec
from kiosk.hosts.bank.codec import FrameReader, Unreadable, Verdict
from kiosk.hosts.bank.terminal import TRACES_PER_BATCH, BatchFull, TraceCounter, TraceCounterBroken, Traces
from simulators.hosts import bank_frames

DIGITS = "0123456789"
FIELDS = {
    "2": st.text(DIGITS, min_size=12, max_size=19),
    "3": st.text(DIGITS, min_size=6, max_size=6),
    "4": st.text(DIGITS, min_size=12, max_size=12),
    "11": st.text(DIGITS, min_size=6, max_size=6),
    "22": st.text(DIGITS, min_size=3, max_size=3),
    "23": st.text(DIGITS, min_size=4, max_size=4),
    "35": st.text(DIGITS + "D", min_size=16, max_size=37),
    "39": st.text("0123456789ABCDEF", min_size=2, max_size=2),
    "41": st.text(DIGITS, min_size=8, max_size=8),
    "52": st.binary(min_size=8, max_size=8).map(lambda raw: raw.hex().upper()),
    "54": st.text(DIGITS + "CD", min_size=20, max_size=20),
    "55": st.binary(min_size=1, max_size=255).map(lambda raw: raw.hex().upper()),
    "60": st.text(DIGITS, min_size=11, max_size=17),
    "61": st.text(DIGITS, min_size=12, max_size=29),
    "62": st.binary(min_size=24, max_size=60).map(lambda raw: raw.hex().upper()),
}
messages = st.fixed_dictionaries({}, optional=FIELDS)


def failure_of(read: Callable[[bytes], object], raw: bytes, *known: type[Exception]) -> type[Exception] | None:
    """Which of the known exceptions reading this raises; any other one goes on up and fails the test."""
    try:
        read(raw)
    except known as error:
        return type(error)
    return None


@given(messages, st.sampled_from(["0200", "0400", "0800"]))
def test_both_sides_read_what_the_other_wrote(fields: dict[str, str], mti: str) -> None:
    """The terminal's library and the sandbox's own table agree, byte for byte."""
    ours = codec.encode(mti, fields, with_mac=False)
    theirs = bank_frames.pack(mti, {int(number): value for number, value in fields.items()})
    assert ours == theirs
    assert codec.decode(theirs).fields == fields
    assert bank_frames.unpack(ours) == (mti, {int(number): value for number, value in fields.items()})


@given(messages, st.binary(min_size=8, max_size=8))
def test_a_mac_covers_everything_before_it(fields: dict[str, str], mac: bytes) -> None:
    """The bitmap promises field 64, so what the MAC covers is the same on both sides."""
    covered = codec.encode("0200", fields, with_mac=True)
    answer = codec.decode(covered + mac)
    assert (answer.covered, answer.mac, answer.fields) == (covered, mac, fields)


@given(st.binary(max_size=600))
def test_noise_is_unreadable_and_nothing_else(noise: bytes) -> None:
    """Neither side raises anything but its own word for bytes that are no message."""
    ours = failure_of(codec.decode, noise, Unreadable)
    theirs = failure_of(bank_frames.unpack, noise, bank_frames.BadMessage)
    assert len(noise) >= 10 or (ours, theirs) == (Unreadable, bank_frames.BadMessage)


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=4), st.lists(st.integers(1, 50), max_size=40))
def test_frames_come_whole_from_any_pieces(bodies: list[bytes], cuts: list[int]) -> None:
    """Where the line cuts the stream changes nothing."""
    stream = b"".join(codec.frame(bytes(5), bytes(6), body) for body in bodies)
    reader, found = FrameReader(), []
    for cut in cuts:
        found += reader.receive(stream[:cut])
        stream = stream[cut:]
    found += reader.receive(stream)
    assert found == bodies


@given(st.lists(st.binary(max_size=100), max_size=80))
def test_a_frame_reader_stays_bounded(chunks: list[bytes]) -> None:
    """Noise ends as unreadable or waits for the rest of one frame, never more."""
    reader = FrameReader()
    for chunk in chunks:
        try:
            reader.receive(chunk)
        except Unreadable:
            return
        assert len(reader._buffer) <= codec.FRAME_BYTES_MAX + codec.LENGTH_BYTES


def test_a_field_that_does_not_fit_names_itself_only() -> None:
    """A programmer's error is told by field number, never with what was in it."""
    with pytest.raises(ValueError, match="field 4") as wrong:
        codec.encode("0200", {"4": "1234567890123456"}, with_mac=False)
    assert "123456" not in str(wrong.value)


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        *((code, Verdict.DONE) for code in ("00", "11", "A2", "A4", "A5", "A6")),
        ("10", Verdict.PARTIAL),
        *((code, Verdict.SIGN_ON) for code in ("77", "99", "A0")),
        *((code, Verdict.CALL_BANK) for code in ("04", "07", "41", "43", "67")),
        *((code, Verdict.UNKNOWN) for code in ("09", "68", "94", "98", "", "0", "ZZ", "B7", "000", "a2")),
        *((code, Verdict.REFUSED) for code in ("01", "05", "51", "55", "61", "75", "96", "97", "A7")),
    ],
)
def test_every_code_has_its_class(code: str, meaning: Verdict) -> None:
    """What is on no list is unknown, never a no."""
    assert codec.verdict(code) is meaning


def test_working_keys_come_in_two_forms() -> None:
    """24 bytes: two single keys; 40: the MAC key is single when eight zeros follow it."""
    short = codec.working_keys(bytes(range(24)))
    assert (short.pin.cryptogram, short.mac.check_value) == (bytes(range(8)), bytes(range(20, 24)))
    raw = bytes(range(1, 29)) + bytes(8) + b"\xaa\xbb\xcc\xdd"
    long = codec.working_keys(raw)
    assert (len(long.pin.cryptogram), len(long.mac.cryptogram), long.mac.check_value) == (16, 8, raw[-4:])
    assert len(codec.working_keys(bytes(range(1, 41))).mac.cryptogram) == 16
    with pytest.raises(Unreadable):
        codec.working_keys(bytes(39))


def test_a_balance_is_the_available_one_in_yuan() -> None:
    """Amount type 02, currency 156; D is a debt."""
    assert codec.balance("0001156C000000099999" + "0002156C000000012345") == Fen(12345)
    assert codec.balance("0002156D000000000700") == Fen(-700)
    for wrong in ("", "0002840C000000012345", "0002156C00000001234"):
        with pytest.raises(Unreadable):
            codec.balance(wrong)


def test_trace_numbers_never_repeat_within_a_batch(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Also across restarts; a number that was given out is used; a wrap needs a new batch."""
    path = tmp_path / "trace.json"
    drawn = [TraceCounter(path).draw() for _ in range(3)]
    assert drawn == ["000001", "000002", "000003"]
    path.write_text(f'{{"batch": "000007", "last": {TRACES_PER_BATCH}, "used": {TRACES_PER_BATCH - 1}}}')
    counter = TraceCounter(path)
    assert counter.draw() == "000001"
    with pytest.raises(BatchFull):
        counter.draw()
    counter.adopt("000008")
    assert counter.draw() == "000002"
    path.write_text("{")
    with pytest.raises(TraceCounterBroken):
        TraceCounter(path)


@pytest.mark.parametrize(
    ("kept", "newest"),
    [
        (None, ("000003", "000518")),
        (Traces("000003", 412, 412), ("000003", "000518")),
        (Traces("000003", 999_998, 5), ("000003", "000002")),  # the count has wrapped meanwhile
    ],
    ids=["lost", "older", "older than a wrap"],
)
def test_a_counter_older_than_the_journal_gives_no_numbers(
    kept: Traces | None, newest: tuple[str, str], tmp_path: Path
) -> None:
    """A file that was lost or restored would give out numbers that the bank has seen."""
    path = tmp_path / "trace.json"
    if kept:
        path.write_text(json.dumps(asdict(kept)))
    with pytest.raises(TraceCounterBroken):
        TraceCounter(path, newest)


def test_an_older_counter_of_an_older_batch_is_found_when_the_bank_names_the_batch(tmp_path: Path) -> None:
    """Yesterday's copy looks sound until sign-on says which batch is open."""
    path = tmp_path / "trace.json"
    path.write_text(json.dumps(asdict(Traces("000002", 412, 412))))
    counter = TraceCounter(path, ("000003", "000518"))
    with pytest.raises(TraceCounterBroken):
        counter.adopt("000003")
    counter.adopt("000004")
    assert counter.draw() == "000413"


@pytest.mark.parametrize("kept", [Traces("000003", 518, 518), Traces("000003", 600, 600), Traces("000004", 3, 3)])
def test_a_counter_that_knows_what_the_journal_knows_goes_on(kept: Traces, tmp_path: Path) -> None:
    """Numbers of sign-ons are in no journal, so that it may well be ahead."""
    path = tmp_path / "trace.json"
    path.write_text(json.dumps(asdict(kept)))
    assert TraceCounter(path, ("000003", "000518")).draw() == f"{kept.last + 1:06d}"
