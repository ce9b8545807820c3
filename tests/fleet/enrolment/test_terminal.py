"""A bare terminal becomes this terminal: by phone, by stick, by its serial number; and through every power cut."""

import json
from pathlib import Path

import pytest
import trio.testing

from provisioning.fleet.enrolment import claims
from provisioning.fleet.enrolment.expected import Expected, preregister
from provisioning.fleet.enrolment.places import Seat
from provisioning.fleet.enrolment.requests import confirm
from provisioning.fleet.schema.terminals import Certificate, Terminal
from provisioning.rules.network import Network
from provisioning.terminal.enrolment.enrol import TRIAL_S_MAX
from tests.fleet.conftest import CITY
from tests.fleet.enrolment.asking import AT, Desk
from tests.fleet.enrolment.box import ANN, BOB, FLEET, NETWORK, Box, claim, steps
from tests.fleet.enrolment.conftest import ADMINISTRATOR, INSTALLER
from tests.fleet.enrolment.lines import Town
from tests.fleet.updates.cut_disk import CutDisk, PowerCut

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def box(desk: Desk, tmp_path: Path) -> Box:
    for signer in (ANN, BOB):
        claims.add_key(ADMINISTRATOR, signer.name, signer.key.public_key().public_bytes_raw(), AT)
    return Box(tmp_path / "terminal", Town(desk))


async def test_confirmed_on_a_phone(box: Box, hall: int) -> None:
    """The glass shows the code; once an operator confirmed its fingerprint, the terminal knows who it is."""
    enrolment = box.started()
    await enrolment.prepare()
    assert await enrolment.step() == 5
    assert (enrolment.standing.said, enrolment.standing.serial) == ("waiting", "SN-0000001")
    confirm(INSTALLER, enrolment.standing.fingerprint, "T0000007", hall, AT)
    await steps(enrolment)
    found = enrolment.known()
    assert found is not None
    assert (found[0].tenant, found[0].terminal_id, [*found[1].keys]) == (CITY, "T0000007", [CITY])
    assert enrolment.standing.said == "known"


async def test_a_stick_brings_claim_and_network(box: Box, hall: int) -> None:
    """Nobody is asked: the network is tried, the fleet is reached with it, so it is kept."""
    box.put_stick(claim(hall, network=NETWORK))
    enrolment = box.started()
    await enrolment.prepare()
    await steps(enrolment)
    assert enrolment.known() is not None
    assert (box.applied, enrolment.networks.trial, enrolment.networks.in_force) == (["0001"], None, "0001")
    assert "VLAN=vlan7" in (enrolment.networks.current / "10-yikatong.network").read_text()


async def test_a_stick_may_name_another_fleet(box: Box, hall: int) -> None:
    """Then its address and authority are used from the first question on, and after every start."""
    box.put_stick(claim(hall, fleet_url="https://city.example", fleet_ca="-----BEGIN CERTIFICATE-----"))
    enrolment = box.started()
    await enrolment.prepare()
    await steps(enrolment)
    assert {one.url for one in box.town.opened} == {"https://city.example"}
    box.town.desk.at_ms += 400 * 86_400_000
    assert box.started().address().url == "https://city.example"


async def test_a_network_that_leads_nowhere_gives_way_to_the_last_one(
    box: Box, hall: int, mock_clock: trio.testing.MockClock
) -> None:
    """After its time the last good network returns, the claim is put away, and the stick is not tried again."""
    box.put_stick(claim(hall, network=NETWORK, fleet_url="https://wrong.example", fleet_ca="no"))
    enrolment = box.started()
    await enrolment.prepare()
    box.town.reachable = False
    await enrolment.step()
    assert (enrolment.standing.said, box.applied) == ("trying_network", ["0001"])
    mock_clock.jump(TRIAL_S_MAX)
    await enrolment.step()
    assert (enrolment.standing.said, box.applied, enrolment.networks.in_force) == ("no_answer", ["0001", ""], "")
    box.town.reachable = True
    await enrolment.step()
    assert (enrolment.address(), enrolment.standing.said) == (FLEET, "waiting")
    assert ("network_not_kept", "") in box.happened()


