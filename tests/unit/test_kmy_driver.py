"""The KMY driver against its simulated pad: what it does, and every fault."""

import pytest
import trio
from psec import des
from trio.testing import MockClock

from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceFault, PadKey
from simulators.devices.kmy import KmyPad as Simulator
from tests.pad_stand import (
    FOUR_TO_SIX,
    MASTER,
    PAN12,
    PIN_KEY,
    SIX_DIGITS,
    expected_block,
    pad_on_wire,
    wrapped,
)


async def test_unionpay_mac_of_the_published_example(autojump_clock: MockClock) -> None:
    """The pad's ECB MAC over the published blocks is the published field."""
    blocks = (
        "0200302004C020C0981100000000000000005100183402100006324392260009942820D1312101120084393136363838"
        "303134303030303030303030303030303031313536ACF46E73838A82F926000000000000000008220000010000000000"
    )
    pad = Simulator({0: bytes.fromhex("70F2A84CCBC2AE8625CBB0F2C22AB923")})
    async with pad_on_wire(pad, mac_algorithm="unionpay") as stand:
        await stand.driver.load_work_key(0, 1, bytes.fromhex("96D605EA176B7E9E"))
        assert (await stand.driver.mac(0, 1, bytes.fromhex(blocks))).hex() == "3841394539314238"


async def test_every_key_of_the_pad_answers_questions(autojump_clock: MockClock) -> None:
    """Outside PIN entry each key on the front comes out as the glossary's key, in order."""
    async with pad_on_wire() as stand:
        keys = list(PadKey)

        async def press() -> None:
            for key in keys:
                await stand.until(lambda: stand.pad.mode == 1)
                stand.pad.press(key.value)
                await trio.sleep(0.1)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(press)
            assert [await stand.driver.next_key() for _ in keys] == keys


async def test_eight_keys_wait_and_can_be_forgotten(autojump_clock: MockClock) -> None:
    """Between two questions up to eight keys wait, the ninth is dropped, and forgetting drops them all."""
    async with pad_on_wire() as stand:
        with trio.move_on_after(1):
            await stand.driver.next_key()
        for digit in "1234567890":
            stand.pad.press(digit)
        await trio.sleep(0.1)
        assert [(await stand.driver.next_key()).digit for _ in range(8)] == [1, 2, 3, 4, 5, 6, 7, 8]
        stand.pad.press("enter")
        await trio.sleep(0.1)
        stand.driver.forget_keys()
        stand.pad.press("clear")
        assert await stand.driver.next_key() is PadKey.CLEAR


async def test_a_waiting_question_gets_its_keys_back_after_a_pin_entry(autojump_clock: MockClock) -> None:
    """A PIN entry in between takes the keypad and gives it back."""
    async with pad_on_wire() as stand:
        await stand.load_keys()
        heard: list[PadKey] = []

        async def ask() -> None:
            heard.append(await stand.driver.next_key())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await stand.until(lambda: stand.pad.mode == 1)
            assert await stand.enter("246810") == expected_block("246810")
            assert heard == []
            await stand.until(lambda: stand.pad.mode == 1)
            stand.pad.press("enter")
        assert heard == [PadKey.ENTER]


async def test_corrected_digits_count_down(autojump_clock: MockClock) -> None:
    """Clear takes the last digit back, on the pad and in the count."""
    async with pad_on_wire() as stand:
        await stand.load_keys()
        assert await stand.enter("24", "clear", *"46810", "enter") == expected_block("246810")
        assert stand.stars == [0, 1, 2, 1, 2, 3, 4, 5, 6]


async def test_a_shorter_pin_ends_with_enter(autojump_clock: MockClock) -> None:
    """Where lengths vary the pad waits for Enter."""
    async with pad_on_wire() as stand:
        await stand.load_keys()
        assert await stand.enter("2468", "enter", template=FOUR_TO_SIX) == expected_block("2468")


@pytest.mark.parametrize("last", ["cancel", "timeout"])
async def test_an_entry_that_is_not_finished_yields_nothing(last: str, autojump_clock: MockClock) -> None:
    """Cancel and time-out give None, and the pad is idle and dark afterwards."""
    async with pad_on_wire() as stand:
        await stand.load_keys()
        assert await stand.enter("246", *(["cancel"] if last == "cancel" else [])) is None
        assert (stand.pad.mode, stand.pad.lit) == (0, False)


