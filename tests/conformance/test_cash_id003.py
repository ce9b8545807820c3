"""The ID-003 driver keeps the port's promises."""

from collections.abc import Callable

from drivers.cash_module.id003.driver import Id003Settings
from drivers.cash_module.id003.driver import Id003Validator as Driver
from drivers.transport.line import Line
from kiosk.ports import DeviceContext
from simulators.devices.id003 import Id003Validator
from tests.conformance.cash_module_suite import Accepting


class TestId003(Accepting):
    def device(self) -> Id003Validator:
        return Id003Validator()

    def driver(self, context: DeviceContext, open_line: Callable[[], Line]) -> Driver:
        return Driver(Id003Settings(), context, open_line)
