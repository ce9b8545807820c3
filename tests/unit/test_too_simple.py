"""Which new PINs are too easy to guess."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.pin_entry.too_simple import ONE_DIGIT, PATTERN, RUN, too_simple
from kiosk.services.pin_steps import new_pin_template
from kiosk.settings.config import NEW_PIN_KINDS, PinRules
from tests.flows.fittings import FakeReader
from tests.flows.people import KioskInMemory

KINDS = (ONE_DIGIT, RUN, PATTERN)
DIGITS = st.text("0123456789", min_size=4, max_size=12)


def refused(pin: str, kinds: tuple[str, ...] = KINDS, parts: tuple[str, ...] = ()) -> bool:
    return too_simple(bytearray(pin, "ascii"), kinds, parts)


@pytest.mark.parametrize(
    ("pin", "kind"),
    [
        ("111111", ONE_DIGIT),
        ("0000", ONE_DIGIT),
        ("123456", RUN),
        ("654321", RUN),
        ("890123", RUN),
        ("210987", RUN),
        ("121212", PATTERN),
        ("123123", PATTERN),
        ("12341234", PATTERN),
    ],
)
def test_each_kind_is_refused_only_where_the_region_says_so(pin: str, kind: str) -> None:
    """Refused with its kind, accepted without it."""
    assert refused(pin, (kind,))
    assert not refused(pin, ())


@pytest.mark.parametrize("pin", ["135791", "112233", "123321", "123457", "246810", "739105"])
def test_ordinary_pins_are_taken(pin: str) -> None:
    """What neither repeats nor runs is the holder's to choose."""
    assert not refused(pin)


@given(DIGITS)
def test_a_part_of_ones_own_data_is_refused_and_the_pin_stays_as_it_was(pin: str) -> None:
    """Anything that stands in a given number is refused by it; looking at a PIN changes nothing of it."""
    typed = bytearray(pin, "ascii")
    assert too_simple(typed, (), (f"9{pin}8",))
    assert not too_simple(typed, (), ("", pin[:-1]))
    assert typed == bytearray(pin, "ascii")


def _visited(**rules: object) -> KioskInMemory:
    from msgspec import structs

    from kiosk.ports import Visit

    kiosk, reader = KioskInMemory({}), FakeReader()
    kiosk.desk.settings = structs.replace(kiosk.settings, pin=structs.replace(kiosk.settings.pin, **rules))
    kiosk.desk.visit = Visit(reader.identity, reader.holder, "000001")
    assert reader.holder.born == date(1949, 12, 31)
    return kiosk


@pytest.mark.parametrize("pin", ["491231", "194912", "311249", "123149", "310021", "110105", "000012"])
def test_birth_date_and_numbers_of_the_holder_are_refused(pin: str) -> None:
    """As year-month-day, day first or month first; the end of the personal number; the digits of the card's number."""
    template = new_pin_template(_visited().desk)
    assert refused(pin, template.new_pin_refused.kinds, template.new_pin_refused.parts)


def test_a_region_may_allow_all_of_it() -> None:
    """Nothing of the holder leaves the visit where nothing is compared with it."""
    refused_pins = new_pin_template(_visited(new_pin_refuses=()).desk).new_pin_refused
    assert (refused_pins.kinds, refused_pins.parts) == ((), ())


def test_the_holders_data_are_not_shown_with_the_template() -> None:
    """A template that gets into a log or a trace tells no birthday."""
    template = new_pin_template(_visited().desk)
    assert "19491231" in template.new_pin_refused.parts
    assert "1949" not in repr(template)
    assert set(PinRules().new_pin_refuses) == set(NEW_PIN_KINDS)
