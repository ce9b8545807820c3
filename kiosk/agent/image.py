"""Put together for the agent's root: the image of a machine that has two slots."""

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from kiosk.ports import Log
from kiosk.settings.agent_rules import AgentRules
from offline_queue.layout import BACK_TO, LAYOUT
from provisioning.rules.releases import Journal
from provisioning.terminal.disk import Disk
from provisioning.terminal.house import House
from provisioning.terminal.privileged import Privileged
from provisioning.terminal.updates.application import BuiltIn
from provisioning.terminal.updates.booted import read_booted
from provisioning.terminal.updates.image import ImageInstaller
from provisioning.terminal.updates.image_gate import ImageGate
from provisioning.terminal.updates.rauc import Rauc

GATE_TIMES = 3  # a machine starts anew, not a process


def built_in() -> BuiltIn:
    """What this program is and writes."""
    return BuiltIn(version("yikatong"), Journal(layout=LAYOUT, back_to=BACK_TO))


def open_image(
    rules: AgentRules, house: House, privileged: Privileged, heard: Callable[[], bool], log: Log
) -> ImageGate | None:
    """None: no machine with two slots, or none that may be started anew from here. Raises OSError."""
    booted = read_booted()
    if booted is None or not privileged.is_there:
        return None
    image = ImageInstaller(Path(rules.home) / "image", Disk(), booted, Rauc(), built_in().journal)
    image.settle()

    async def reboot(word: str) -> None:
        await privileged.wish("reboot", word)

    return ImageGate(house, image, reboot, heard, log, rules.gate_s_max * GATE_TIMES)
