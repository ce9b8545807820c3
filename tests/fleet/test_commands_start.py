"""Each command of the fleet's server starts in a process of its own, as somebody types it."""

import subprocess
import sys

import pytest

from provisioning.fleet.__main__ import COMMANDS

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_starts_alone(name: str) -> None:
    """Whatever it loads first: modules that need each other are found here, and not by who stands at a dead board."""
    command = [sys.executable, "-m", "provisioning.fleet", name, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