async def test_a_cancelled_task_leaves_the_pad_dark(autojump_clock: MockClock) -> None:
    """A session that ends while a PIN is typed does not leave the pad asking for it."""
    async with pad_on_wire() as stand:
        await stand.load_keys()
        with trio.move_on_after(5):
            await stand.driver.pin_block(0, 0, PAN12, SIX_DIGITS, stand.progress)
        assert (stand.pad.mode, stand.pad.lit) == (0, False)
        assert await stand.enter("246810") == expected_block("246810")


async def test_a_shutdown_while_a_pin_is_typed_is_clean(autojump_clock: MockClock) -> None:
    """When everything is cancelled at once nothing raises, no fault is reported, and the pad goes dark."""
    async with pad_on_wire() as stand:
        await stand.load_keys()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stand.driver.pin_block, 0, 0, PAN12, SIX_DIGITS, stand.progress)
            nursery.start_soon(stand.driver.next_key)
            await stand.type("24")
            stand.running.cancel()
            nursery.cancel_scope.cancel()
        await stand.over.wait()
        await stand.until(lambda: not stand.pad.lit)
        assert stand.fault is None
        assert stand.reports == [Health(Condition.READY)]


@pytest.mark.parametrize("word", ["battery_low", "master_key_lost"])
async def test_a_warning_is_a_success(word: str, autojump_clock: MockClock) -> None:
    """A4 and C4 mean done: the slot is degraded, the resident is served."""
    pad = Simulator({0: MASTER})
    pad.faults.add(word)
    reason = {"battery_low": "battery_low", "master_key_lost": "master_key_invalid"}[word]
    async with pad_on_wire(pad) as stand:
        assert stand.reports[-1] == Health(Condition.DEGRADED, reason)
        stand.pad.faults.clear()
        await trio.sleep(60)
        assert stand.reports[-1] == Health(Condition.READY)


@pytest.mark.parametrize(("fault", "reason"), [("battery_dead", "battery_dead"), ("locked", "self_test_other")])
async def test_a_pad_that_refuses_everything_is_out_of_service(
    fault: str, reason: str, autojump_clock: MockClock
) -> None:
    """D5 and F0 to F7 are faults at start and also later."""
    pad = Simulator({0: MASTER})
    async with pad_on_wire(pad) as stand:
        await stand.load_keys()
        pad.faults.add(fault)
        with pytest.raises(DeviceFault, match=reason):
            await stand.driver.mac(0, 1, b"message")
        await stand.over.wait()
        assert stand.fault is not None and stand.fault.health == Health(Condition.FAULT, reason)
    async with pad_on_wire(pad) as stand:
        assert stand.fault is not None and stand.fault.health == Health(Condition.FAULT, reason)


async def test_without_its_master_key_the_pad_still_gives_keys(autojump_clock: MockClock) -> None:
    """B5 refuses the one command; the pad stays, because chip PINs and answers need no master key."""
    pad = Simulator({0: MASTER})
    async with pad_on_wire(pad) as stand:
        pad.faults.add("master_key_lost")
        with pytest.raises(DeviceFault, match="master_key_invalid"):
            await stand.driver.load_work_key(0, 0, wrapped(PIN_KEY))
        assert stand.reports[-1] == Health(Condition.DEGRADED, "master_key_invalid")
        assert stand.fault is None


async def test_silence_is_unknown_and_ends_after_three_tries(autojump_clock: MockClock) -> None:
    """A silent pad is UNKNOWN, asked as often as the settings say, and then given to the supervisor."""
    pad = Simulator({0: MASTER})
    async with pad_on_wire(pad) as stand:
        pad.faults.add("silent")
        asked = len(pad.commands)
        with pytest.raises(DeviceFault, match="unknown silent"):
            await stand.driver.load_work_key(0, 0, wrapped(PIN_KEY))
        assert list(pad.commands)[asked:] == [0x46] * 3
        await stand.over.wait()
        assert stand.reports[-1] == Health(Condition.UNKNOWN, "silent")


async def test_an_idle_pad_that_falls_silent_is_noticed(autojump_clock: MockClock) -> None:
    """Nobody asks anything, and still the heartbeat finds out."""
    async with pad_on_wire() as stand:
        stand.pad.faults.add("silent")
        with trio.fail_after(60):
            await stand.over.wait()
        assert stand.fault is not None and stand.fault.health == Health(Condition.UNKNOWN, "silent")


