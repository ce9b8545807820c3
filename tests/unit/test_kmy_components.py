"""Parts of a key, typed at the pad itself: the driver against its simulated pad, and every way in which it can end."""

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import trio
from psec import des
from trio.testing import MockClock

from drivers.options import OptionError
from drivers.pin_pad.kmy.driver import open_device
from drivers.pin_pad.kmy.settings import pad_settings
from kiosk.basics.log import JsonLog
from kiosk.basics.race import first_of
from kiosk.domain.health import Condition
from kiosk.domain.typed_keys import KeyPlace, PartAnswer, PartEnd
from kiosk.ports import DeviceContext, DeviceFault
from kiosk.ports.devices import ImportsKeys, TakesComponents
from simulators.devices import kmy_crypto
from simulators.devices.kmy import KmyPad as Simulator
from tests.pad_stand import MASTER, PIN_KEY, Stand, pad_on_pty, pad_on_wire, wrapped

FIRST = "3D66234C49E4296FF9C78D8BACBD6A76"
SECOND = "A1B2C3D4E5F60718293A4B5C6D7E8F90"
KEY = bytes(a ^ b for a, b in zip(bytes.fromhex(FIRST), bytes.fromhex(SECOND), strict=True))
VALUE = des.generate_kcv(KEY, 4)
OLD_VALUE = des.generate_kcv(MASTER, 4)
MASTER_0, WORK = KeyPlace(0), KeyPlace(0, 2)


def keys_of(part: str) -> list[str]:
    """The pad's keys for hex digits: A to F are F1 to F6."""
    return [f"f{'ABCDEF'.index(digit) + 1}" if digit in "ABCDEF" else digit for digit in part]


async def typed(stand: Stand, place: KeyPlace, number: int, part: str, end: str = "enter") -> PartAnswer:
    """One part: the driver asks, a custodian types and presses ``end``."""
    answers: list[PartAnswer] = []

    async def ask() -> None:
        answers.append(await stand.components.type_component(place, number, stand.progress))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        await stand.type("", *keys_of(part), end)
    return answers[0]


@asynccontextmanager
async def stand_with_parts(**options: object) -> AsyncIterator[Stand]:
    async with pad_on_wire(component_entry=True, **options) as stand:
        yield stand


async def while_asking(stand: Stand, number: int, happens: Callable[[], None]) -> None:
    """Something happens once the pad asks for a part of master key 0. Raises what the driver raises."""

    async def happen() -> None:
        await stand.until(lambda: stand.pad.lit)
        happens()
        await trio.sleep_forever()

    await first_of(partial(stand.components.type_component, MASTER_0, number, stand.progress), happen)


async def holds(stand: Stand, key: bytes) -> bool:
    """Whether the pad's master key 0 is this one: what is wrapped under it comes out with its check value."""
    told = await stand.driver.load_work_key(0, 1, kmy_crypto.encrypt_ecb(key, PIN_KEY))
    return told == des.generate_kcv(PIN_KEY, 4)


@pytest.mark.parametrize("place", [MASTER_0, KeyPlace(3), WORK])
async def test_two_parts_make_a_key_whose_check_value_is_psecs(autojump_clock: MockClock, place: KeyPlace) -> None:
    """Typed one after the other, they are joined inside; the check value is that of the XOR of both."""
    async with stand_with_parts() as stand:
        assert await typed(stand, place, 1, FIRST) == PartAnswer(PartEnd.IN)
        assert await typed(stand, place, 2, SECOND) == PartAnswer(PartEnd.IN, VALUE)
        assert not stand.pad.lit and stand.fault is None


async def test_a_typed_master_key_works_and_ends_the_working_keys_below_it(autojump_clock: MockClock) -> None:
    """Cryptograms under the new key load; a working key of the old one is gone."""
    async with stand_with_parts() as stand:
        await stand.load_keys()
        await typed(stand, MASTER_0, 1, FIRST)
        assert await holds(stand, MASTER), "one part alone changes nothing"
        await typed(stand, MASTER_0, 2, SECOND)
        with pytest.raises(DeviceFault):
            await stand.driver.mac(0, 3, bytes(8))
        assert await holds(stand, KEY)


