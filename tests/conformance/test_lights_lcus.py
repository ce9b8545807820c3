"""The LCUS driver keeps the port's promises."""

from collections.abc import Callable

from drivers.lights.lcus.driver import LcusLights, LcusSettings
from drivers.transport.line import Line
from kiosk.ports import DeviceContext, Place
from simulators.devices.lcus import LcusBoard
from tests.conformance.lights_suite import LightsSuite

PLACES = dict(enumerate(Place, 1))


class TestLcus(LightsSuite):
    def board(self) -> LcusBoard:
        return LcusBoard()

    def driver(self, context: DeviceContext, open_line: Callable[[], Line]) -> LcusLights:
        return LcusLights(LcusSettings(), context, open_line)

    def lit(self, board: LcusBoard) -> frozenset[Place]:
        return frozenset(PLACES[relay] for relay in board.lit)
