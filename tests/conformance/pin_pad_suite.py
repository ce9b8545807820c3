"""What every driver for the slot ``pin_pad`` must do, whoever wrote it. Over a pty, found by its entry point.

To judge a driver of your own: subclass, name your entry point, and give your pad's simulator. The simulator offers
``press(name)`` with the values of ``PadKey``, ``lit`` (it asks for a PIN), ``mode`` (1 while keys are reported) and a
set ``faults`` that knows ``silent``; it holds the TEST master key of ``tests.pad_stand`` as number 0.
"""

import io
import json
from pathlib import Path

import pytest
import trio
from psec import des, mac

from drivers.registry import find_driver
from kiosk.basics.log import JsonLog
from kiosk.domain.card import PinTemplate
from kiosk.domain.health import Condition
from kiosk.ports import DeviceContext, DeviceFault, PadKey
from tests.pad_stand import (
    FOUR_TO_SIX,
    MAC_KEY,
    MASTER,
    PAN12,
    PIN_KEY,
    SIX_DIGITS,
    Simulator,
    expected_block,
    pad_on_pty,
    wrapped,
)


class PinPadSuite:
    name: str  # of the entry point
    options: dict[str, object] = {}  # noqa: RUF012 - a constant that subclasses replace

    def pad(self) -> Simulator:
        raise NotImplementedError

    def stand(self, tmp_path: Path):  # type: ignore[no-untyped-def] # an async context manager of Stand
        return pad_on_pty(tmp_path / "pad", self.pad(), self.name, **self.options)

    async def test_it_becomes_ready_and_has_a_serial_number(self, tmp_path: Path) -> None:
        """Once ``run`` reports started the slot is READY and the pad has said who it is."""
        async with self.stand(tmp_path) as stand:
            assert [health.condition for health in stand.reports] == [Condition.READY]
            assert stand.driver.serial

    async def test_keys_answer_questions(self, tmp_path: Path) -> None:
        """Keys come one by one in the order pressed; forgotten keys never come."""
        async with self.stand(tmp_path) as stand:
            heard: list[PadKey] = []

            async def ask() -> None:
                for _ in range(3):
                    heard.append(await stand.driver.next_key())

            async with trio.open_nursery() as nursery:
                nursery.start_soon(ask)
                await stand.until(lambda: stand.pad.mode == 1)
                for key in ("5", "clear", "enter"):
                    stand.pad.press(key)
            assert heard == [PadKey.DIGIT_5, PadKey.CLEAR, PadKey.ENTER]

    async def test_check_values_are_those_of_the_key(self, tmp_path: Path) -> None:
        """A working key given as cryptogram answers with the first four bytes of zeros under it."""
        async with self.stand(tmp_path) as stand:
            assert await stand.driver.load_work_key(0, 0, wrapped(PIN_KEY)) == des.generate_kcv(PIN_KEY, 4)

    async def test_a_pin_block_is_right_and_only_counts_are_told(self, tmp_path: Path) -> None:
        """The block is ISO 9564 format 0 under the working key; meanwhile only numbers of digits come out."""
        async with self.stand(tmp_path) as stand:
            await stand.load_keys()
            assert await stand.enter("739105") == expected_block("739105")
            assert stand.stars == [0, 1, 2, 3, 4, 5, 6]
            assert await stand.enter("7391", "enter", template=FOUR_TO_SIX) == expected_block("7391")

    async def test_cancel_gives_none_and_leaves_the_pad_idle(self, tmp_path: Path) -> None:
        """A cancelled entry is no fault, and the next one works."""
        async with self.stand(tmp_path) as stand:
            await stand.load_keys()
            assert await stand.enter("73", "cancel") is None
            assert not stand.pad.lit
            assert await stand.enter("739105") == expected_block("739105")

    async def test_an_abandoned_entry_leaves_the_pad_idle(self, tmp_path: Path) -> None:
        """When the task that asked is cancelled, the pad stops asking."""
        async with self.stand(tmp_path) as stand:
            await stand.load_keys()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(stand.driver.pin_block, 0, 0, PAN12, SIX_DIGITS, stand.progress)
                await stand.type("73")
                nursery.cancel_scope.cancel()
            assert not stand.pad.lit

    @pytest.mark.parametrize("length", [5, 8, 247])
    async def test_macs_of_every_length(self, tmp_path: Path, length: int) -> None:
        """From 5 to 247 bytes a MAC has 8 bytes and is psec's."""
        async with self.stand(tmp_path) as stand:
            await stand.load_keys()
            message = bytes(range(length))
            assert await stand.driver.mac(0, 1, message) == mac.generate_cbc_mac(MAC_KEY, message, 1)

    async def test_the_forbidden_decrypt_is_refused(self, tmp_path: Path) -> None:
        """A pad that may take bank PINs does not decrypt under its PIN key."""
        async with self.stand(tmp_path) as stand:
            await stand.load_keys()
            assert not await stand.driver.answers_forbidden_decrypt()

    async def test_an_unplugged_pad_is_absent_and_comes_back_on_a_fresh_object(self, tmp_path: Path) -> None:
        """Pulling the cable ends ``run`` and all that waits; after plugging in, a new object works."""
        async with self.stand(tmp_path) as stand:
            async with trio.open_nursery() as nursery:

                async def pull() -> None:
                    await stand.until(lambda: stand.pad.mode == 1)
                    stand.line.unplug()

                nursery.start_soon(pull)
                with pytest.raises(DeviceFault):
                    await stand.driver.next_key()
            with trio.fail_after(5):
                await stand.over.wait()
            assert stand.fault is not None and stand.fault.health.condition is Condition.ABSENT
        async with self.stand(tmp_path) as stand:
            assert stand.fault is None and stand.driver.serial

    async def test_a_pad_that_is_not_there_is_absent(self, tmp_path: Path) -> None:
        """Without a device behind the path ``run`` ends with ABSENT at once."""
        fault = await self._fault_of_another(tmp_path / "nowhere")
        assert fault.health.condition is Condition.ABSENT

    async def test_a_line_has_one_owner(self, tmp_path: Path) -> None:
        """A second driver on the same line is refused and the first goes on."""
        async with self.stand(tmp_path) as stand:
            fault = await self._fault_of_another(tmp_path / "pad")
            assert fault.health.condition is Condition.FAULT
            await stand.load_keys()

    async def _fault_of_another(self, path: Path) -> DeviceFault:
        """That of a second driver, which must not start."""
        context = DeviceContext("pin_pad", lambda health: None, JsonLog(io.StringIO()), path.parent)
        with trio.fail_after(20), pytest.raises(DeviceFault) as caught:
            await find_driver(self.name)({"path": str(path), **self.options}, context).run()
        return caught.value

    async def test_a_silent_pad_is_unknown_and_bounded(self, tmp_path: Path) -> None:
        """Silence ends in a fault within bounds, and the slot was UNKNOWN, never fine."""
        async with self.stand(tmp_path) as stand:
            stand.pad.faults.add("silent")
            with trio.fail_after(20), pytest.raises(DeviceFault):
                await stand.driver.load_work_key(0, 0, wrapped(PIN_KEY))
            assert stand.reports[-1].condition is Condition.UNKNOWN

    async def test_nothing_of_a_pin_or_key_is_logged_or_raised(self, tmp_path: Path) -> None:
        """No digit sequence, cryptogram or block is in any log line or fault, also not when things go wrong."""
        async with self.stand(tmp_path) as stand:
            await stand.load_keys()
            block = await stand.enter("739105739105", template=PinTemplate(12, 12, 60.0))
            stand.pad.faults.add("silent")
            faults = []
            for verb in (stand.driver.load_work_key(0, 0, wrapped(PIN_KEY)), stand.driver.next_key()):
                with pytest.raises(DeviceFault) as caught:
                    await verb
                faults += [repr(one) for one in (caught.value, caught.value.__cause__, caught.value.__context__)]
            said = stand.log.getvalue() + "".join(faults) + repr(stand.reports)
            assert all(json.loads(line) for line in stand.log.getvalue().splitlines())
            for secret in (b"739105", PAN12.encode(), MASTER, PIN_KEY, wrapped(PIN_KEY), block or b"?"):
                for form in (secret.hex(), secret.hex().upper(), secret.decode("latin-1"), repr(secret)):
                    assert form not in said
