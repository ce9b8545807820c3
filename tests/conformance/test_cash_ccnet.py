"""The CCNET drivers keep the port's promises."""

from collections.abc import Callable

from drivers.cash_module.ccnet.recycler import CcnetBillToBill as RecyclerDriver
from drivers.cash_module.ccnet.validator import CcnetSettings
from drivers.cash_module.ccnet.validator import CcnetValidator as ValidatorDriver
from drivers.transport.line import Line
from kiosk.ports import DeviceContext
from simulators.devices.ccnet import CcnetValidator
from simulators.devices.ccnet_recycler import CcnetBillToBill
from tests.conformance.cash_module_suite import Accepting, Paying


class TestValidator(Accepting):
    def device(self) -> CcnetValidator:
        return CcnetValidator()

    def driver(self, context: DeviceContext, open_line: Callable[[], Line]) -> ValidatorDriver:
        return ValidatorDriver(CcnetSettings(), context, open_line)


class TestBillToBillAccepts(Accepting):
    """Without room in its cassettes, so that every note lies in the cash box."""

    def device(self) -> CcnetBillToBill:
        device = CcnetBillToBill()
        device.cassettes = []
        return device

    def driver(self, context: DeviceContext, open_line: Callable[[], Line]) -> RecyclerDriver:
        return RecyclerDriver(CcnetSettings(unit="bill_to_bill"), context, open_line)


class TestBillToBillPays(Paying):
    def device(self) -> CcnetBillToBill:
        device = CcnetBillToBill()
        device.load(10, 12)
        return device

    def driver(self, context: DeviceContext, open_line: Callable[[], Line]) -> RecyclerDriver:
        return RecyclerDriver(CcnetSettings(unit="bill_to_bill"), context, open_line)
