"""The LCDM driver keeps the port's promises."""

from collections.abc import Callable

from drivers.cash_module.puloon.driver import PuloonDispenser as Driver
from drivers.cash_module.puloon.driver import PuloonSettings
from drivers.transport.line import Line
from kiosk.ports import DeviceContext
from simulators.devices.puloon import PuloonDispenser
from tests.conformance.cash_module_suite import Paying


class TestLcdm(Paying):
    pays = 100

    def device(self) -> PuloonDispenser:
        return PuloonDispenser()

    def driver(self, context: DeviceContext, open_line: Callable[[], Line]) -> Driver:
        return Driver(PuloonSettings(), context, open_line)