async def test_registered_before_with_a_network(box: Box, hall: int) -> None:
    """Nothing is typed or confirmed; the network comes with the welcome and is tried before the welcome counts."""
    seat = Seat("SN-0000001", "T0000007", hall)
    preregister(INSTALLER, [Expected(seat=seat, network=Network(vlan=7))], AT)
    enrolment = box.started()
    await enrolment.prepare()
    await steps(enrolment)
    assert enrolment.known() is not None
    assert (box.applied, enrolment.networks.trial) == (["0001"], None)


async def test_a_network_of_the_welcome_that_leads_nowhere_is_not_kept(
    box: Box, hall: int, mock_clock: trio.testing.MockClock
) -> None:
    """The terminal goes on with the network by which it was enrolled, and says so in its record."""
    preregister(INSTALLER, [Expected(seat=Seat("SN-0000001", "T0000007", hall), network=Network(vlan=7))], AT)
    enrolment = box.started()
    await enrolment.prepare()
    while not box.applied:
        await enrolment.step()
    box.town.reachable = False
    await enrolment.step()
    mock_clock.jump(TRIAL_S_MAX)
    await enrolment.step()
    box.town.reachable = True
    await steps(enrolment)
    assert enrolment.known() is not None
    assert (box.applied, enrolment.networks.in_force) == (["0001", ""], "")


async def test_a_network_on_trial_has_two_starts(box: Box, hall: int) -> None:
    """Whoever pulls the plug on a wrong network finds the right one at the third start."""
    box.put_stick(claim(hall, network=NETWORK))
    box.town.reachable = False
    for _ in range(3):
        enrolment = box.started()
        await enrolment.prepare()
        await enrolment.step()
        (box.stick / "yikatong" / "claims" / "SN-0000001.json").unlink(missing_ok=True)
    assert (box.applied, enrolment.networks.in_force) == (["0001", "0001", ""], "")


@pytest.mark.parametrize("torn", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["before", "within"])
async def test_power_cut_at_every_effect_of_enrolment(box: Box, hall: int, torn: bool, tmp_path: Path) -> None:
    """Cut before or within each effect and started again, it becomes the same terminal, with one certificate, one key
    and one network, and nothing half of anything counts."""
    for at in range(1, 200):
        one = Box(tmp_path / f"cut-{at}", box.town, serial=f"SN-{at:07d}")
        facts = {"claim": f"{at:032x}", "serial": one.serial, "terminal_id": f"C{at:07d}"}
        one.put_stick(claim(hall, network=NETWORK, **facts))
        disk = CutDisk(at, torn)
        try:
            first = one.started(disk)
            await first.prepare()
            await steps(first)
        except PowerCut:
            pass
        after = one.started()
        await after.prepare()
        await steps(after)
        found = after.known()
        assert found is not None, f"cut at effect {at}"
        mine = Certificate.select().join(Terminal).where(Terminal.terminal_id == f"C{at:07d}")
        assert [row.fingerprint for row in mine] == [after.identity.fingerprint]
        assert (after.networks.trial, len(one.applied) >= 1) == (None, True)
        if disk.effects < at:
            assert at > 20
            return
    raise AssertionError("enrolment never came to its end")


async def test_the_keys_of_an_earlier_life_are_refused(box: Box, hall: int) -> None:
    """Wiped and enrolled again, a terminal asks anew whom to believe: a welcome that lies there still, of the same
    number, or of another city's terminal of that number, counts for nothing."""
    box.put_stick(claim(hall))
    enrolment = box.started()
    await enrolment.prepare()
    await steps(enrolment)
    path = box.home / "identity" / "welcome.json"
    told = json.loads(path.read_bytes())
    path.write_bytes(json.dumps({**told, "tenant": "elsewhere"}).encode())
    assert enrolment.known() is None
    path.write_bytes(json.dumps({**told, "keys": {"old": "00" * 32}}).encode())
    enrolment.identity.certificate.unlink()
    await steps(enrolment)
    known = enrolment.known()
    assert known is not None and known[1].keys == told["keys"]
