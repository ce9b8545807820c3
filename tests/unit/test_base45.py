"""Bytes as text for a QR code: the examples and bounds of RFC 9285."""

import pytest

from offline_queue.base45 import base45, from_base45


@pytest.mark.parametrize(
    ("raw", "text"),
    [(b"", ""), (b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581"), (b"ietf!", "QED8WEX0"),
     (b"\xff\xff", "FGW"), (b"\xff", "U5")],
)  # fmt: skip
def test_the_examples_of_the_standard(raw: bytes, text: str) -> None:
    """There and back; 65535 and 255 are the largest that three characters and two may stand for."""
    assert base45(raw) == text
    assert from_base45(text) == raw


@pytest.mark.parametrize("text", ["GGW", ":::", "V5", "::", "A", "BB8A", "bb8", "B=8", "B\u0662 8"])
def test_what_stands_for_no_bytes(text: str) -> None:
    """One more than the largest, a character left over, and what is not among the 45."""
    with pytest.raises(ValueError, match="not base45"):
        from_base45(text)
