"""For tests that wait for a whole terminal: they fail where nothing moves any more, not where a machine is slow."""

import subprocess
import sys
import time
from dataclasses import dataclass, field

import pytest

FREE_MACHINE_S = 2.0  # what the line below takes where nothing else runs
START = "import kiosk.agent.agent, kiosk.app, kiosk.forwarder.forward"


def slowness() -> float:
    """How many times longer than on a free machine a process takes to start here just now; at least 1. The product's
    own limits, which the settings of a test shorten, are to be as many times longer."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", START], check=True)
    return max(1.0, (time.monotonic() - began) / FREE_MACHINE_S)


@dataclass
class Standstill:
    """Fails the test once what is shown to it has been the same for ``still_s`` seconds."""

    still_s: float
    _last: object = field(default=None, init=False)
    _since: float = field(default_factory=time.monotonic, init=False)

    def see(self, now: object, why: str) -> None:
        """``now``: everything that says how far it is, and nothing that moves by itself."""
        if now != self._last:
            self._last, self._since = now, time.monotonic()
        elif time.monotonic() - self._since > self.still_s:
            pytest.fail(f"{why}; for {self.still_s:.0f} s nothing has moved: {now}")
