"""Updates of an emulated terminal by a real fleet: good, tampered with, and one that fails its health gate."""

from pathlib import Path

import pytest
import trio

from tests.appliance.authority import make_signer
from tests.appliance.disks import Built
from tests.appliance.machine import Hardware, machine
from tests.appliance.stage import NETWORK
from tests.appliance.updating import ENROLLED_S_MAX, NUMBER, SERIAL, Ci, made, prepared, until_ended, until_running
from tests.fleet.front import running_fleet

pytestmark = [pytest.mark.slow, pytest.mark.appliance, pytest.mark.emulated, pytest.mark.timeout(3600)]

PAYLOAD_AT = 5 << 20  # well inside of the packed root


@pytest.mark.longest(1500)
async def test_update_by_the_fleet(image: Built, bench: Path) -> None:
    """v1 becomes v2; v2 with three changed bytes is refused; v3, whose kiosk cannot start, returns to v2 by itself."""
    signer = make_signer(bench / "signer")
    async with running_fleet(bench, expect=f"{SERIAL}={NUMBER}", people=True) as (fleet, _):
        plan = fleet.plan
        ci = await Ci.open(plan)
        disk = await trio.to_thread.run_sync(prepared, image, bench, plan, signer)
        async with machine(bench / "1", Hardware(disk, "raw", network=NETWORK)) as computer:
            changed = tampered(await trio.to_thread.run_sync(made, image, bench, "1.9.0", signer))
            await until_running(ci, computer, "1.0.0", ENROLLED_S_MAX)
            await ci.offer("1.9.0", changed)
            await until_ended(ci, computer, "refused: not_installed")
            assert ci.running == "1.0.0"
            # The next one takes the same way: what was refused was refused for its bytes.
            await ci.offer("2.0.0", await trio.to_thread.run_sync(made, image, bench, "2.0.0", signer))
            await until_ended(ci, computer, "installed: image-2.0.0.raucb")
            await until_running(ci, computer, "2.0.0", ENROLLED_S_MAX)
            await ci.offer("3.0.0", await trio.to_thread.run_sync(made, image, bench, "3.0.0", signer))
            await until_ended(ci, computer, "returned: ")
            await until_running(ci, computer, "2.0.0", ENROLLED_S_MAX)
            assert [one for one in ci.report["troubles"] if one.startswith("image 3.0.0 ")], ci.report["troubles"]


def tampered(bundle: bytes) -> bytes:
    """Its signature holds, for it is of a sum of sums; what lies below is found out while it is read."""
    three = bytes(byte ^ 0xFF for byte in bundle[PAYLOAD_AT : PAYLOAD_AT + 3])
    return bundle[:PAYLOAD_AT] + three + bundle[PAYLOAD_AT + 3 :]
