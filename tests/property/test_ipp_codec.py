"""What holds for every IPP message."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.printer.ipp.codec import Answer, Attribute, Malformed, Operation, Tag, answer, request

NAMES = st.text(st.sampled_from("abc-"), min_size=1, max_size=12)
ATTRIBUTES = st.one_of(
    st.builds(
        Attribute,
        NAMES,
        st.just(int(Tag.INTEGER)),
        st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=3).map(tuple),
    ),
    st.builds(Attribute, NAMES, st.just(int(Tag.BOOLEAN)), st.tuples(st.booleans())),
    st.builds(
        Attribute, NAMES, st.just(int(Tag.NAME)), st.lists(st.text(max_size=20), min_size=1, max_size=3).map(tuple)
    ),
    st.builds(Attribute, NAMES, st.just(0x30), st.tuples(st.binary(max_size=20))),
)


@given(st.lists(ATTRIBUTES, max_size=6), st.integers(1, 2**31 - 1))
def test_what_is_written_reads_back(attributes: list[Attribute], request_id: int) -> None:
    """Requests and answers share their encoding: every attribute, value and number survives."""
    read = answer(request(Operation.PRINT_JOB, request_id, "ipp://h/p", attributes))
    assert read.request_id == request_id
    assert read.first(Tag.OPERATION).attributes[3:] == tuple(attributes)


@given(st.binary(max_size=300))
def test_noise_is_malformed_or_an_answer_and_nothing_else(noise: bytes) -> None:
    """No bytes make the reader fail in another way."""
    try:
        read = answer(b"\x02\x00\x00\x00\x00\x00\x00\x01" + noise)
    except Malformed:
        return
    assert isinstance(read, Answer)
