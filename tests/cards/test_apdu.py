"""APDU layer and parsing, without a reader: vectors with their sources, and properties."""

from collections.abc import Callable, Generator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.apdu import chip_pin, exchange, items, social_security_card
from drivers.apdu.command import Command, Response
from drivers.apdu.status import CardRefused, tries_left
from drivers.transport.scard import drive

Answer = TypeVar("Answer")
VECTORS = Path(__file__).parents[1] / "vectors" / "card.txt"


def _vectors(kind: str) -> list[tuple[bytes, str]]:
    found = []
    for line in VECTORS.read_text().splitlines():
        if line.startswith(f"[{kind}]"):
            octets, expected, _source = line.removeprefix(f"[{kind}]").split(";", 2)
            found.append((bytes.fromhex(octets.strip()), expected.strip()))
    assert found
    return found


def _run(job: Generator[bytes, bytes, Answer], *answers: str) -> tuple[Answer, list[str]]:
    """Result of a job against scripted answers, and what it sent."""
    waiting, sent = [bytes.fromhex(answer) for answer in answers], []

    def transmit(apdu: bytes) -> bytes:
        sent.append(apdu.hex().upper())
        return waiting.pop(0)

    return drive(job, transmit), sent


def test_the_application_is_selected_by_its_name() -> None:
    """SELECT carries the 15 bytes of the SSSE's name."""
    ((octets, _),) = _vectors("select_ssse")
    assert bytes(Command(0x00, 0xA4, 0x04, 0x00, social_security_card.SSSE)) == octets


@pytest.mark.parametrize(("octets", "expected"), _vectors("items"))
def test_items_of_a_real_trace(octets: bytes, expected: str) -> None:
    """Tag, length, value as a card really answered."""
    tag, value = expected.split("=")
    assert items.parse_items(octets) == {int(tag, 16): bytes.fromhex(value)}


@pytest.mark.parametrize(("octets", "expected"), _vectors("text"))
def test_texts(octets: bytes, expected: str) -> None:
    """Padding goes, half characters go, rare characters stay."""
    assert items.text(octets) == expected


@pytest.mark.parametrize(("octets", "expected"), _vectors("day"))
def test_days(octets: bytes, expected: str) -> None:
    """What is no date is None, not an error."""
    assert items.day(octets) == (None if expected == "none" else date.fromisoformat(expected))


@pytest.mark.parametrize(("octets", "digits"), _vectors("verify"))
def test_verify_is_bcd(octets: bytes, digits: str) -> None:
    """Two digits a byte, an odd count padded with F."""
    assert chip_pin.verify_command(bytearray(digits.encode())) == octets


@pytest.mark.parametrize(("octets", "pins"), _vectors("change"))
def test_change_is_old_ff_new(octets: bytes, pins: str) -> None:
    """Old and new PIN with FF between them."""
    old, new = pins.split()
    assert chip_pin.change_command(bytearray(old.encode()), bytearray(new.encode())) == octets


def test_wiped_means_zero() -> None:
    """A wiped secret keeps its length and none of its bytes."""
    secret = bytearray(b"246810")
    chip_pin.wipe(secret)
    assert secret == bytearray(6)


def test_61xx_fetches_the_rest_in_pieces() -> None:
    """GET RESPONSE is repeated until the card has nothing more."""
    answer, sent = _run(exchange.send(Command(0, 0xA4, 4, 0, b"\x01")), "6102", "AABB6101", "CC9000")
    assert answer == Response(bytes.fromhex("AABBCC"), 0x9000)
    assert sent[1:] == ["00C0000002", "00C0000001"]


def test_6cxx_repeats_once_with_the_right_length() -> None:
    """The command goes out again with Le from SW2, and only once."""
    answer, sent = _run(exchange.send(Command(0, 0xB2, 7, 0, le=11)), "6C04", "AABBCCDD9000")
    assert answer.data.hex() == "aabbccdd"
    assert sent == ["00B207000B", "00B2070004"]
    refused, sent = _run(exchange.send(Command(0, 0xB2, 7, 0, le=11)), "6C04", "6C04")
    assert (refused.status, len(sent)) == (0x6C04, 2)


def test_a_card_that_never_finishes_is_refused() -> None:
    """61xx for ever ends after PIECES_MAX pieces."""
    with pytest.raises(CardRefused):
        _run(exchange.send(Command(0, 0xA4, 4, 0, b"\x01")), *["6110"] * 100)


def test_tries_left() -> None:
    """x of 63Cx; nothing else is a count."""
    assert [tries_left(status) for status in (0x63C3, 0x63C0, 0x6300, 0x9000)] == [3, 0, None, None]


@given(st.dictionaries(st.integers(1, 255), st.binary(max_size=40), max_size=8))
def test_items_round_trip(expected: dict[int, bytes]) -> None:
    """Whatever items a file holds are found again."""
    record = b"".join(bytes((tag, len(value))) + value for tag, value in expected.items())
    assert items.parse_items(record) == expected


@given(st.binary(max_size=600))
def test_parsing_never_fails(noise: bytes) -> None:
    """Noise gives items, a text and perhaps a date, never an exception, and never more than the limit."""
    assert len(items.parse_items(noise)) <= items.ITEMS_MAX
    assert "\x00" not in items.text(noise)
    items.name(noise, noise)
    items.day(noise)
    items.digits(noise)


@given(st.text(st.characters(codec="gb18030", exclude_characters="\x00 \u3000\r\n\t"), max_size=20), st.integers(0, 60))
def test_a_long_name_is_whole_again(name: str, cut: int) -> None:
    """A name split between 09 and 4E, even inside a character, comes out as it went in."""
    encoded = name.encode("gb18030")
    assert items.name(encoded[:cut].ljust(30, b"\x00"), encoded[cut:]) == name or cut > 30 or cut < len(encoded)
    assert items.name(encoded[:cut], encoded[cut:].ljust(20, b"\x00")) == name


@given(st.dates(min_value=date(1900, 1, 1)))
def test_days_round_trip(day: date) -> None:
    """Every date has one cn form and is read back from it."""
    assert items.day(bytes.fromhex(f"{day:%Y%m%d}")) == day


def _jobs() -> list[Callable[[], Generator[bytes, bytes, object]]]:
    return [
        lambda: social_security_card.identity(b"\x3b" * 17),
        social_security_card.identification_code,
        lambda: social_security_card.holder(selected=False),
        social_security_card.chip_record,
        lambda: social_security_card.internal_authentication(1, bytes(16)),
    ]


@pytest.mark.parametrize("make", _jobs())
@given(answers=st.lists(st.binary(min_size=2, max_size=80), min_size=1, max_size=12))
def test_jobs_survive_any_card(make: Callable[[], Generator[bytes, bytes, object]], answers: list[bytes]) -> None:
    """A card that answers noise is foreign or refused, within a bounded number of commands."""
    sent = 0

    def transmit(apdu: bytes) -> bytes:
        nonlocal sent
        sent += 1
        assert len(apdu) >= 4
        return answers[sent % len(answers)]

    with suppress(CardRefused, social_security_card.CardForeign):
        drive(make(), transmit)
    assert sent < 1000