async def test_only_how_many_digits_stand_is_told(autojump_clock: MockClock) -> None:
    """Each press moves the stars by one, clear takes one back; no digit and no part is in the log or on the line."""
    async with stand_with_parts() as stand:
        heard = bytearray()
        forward, stand.pad.wire = stand.pad.wire, lambda chunk: (heard.extend(chunk), forward(chunk))[1]
        answers: list[PartAnswer] = []

        async def ask() -> None:
            answers.append(await stand.components.type_component(MASTER_0, 1, stand.progress))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await stand.type("", "0", "f2", "clear", *keys_of(FIRST), "enter")
        assert stand.stars == [1, 2, 1, *range(2, 33), 32]
        assert answers == [PartAnswer(PartEnd.NOT_TAKEN)], "33 digits are no part"
        assert await typed(stand, MASTER_0, 1, FIRST) == PartAnswer(PartEnd.IN)
        said = stand.log.getvalue() + repr(answers) + heard.hex() + heard.decode("latin-1")
        assert FIRST.lower() not in said.lower() and "".join(keys_of(FIRST)) not in said


@pytest.mark.parametrize(
    ("part", "end", "came"),
    [
        (FIRST[:30], "enter", PartEnd.NOT_TAKEN),
        ("", "enter", PartEnd.NOT_TAKEN),
        (FIRST[:16], "cancel", PartEnd.CANCELLED),
    ],
)
async def test_a_part_that_was_not_taken_may_be_typed_again(
    autojump_clock: MockClock, part: str, end: str, came: PartEnd
) -> None:
    """A wrong length or the red key costs only the part in hand: the first one waits, and the key comes about."""
    async with stand_with_parts() as stand:
        await typed(stand, MASTER_0, 1, FIRST)
        assert (await typed(stand, MASTER_0, 2, part, end)).end is came
        assert await holds(stand, MASTER)
        assert await typed(stand, MASTER_0, 2, SECOND) == PartAnswer(PartEnd.IN, VALUE)


async def test_the_same_part_twice_makes_no_key(autojump_clock: MockClock) -> None:
    """Two equal parts would be a key of zeros: the pad refuses, the old key stays."""
    async with stand_with_parts() as stand:
        await typed(stand, MASTER_0, 1, FIRST)
        assert (await typed(stand, MASTER_0, 2, FIRST)).end is PartEnd.NOT_TAKEN
        assert await holds(stand, MASTER)


@pytest.mark.parametrize("number", [1, 2])
async def test_nobody_types_and_the_pad_gives_up(autojump_clock: MockClock, number: int) -> None:
    """Its own limit ends it before ours: nothing is in the pad but the key that was there."""
    async with stand_with_parts() as stand:
        if number == 2:
            await typed(stand, MASTER_0, 1, FIRST)
        assert (await stand.components.type_component(MASTER_0, number, stand.progress)).end is PartEnd.TIMED_OUT
        assert await holds(stand, MASTER)
        assert (await typed(stand, MASTER_0, 2, SECOND)).end is PartEnd.FORGOTTEN


async def _waited(stand: Stand) -> None:
    await trio.sleep(1000)


async def _cut(stand: Stand) -> None:
    stand.pad.power_cut()
    await trio.sleep(10)


async def _forgotten(stand: Stand) -> None:
    await stand.components.forget_components()


@pytest.mark.parametrize("between", [_waited, _cut, _forgotten])
async def test_the_first_part_does_not_wait_for_ever(
    autojump_clock: MockClock, between: Callable[[Stand], Awaitable[None]]
) -> None:
    """After a quarter of an hour, a power cut or "forget" the second part is alone: told so, and the old key stays.

    Nothing is left behind by that either: the next two parts make the key.
    """
    async with stand_with_parts() as stand:
        await typed(stand, MASTER_0, 1, FIRST)
        await between(stand)
        assert (await typed(stand, MASTER_0, 2, SECOND)).end is PartEnd.FORGOTTEN
        assert await holds(stand, MASTER)
        await typed(stand, MASTER_0, 1, FIRST)
        assert await typed(stand, MASTER_0, 2, SECOND) == PartAnswer(PartEnd.IN, VALUE)


async def test_opening_the_pad_between_the_parts_destroys_everything(autojump_clock: MockClock) -> None:
    """Part and keys are gone; what is typed now is a first part, and the pad is good again with a whole new key."""
    async with stand_with_parts() as stand:
        await typed(stand, MASTER_0, 1, FIRST)
        stand.pad.tamper()
        assert (await typed(stand, MASTER_0, 2, SECOND)).end is PartEnd.FORGOTTEN
        with pytest.raises(DeviceFault):
            await stand.driver.load_work_key(0, 0, wrapped(PIN_KEY))
        await typed(stand, MASTER_0, 1, FIRST)
        assert await typed(stand, MASTER_0, 2, SECOND) == PartAnswer(PartEnd.IN, VALUE)
        assert await holds(stand, KEY)


