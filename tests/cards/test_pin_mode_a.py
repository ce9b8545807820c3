"""PIN mode A: the reader's own pad through the LD/T 33 stand-in library; the kiosk hears codes only."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio

from drivers.card_reader.ldt33.codes import pin_verdict
from drivers.options import OptionError
from drivers.pin_entry import make_pin_entry
from kiosk.basics.log import JsonLog
from kiosk.domain.card import CardIdentity, PinProgress, PinResult, PinTemplate, PinVerdict
from kiosk.ports import CardGone, PinEntry
from simulators.cards.card import VirtualCard
from simulators.cards.own_pad import OwnPad
from simulators.cards.reader_with_pad import ReaderWithPad
from simulators.native.build import build
from tests.cards.stand import KEYS, CardStand, make_card

SIX = PinTemplate(digits_min=6, digits_max=6, entry_s_max=20.0)


def _no_stars(progress: PinProgress) -> None:
    raise AssertionError(f"mode A knows no progress: {progress}")


@dataclass
class OwnPadStand:
    cards: CardStand
    pad: OwnPad
    entry: PinEntry

    async def insert(self, card: VirtualCard) -> CardIdentity:
        await self.cards.insert(card)
        return await self.cards.reader.read_identity()

    async def type(self, *entries: str) -> None:
        for digits in entries:
            await self.lit()
            for key in (*digits, "enter"):
                self.pad.press(key)
            await trio.lowlevel.checkpoint()

    async def lit(self) -> None:
        with trio.fail_after(10):
            while not self.pad.lit:
                await trio.sleep(0.01)

    async def verify(self, card: CardIdentity, digits: str) -> PinVerdict:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.type, digits)
            return await self.entry.verify_chip_pin(card, SIX, _no_stars)

    async def change(self, card: CardIdentity, *pins: str) -> PinVerdict:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.type, *pins)
            return await self.entry.change_chip_pin(card, SIX, _no_stars)


@pytest.fixture
async def own(stand: CardStand, tmp_path: Path) -> AsyncIterator[OwnPadStand]:
    socket = tmp_path / "own-pad.sock"
    os.environ["LDT33_STANDIN_SOCKET"] = str(socket)
    library = build("ldt33_standin", tmp_path / "native")

    def card() -> VirtualCard | None:
        return stand.slot.card if isinstance(stand.slot.card, VirtualCard) else None

    simulated = ReaderWithPad(socket, card, KEYS, OwnPad(entry_s_max=3.0))
    await stand.nursery.start(simulated.run)
    entry = make_pin_entry("A", stand.reader, None, {"library": str(library)}, JsonLog(stand.log))
    yield OwnPadStand(stand, simulated.pad, entry)


async def test_verdicts_of_the_readers_own_pad(own: OwnPadStand) -> None:
    """Right, wrong with what is left, and locked."""
    identity = await own.insert(make_card(tries_left=2))
    assert own.entry.mode == "A"
    assert await own.verify(identity, "246810") == PinVerdict(PinResult.OK)
    assert await own.verify(identity, "111111") == PinVerdict(PinResult.WRONG, 2)
    assert await own.verify(identity, "111111") == PinVerdict(PinResult.WRONG, 1)
    assert await own.verify(identity, "111111") == PinVerdict(PinResult.LOCKED, 0)
    assert await own.verify(identity, "246810") == PinVerdict(PinResult.LOCKED, 0)


@pytest.mark.parametrize(("state", "result"), [("initial", PinResult.INITIAL), ("unset", PinResult.UNSET)])
async def test_first_states(own: OwnPadStand, state: str, result: PinResult) -> None:
    """-35 is the initial PIN, -27013 a card that never got one."""
    identity = await own.insert(make_card(pin_state=state))
    assert (await own.verify(identity, "123456")).result is result


async def test_a_changed_pin_is_in_force(own: OwnPadStand) -> None:
    """New accepted, old refused; mismatch and the initial PIN never reach the card."""
    card = make_card()
    identity = await own.insert(card)
    assert (await own.change(identity, "246810", "135791", "135792")).result is PinResult.MISMATCH
    assert (await own.change(identity, "246810", "123456")).result is PinResult.TOO_SIMPLE
    assert card.accepts_pin("246810")
    assert await own.change(identity, "246810", "135791", "135791") == PinVerdict(PinResult.OK)
    assert card.accepts_pin("135791") and not card.accepts_pin("246810")


async def test_cancelled_and_timed_out_at_the_pad(own: OwnPadStand) -> None:
    """-31 and -32; no try is spent."""
    card = make_card()
    identity = await own.insert(card)
    async with trio.open_nursery() as nursery:

        async def red() -> None:
            await own.lit()
            own.pad.press("cancel")

        nursery.start_soon(red)
        assert (await own.entry.verify_chip_pin(identity, SIX, _no_stars)).result is PinResult.CANCELLED
    own.pad.entry_s_max = 0.1
    assert (await own.entry.verify_chip_pin(identity, SIX, _no_stars)).result is PinResult.TIMED_OUT
    assert card.tries_left == 3


async def test_another_card_is_gone(own: OwnPadStand) -> None:
    """The kiosk's card is asked for before the pad lights up."""
    identity = await own.insert(make_card("first"))
    await own.cards.next_card(make_card("second"))
    with pytest.raises(CardGone):
        await own.entry.verify_chip_pin(identity, SIX, _no_stars)
    assert not own.pad.lit


def test_codes_of_the_public_table() -> None:
    """A status word is told as its negative; what is not about the PIN is no verdict."""
    assert pin_verdict(-25538) == PinVerdict(PinResult.WRONG, 2)
    assert pin_verdict(-25536) == PinVerdict(PinResult.LOCKED, 0)
    assert pin_verdict(-52) == PinVerdict(PinResult.LOCKED, 0)
    assert pin_verdict(-51) == PinVerdict(PinResult.WRONG)
    assert [pin_verdict(code) for code in (-1, -11, -21, -26368)] == [None] * 4


def test_mode_a_needs_a_library() -> None:
    """A reader without one cannot do mode A: said at start, not at the resident."""
    with pytest.raises(OptionError):
        make_pin_entry("A", object(), None, {}, JsonLog())
