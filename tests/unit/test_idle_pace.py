"""How often devices at rest are asked: what an idle terminal computes is the sum of these wake-ups."""

from functools import partial
from pathlib import Path

import trio
from trio.testing import MockClock

from drivers.cash_module.ccnet.validator import CcnetSettings
from drivers.cash_module.ccnet.validator import CcnetValidator as Driver
from simulators.devices.ccnet import CcnetValidator as Simulator
from tests.cash_stand import cash_stand
from tests.receipt_stand import printer_on_wire

MINUTE_S = 60.0
QUESTION_BYTES = 3  # DLE EOT n


class Heard(Simulator):
    """A validator that counts what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.chunks = 0

    def receive(self, chunk: bytes) -> None:
        self.chunks += 1
        super().receive(chunk)


async def test_a_receipt_printer_is_asked_every_four_seconds(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Two questions about its health each time, and nothing else while no receipt is wanted."""
    async with printer_on_wire(tmp_path) as stand:
        before = len(stand.sent)
        await trio.sleep(MINUTE_S)
        assert 0 < len(stand.sent) - before <= 2 * QUESTION_BYTES * (MINUTE_S / 4 + 1)


async def test_a_cash_module_at_rest_is_asked_every_two_seconds(autojump_clock: MockClock) -> None:
    """A question and an acknowledgement each time."""
    device = Heard()
    async with cash_stand(partial(Driver, CcnetSettings()), device):
        await trio.sleep(MINUTE_S)
        before = device.chunks
        await trio.sleep(MINUTE_S)
        assert 0 < device.chunks - before <= 2 * (MINUTE_S / 1.8 + 1)