async def test_who_leaves_while_typing_leaves_nothing(autojump_clock: MockClock) -> None:
    """A part that is given up from here (the card was pulled) ends at the pad, and takes the first one with it."""
    async with stand_with_parts() as stand:
        await typed(stand, MASTER_0, 1, FIRST)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stand.components.type_component, MASTER_0, 2, stand.progress)
            await stand.type("", *keys_of(SECOND[:20]))
            nursery.cancel_scope.cancel()
        assert not stand.pad.lit
        assert (await typed(stand, MASTER_0, 2, SECOND)).end is PartEnd.FORGOTTEN
        assert await holds(stand, MASTER)


async def test_silence_after_the_last_part_is_a_fault_and_not_repeated(autojump_clock: MockClock) -> None:
    """The reply is lost: which key is in the pad is unknown, the slot says so, and 23 was sent once for each part."""
    async with stand_with_parts(component_s_max=30.0) as stand:
        await typed(stand, MASTER_0, 1, FIRST)
        with pytest.raises(DeviceFault) as caught:
            await while_asking(stand, 2, lambda: stand.pad.faults.add("silent"))
        assert caught.value.health.condition is Condition.UNKNOWN
        assert list(stand.pad.commands).count(0x23) == 2


async def test_a_pad_that_tells_digits_is_put_out_of_service(autojump_clock: MockClock) -> None:
    """One digit in clear on the line ends the entry, empties the pad and closes the slot."""
    async with stand_with_parts() as stand:
        with pytest.raises(DeviceFault, match="plain_mode_stuck"):
            await while_asking(stand, 1, lambda: stand.pad.wire(b"7"))
        assert not stand.pad.lit
        assert stand.reports[-1].reason == "plain_mode_stuck"


async def test_a_false_check_value_is_handed_on_as_it_is(autojump_clock: MockClock) -> None:
    """Whether it is right is for two people with a paper to say."""
    async with stand_with_parts() as stand:
        stand.pad.faults.add("wrong_kcv")
        await typed(stand, MASTER_0, 1, FIRST)
        told = await typed(stand, MASTER_0, 2, SECOND)
        assert told == PartAnswer(PartEnd.IN, bytes(byte ^ 0xFF for byte in VALUE))


def test_a_master_key_does_no_more_than_tell_its_check_value() -> None:
    """With the master key itself the simulated pad enciphers eight zeros; nothing else, and it never deciphers."""
    pad = Simulator({0: MASTER}, expand=False)
    heard = bytearray()
    pad.wire = heard.extend

    def status(*body: int) -> int:
        heard.clear()
        check = len(body)
        for byte in body:
            check ^= byte
        pad.receive(bytes((2, len(body), *body, check, 3)))
        return heard[2]

    assert [status(0x46, 1, 0x70), status(0x43, 0, 0)] == [4, 4]
    assert status(0x36, *range(8)) == status(0x37, *bytes(8)) == status(0x41, *bytes(8)) == 0x15
    assert (status(0x36, *bytes(8)), bytes(heard[3:7])) == (4, OLD_VALUE)


async def test_over_a_pty(tmp_path: Path) -> None:
    """The same over a serial line in real time, the driver found by its entry point."""
    async with pad_on_pty(tmp_path / "pad", component_entry=True, reply_s_max=0.3) as stand:
        assert await typed(stand, MASTER_0, 1, FIRST) == PartAnswer(PartEnd.IN)
        assert await typed(stand, MASTER_0, 2, SECOND) == PartAnswer(PartEnd.IN, VALUE)


async def test_a_pad_offers_it_only_where_its_settings_say_so(autojump_clock: MockClock) -> None:
    """Without ``component_entry`` the driver has no such verb; with it, it still imports wrapped keys."""
    async with pad_on_wire() as stand:
        assert not isinstance(stand.driver, TakesComponents)
    async with stand_with_parts() as stand:
        assert isinstance(stand.driver, TakesComponents) and isinstance(stand.driver, ImportsKeys)


@pytest.mark.parametrize(
    "wrong",
    [{"component_digits": 31}, {"component_s_max": 5.0}, {"component_letters": "x" * 21}, {"component_entry": 1}],
)
def test_options_out_of_range(wrong: dict[str, object]) -> None:
    """Each option has its range."""
    with pytest.raises(OptionError):
        pad_settings({"path": "p", **wrong})


def test_production_refuses_what_is_invented(tmp_path: Path) -> None:
    """What these commands answer rests on no public text (pins-and-keys 10)."""
    context = DeviceContext("pin_pad", lambda health: None, JsonLog(io.StringIO()), tmp_path, production=True)
    with pytest.raises(OptionError, match="component_entry is INVENTED"):
        open_device({"path": "p", "mode_readback": False, "component_entry": True}, context)