async def test_a_power_cut_is_found_and_the_keypad_put_on_again(autojump_clock: MockClock) -> None:
    """After its power came back the pad is off; a question that waits gets its keys again without a restart."""
    async with pad_on_wire() as stand:
        heard: list[PadKey] = []

        async def ask() -> None:
            heard.append(await stand.driver.next_key())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await stand.until(lambda: stand.pad.mode == 1)
            stand.pad.power_cut()
            await stand.until(lambda: stand.pad.mode == 1, limit_s=60)
            stand.pad.press("enter")
        assert heard == [PadKey.ENTER]
        assert "pin_pad_restarted" in stand.log.getvalue()


async def test_a_false_check_value_is_handed_on_as_it_is(autojump_clock: MockClock) -> None:
    """The driver does not judge a check value: whoever sent the key compares."""
    pad = Simulator({0: MASTER})
    pad.faults.add("wrong_kcv")
    async with pad_on_wire(pad) as stand:
        assert await stand.driver.load_work_key(0, 0, wrapped(PIN_KEY)) != des.generate_kcv(PIN_KEY, 4)


async def test_plain_mode_left_on_is_forced_off_at_start(autojump_clock: MockClock) -> None:
    """A crash may have left the pad in plain mode; the next start ends it before the slot is ready."""
    pad = Simulator({0: MASTER})
    pad.mode = 3
    async with pad_on_wire(pad) as stand:
        assert (stand.fault, pad.mode) == (None, 0)


async def test_a_pad_stuck_in_plain_mode_never_becomes_ready(autojump_clock: MockClock) -> None:
    """A pad that says ok and stays in plain mode is out of service."""
    pad = Simulator({0: MASTER})
    pad.mode = 3
    pad.faults.add("plain_stuck")
    async with pad_on_wire(pad) as stand:
        assert stand.fault is not None and stand.fault.health == Health(Condition.FAULT, "plain_mode_stuck")
        assert Health(Condition.READY) not in stand.reports


async def test_clear_digits_in_secure_entry_end_it(autojump_clock: MockClock) -> None:
    """A pad that falls into plain mode during an entry is taken out of service at the first clear digit."""
    async with pad_on_wire() as stand:
        await stand.load_keys()

        async def fall_open() -> None:
            await stand.until(lambda: stand.pad.lit)
            stand.pad.mode = 3
            stand.pad.press("7")

        with trio.fail_after(30):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(fall_open)
                with pytest.raises(DeviceFault, match="plain_mode_stuck"):
                    await stand.driver.pin_block(0, 0, PAN12, SIX_DIGITS, stand.progress)
        assert stand.pad.mode == 0


@pytest.mark.parametrize("wrong", [False, True])
async def test_the_forbidden_decrypt_is_tried(wrong: bool, autojump_clock: MockClock) -> None:
    """A good pad refuses command 37 under the PIN key; one that answers is found out."""
    async with pad_on_wire() as stand:
        await stand.load_keys()
        if wrong:
            stand.pad.faults.add("decrypts")
        assert await stand.driver.answers_forbidden_decrypt() is wrong


async def test_a_simulator_can_be_refused(autojump_clock: MockClock) -> None:
    """A production terminal takes no simulated pad."""
    async with pad_on_wire(refuse_simulator=True) as stand:
        assert stand.fault is not None and stand.fault.health.reason == "simulator_refused"


async def test_a_refused_parameter_is_the_callers_fault_and_ends_nothing(autojump_clock: MockClock) -> None:
    """A key that was never loaded cannot be used; the pad goes on."""
    async with pad_on_wire() as stand:
        with pytest.raises(DeviceFault, match="bad_parameter"):
            await stand.driver.mac(0, 1, b"message")
        await stand.load_keys()
        assert len(await stand.driver.mac(0, 1, b"message")) == 8


async def test_no_verb_works_before_the_line_is_open(autojump_clock: MockClock) -> None:
    """A driver whose ``run`` has ended answers with a fault and does not hang."""
    async with pad_on_wire() as stand:
        pass
    with pytest.raises(DeviceFault, match="not_open"):
        await stand.driver.next_key()
    with pytest.raises(DeviceFault, match="not_open"):
        await stand.driver.mac(0, 1, b"message")
