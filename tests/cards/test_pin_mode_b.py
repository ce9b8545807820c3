"""PIN mode B whole: reader behind pcscd, pad on a pty, the short-lived process between them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import trio

from drivers.pin_entry import make_pin_entry
from drivers.pin_entry.mode_b import ModeB
from kiosk.basics.log import JsonLog
from kiosk.domain.card import (
    CardIdentity,
    ChipRecord,
    PinProgress,
    PinPrompt,
    PinResult,
    PinTemplate,
    PinVerdict,
    RefusedPins,
)
from kiosk.ports import CardGone, DeviceFault, PinEntry
from simulators.cards.card import VirtualCard
from simulators.cards.slot import Faults
from tests.cards.stand import CardStand, make_card
from tests.pad_stand import Stand as PadStand
from tests.pad_stand import pad_on_pty

SIX = PinTemplate(digits_min=6, digits_max=6, entry_s_max=20.0)
PICKY = replace(SIX, new_pin_refused=RefusedPins(("one_digit",), ("19491231",)))
ANY = PinTemplate(digits_min=4, digits_max=12, entry_s_max=20.0)


@dataclass
class PinStand:
    cards: CardStand
    pad: PadStand
    entry: PinEntry
    seen: list[PinProgress] = field(default_factory=list)

    async def insert(self, card: VirtualCard) -> CardIdentity:
        await self.cards.insert(card)
        return await self.cards.reader.read_identity()

    async def verify(self, card: CardIdentity, digits: str, template: PinTemplate = SIX) -> PinVerdict:
        return await self._while_typing([digits], self.entry.verify_chip_pin, card, template)

    async def change(self, card: CardIdentity, *pins: str, template: PinTemplate = SIX) -> PinVerdict:
        return await self._while_typing(list(pins), self.entry.change_chip_pin, card, template)

    async def _while_typing(self, pins, verb, card, template) -> PinVerdict:  # type: ignore[no-untyped-def]
        async def type_all() -> None:
            for pin in pins:
                await self.pad.type(pin, "enter")
                await self.pad.until(lambda: not self.pad.pad.lit)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(type_all)
            verdict: PinVerdict = await verb(card, template, self.seen.append)
            nursery.cancel_scope.cancel()
        return verdict


@pytest.fixture
async def pins(stand: CardStand, tmp_path: Path) -> AsyncIterator[PinStand]:
    async with pad_on_pty(tmp_path / "pad") as pad:
        entry = make_pin_entry("B", stand.reader, pad.driver, {}, JsonLog(stand.log))
        assert isinstance(entry, ModeB)
        yield PinStand(stand, pad, entry)


async def test_the_right_pin_is_ok_and_stars_are_counts(pins: PinStand) -> None:
    """OK; the kiosk saw 0 to 6 digits and the card one VERIFY; afterwards the reader goes on with the same card."""
    identity = await pins.insert(make_card(chip_months=231, chip_account_fen=150042, chip_as_of="2026-10-31"))
    assert (await pins.cards.reader.read_chip_record()).contributed_months is None
    pins.cards.slot.log = []
    assert await pins.verify(identity, "246810") == PinVerdict(PinResult.OK)
    assert [one.digits for one in pins.seen][-7:] == [0, 1, 2, 3, 4, 5, 6]
    assert {one.prompt for one in pins.seen} == {PinPrompt.CURRENT}
    assert [line[:4] for line in pins.cards.slot.log].count("0020") == 1
    assert await pins.cards.reader.same_card(identity)
    record = await pins.cards.reader.read_chip_record()
    assert record == ChipRecord(231, 150042, record.as_of) and str(record.as_of) == "2026-10-31"


async def test_wrong_pins_count_down_to_locked(pins: PinStand) -> None:
    """Two left, one left, locked; and locked it stays for the right PIN."""
    identity = await pins.insert(make_card())
    found = [await pins.verify(identity, digits) for digits in ("111111", "222222", "333333", "246810")]
    assert [(one.result, one.tries_left) for one in found] == [
        (PinResult.WRONG, 2),
        (PinResult.WRONG, 1),
        (PinResult.LOCKED, 0),
        (PinResult.LOCKED, 0),
    ]


@pytest.mark.parametrize(("state", "result"), [("initial", PinResult.INITIAL), ("unset", PinResult.UNSET)])
async def test_a_card_in_its_first_state(pins: PinStand, state: str, result: PinResult) -> None:
    """The initial PIN is right and said to be initial; a card without PIN says so."""
    identity = await pins.insert(make_card(pin_state=state))
    assert await pins.verify(identity, "123456") == PinVerdict(result)


async def test_a_changed_pin_is_in_force(pins: PinStand) -> None:
    """The new PIN opens the card, the old one does not; seven digits are padded with F."""
    card = make_card()
    identity = await pins.insert(card)
    changed = await pins.change(identity, "246810", "1357913", "1357913", template=ANY)
    assert changed == PinVerdict(PinResult.OK)
    assert card.accepts_pin("1357913") and not card.accepts_pin("246810")
    assert {one.prompt for one in pins.seen} == set(PinPrompt)
    assert await pins.verify(identity, "1357913", ANY) == PinVerdict(PinResult.OK)
    assert await pins.verify(identity, "246810", ANY) == PinVerdict(PinResult.WRONG, 2)


@pytest.mark.parametrize(
    ("typed", "result"),
    [
        (("246810", "135791", "135792"), PinResult.MISMATCH),
        (("246810", "123456"), PinResult.TOO_SIMPLE),
        (("246810", "111111"), PinResult.TOO_SIMPLE),
        (("246810", "491231"), PinResult.TOO_SIMPLE),
    ],
)
async def test_a_bad_new_pin_never_reaches_the_card(pins: PinStand, typed: tuple[str, ...], result: PinResult) -> None:
    """Different repetition, the initial PIN again, one digit only, a birthday: nothing is sent."""
    identity = await pins.insert(make_card())
    pins.cards.slot.log = []
    assert await pins.change(identity, *typed, template=PICKY) == PinVerdict(result)
    assert not [line for line in pins.cards.slot.log if line.startswith("805e")]


async def test_the_wrong_old_pin_costs_one_try(pins: PinStand) -> None:
    """CHANGE PIN with a wrong old PIN is WRONG with what is left, and changes nothing."""
    card = make_card()
    identity = await pins.insert(card)
    assert await pins.change(identity, "999999", "135791", "135791") == PinVerdict(PinResult.WRONG, 2)
    assert card.accepts_pin("246810")


async def test_the_red_key_cancels_and_costs_nothing(pins: PinStand) -> None:
    """CANCELLED; the card was never asked."""
    card = make_card()
    identity = await pins.insert(card)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pins.pad.type, "24", "cancel")
        verdict = await pins.entry.verify_chip_pin(identity, SIX, pins.seen.append)
    assert verdict == PinVerdict(PinResult.CANCELLED)
    assert card.tries_left == 3


@pytest.mark.parametrize("executed", [True, False])
async def test_no_status_word_means_unknown(pins: PinStand, executed: bool) -> None:
    """The card leaves inside CHANGE PIN: UNKNOWN whether or not the chip had done it, and the insertion is over."""
    card = make_card()
    identity = await pins.insert(card)
    before = pins.cards.slot.apdu_count
    select_and_read = 4  # SELECT, GET RESPONSE, SELECT EF05, READ
    pins.cards.slot.faults = Faults(pull_inside_apdu=before + select_and_read + 1, pulled_card_executes=executed)
    assert await pins.change(identity, "246810", "135791", "135791") == PinVerdict(PinResult.UNKNOWN)
    assert card.accepts_pin("135791" if executed else "246810")
    with pytest.raises(CardGone):
        await pins.cards.reader.same_card(identity)


async def test_a_card_pulled_while_typing_is_gone(pins: PinStand) -> None:
    """Nothing is sent to whatever comes after it."""
    identity = await pins.insert(make_card())
    other = make_card("other")

    async def swap() -> None:
        await pins.pad.type("24681")
        await pins.cards.slot.insert(other)
        pins.pad.pad.press("0")
        pins.pad.pad.press("enter")

    with pytest.raises(BaseExceptionGroup) as group:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(swap)
            await pins.entry.verify_chip_pin(identity, SIX, pins.seen.append)
    assert group.group_contains(CardGone)
    assert other.tries_left == 3 and other.accepts_pin("246810")


async def test_another_card_is_refused_before_typing(pins: PinStand) -> None:
    """The process reads the identification code itself: another card than the kiosk's is CardGone."""
    identity = await pins.insert(make_card("first"))
    await pins.cards.next_card(make_card("second"))
    with pytest.raises(CardGone):
        await pins.entry.verify_chip_pin(identity, SIX, pins.seen.append)
    assert not pins.pad.pad.lit


