"""The eSSP driver keeps the port's promises, as a plain validator and with a payout store."""

from collections.abc import Callable

from drivers.cash_module.ssp.driver import SspModule as Driver
from drivers.cash_module.ssp.driver import SspSettings
from drivers.transport.line import Line
from kiosk.ports import DeviceContext
from simulators.devices.ssp import SspModule
from tests.conformance.cash_module_suite import Accepting, Paying


class SspDriver:
    def driver(self, context: DeviceContext, open_line: Callable[[], Line]) -> Driver:
        return Driver(SspSettings(), context, open_line, random_bits=lambda bits: 1234567)


class TestValidator(SspDriver, Accepting):
    def device(self) -> SspModule:
        return SspModule()


class TestStoreAccepts(SspDriver, Accepting):
    def device(self) -> SspModule:
        return SspModule(store=True)


class TestStorePays(SspDriver, Paying):
    def device(self) -> SspModule:
        device = SspModule(store=True)
        device.load(10, 12)
        return device
