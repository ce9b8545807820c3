"""The KMY driver is a PIN pad as the house understands it, in two framings."""

from tests.conformance.pin_pad_suite import PinPadSuite
from tests.pad_stand import MASTER, Simulator


class TestKmyHexExpanded(PinPadSuite):
    name = "kmy"
    options = {"reply_s_max": 0.3}  # noqa: RUF012 - a constant of the suite

    def pad(self) -> Simulator:
        return Simulator({0: MASTER})


class TestKmyRaw(PinPadSuite):
    name = "kmy"
    options = {"reply_s_max": 0.3, "expand": "raw", "etx": False}  # noqa: RUF012 - a constant of the suite

    def pad(self) -> Simulator:
        return Simulator({0: MASTER}, expand=False, etx=False)
