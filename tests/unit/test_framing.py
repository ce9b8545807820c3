"""Check sums and hex expansion, by published examples."""

import pytest

from drivers.framing import MORE, Assembler, bcc, expand_hex, join_hex


def test_bcc_is_the_xor_of_all_bytes() -> None:
    """The SZZT ZT588 query '3': XOR of 30 30 31 33 03 is 01 (vendor frame, SZZT ZT588)."""
    assert bcc(bytes.fromhex("3030313303")) == 0x01


def test_hex_expansion_is_upper_case_and_reversible() -> None:
    """AB becomes the characters A and B; lower case is understood."""
    assert expand_hex(b"\xab\x01") == b"AB01"
    assert join_hex(b"ab01") == b"\xab\x01"


@pytest.mark.parametrize("text", [b"A", b"A ", b"0x", b"\xff\xff"])
def test_what_is_not_hex_is_refused_without_quoting_it(text: bytes) -> None:
    """The message of the refusal holds nothing of the content."""
    with pytest.raises(ValueError, match=r"^not hex-expanded$"):
        join_hex(text)


def test_an_endless_frame_is_bounded() -> None:
    """A judge that always wants more makes the assembler hold back no more than its limit."""
    assembler = Assembler(lambda frame: MORE, 16)
    for _ in range(100):
        assembler.receive(b"\x02" * 7)
        assert len(assembler._candidate) < 16
