"""What tests of the glass share."""

import os
import subprocess
from collections.abc import Iterator

import pytest


@pytest.fixture
def x_server() -> Iterator[str]:
    """Name of a display that blanks after ten minutes, as X servers do by themselves."""
    reading, writing = os.pipe()
    # -noreset: on a terminal the kiosk's window keeps the server from beginning anew.
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "320x200x24", "-nolisten", "tcp", "-noreset"]
    process = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as told:
        number = told.readline().strip()
    yield f":{number}"
    process.terminate()
    process.wait(timeout=10)