async def test_cancelling_before_the_apdu_leaves_nothing(pins: PinStand) -> None:
    """The process is gone, the pad is out of plain mode, the card untouched; the next entry works."""
    card = make_card()
    identity = await pins.insert(card)
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pins.entry.verify_chip_pin, identity, SIX, pins.seen.append)
            await pins.pad.type("246")
            scope.cancel()
    assert _pin_processes() == []
    assert pins.pad.pad.mode != 3
    assert card.tries_left == 3
    assert await pins.verify(identity, "246810") == PinVerdict(PinResult.OK)


async def test_a_silent_pad_is_a_fault(pins: PinStand) -> None:
    """The pad stops answering: DeviceFault, no try spent, no process left."""
    card = make_card()
    identity = await pins.insert(card)
    pins.pad.pad.faults.add("silent")
    with pytest.raises(DeviceFault):
        await pins.entry.verify_chip_pin(identity, SIX, pins.seen.append)
    assert card.tries_left == 3
    assert _pin_processes() == []


def _pin_processes() -> list[str]:
    found = []
    for status in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = status.read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        parent = status.with_name("stat")
        if b"drivers.pin_entry" in words and _parent(parent) == _own_pid():
            found.append(status.parent.name)
    return found


def _parent(stat: Path) -> int:
    try:
        return int(stat.read_text().rsplit(")", 1)[1].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _own_pid() -> int:
    return int(Path("/proc/self").resolve().name)
