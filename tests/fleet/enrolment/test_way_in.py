"""What the agent's root puts together: two places with one identity, wishes to a privileged unit, a key in a token."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from kiosk.agent.enrolment import LOOK_S, WayIn
from kiosk.basics.control import kiosk_path, serve_control
from kiosk.settings.agent_rules import AgentRules, TokenRules
from kiosk.settings.config import Settings
from provisioning.terminal.disk import Disk
from provisioning.terminal.house import House
from provisioning.terminal.poll import Heard
from provisioning.terminal.privileged import NoPrivileged, Privileged, PrivilegedFolder
from simulators.tokens import softhsm

NOW = datetime(2027, 1, 15, 8, tzinfo=UTC)


def way_in(folder: Path, privileged: Privileged, **rules: Any) -> WayIn:
    (folder / "agent" / "identity").mkdir(parents=True)
    agent = AgentRules(home=str(folder / "agent"), serial="SN-0000001", url="https://fleet.example", ca="ca", **rules)
    settings = Settings(run_dir=str(folder), data_dir=str(folder), agent=agent)
    return WayIn(settings, Disk(), privileged, lambda event, **fields: None)


async def test_a_terminal_in_doubt_takes_no_money(tmp_path: Path, mock_clock: trio.testing.MockClock) -> None:
    """Told that two places speak as it, the agent takes its kiosk out of service, once; people bring it back, and when
    a second copy speaks later, it is taken out again."""
    told: list[str] = []
    way, heard = way_in(tmp_path, NoPrivileged()), Heard()

    def note(command: str) -> str:
        told.append(command)
        return "done"

    async with trio.open_nursery() as nursery:
        await nursery.start(serve_control, kiosk_path(str(tmp_path)), {}, {"out_of_service": note})
        house = House(str(tmp_path), str(tmp_path))
        nursery.start_soon(way.keep_certificate, heard, lambda: False, house)
        for refused in ("", "in_doubt", "in_doubt", "", "in_doubt"):
            heard.refused = refused
            await trio.testing.wait_all_tasks_blocked()
            mock_clock.jump(LOOK_S)
            for _ in range(200):
                await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert told == ["in_doubt", "in_doubt"]
    assert [row.what for row in way.enrolment.record.rows()] == ["in_doubt"]


@pytest.mark.parametrize("answer", ["done", "refused"])
async def test_a_wish_sets_the_boards_clock(tmp_path: Path, answer: str) -> None:
    """The privileged unit reads the moment and says whether the clock stands there; refused, the agent goes on."""
    wishes = tmp_path / "wishes"
    wishes.mkdir()
    way = way_in(tmp_path, PrivilegedFolder(wishes, Disk()))

    async def unit() -> None:
        while not (wishes / "clock.wish").exists():
            await trio.sleep(0.01)
        assert json.loads((wishes / "clock.wish").read_text()) == {"command": "2027-01-15T08:00:00.000+00:00"}
        (wishes / f"clock.{answer}").write_text("no battery")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(unit)
        assert await way.clock.set_clock(NOW) is (answer == "done")


async def test_without_a_privileged_unit_nothing_is_wished(tmp_path: Path) -> None:
    """The clock stays where it is, and so does the network, which then only leads somewhere or not."""
    way = way_in(tmp_path, NoPrivileged())
    assert await way.clock.set_clock(NOW) is False
    await way.enrolment.networks.try_out({"proxy": "proxy:3128"})
    assert way.way.proxy() == "proxy:3128"


async def test_a_key_in_a_token_goes_through_the_tunnel(tmp_path: Path) -> None:
    """The settings' table is all it takes; the file of the tunnel follows what there is to show."""
    kept = softhsm(tmp_path / "k")
    rules = TokenRules(
        module=kept.module, label=kept.label, pin_file=str(kept.pin_file), environment=dict(kept.environment)
    )
    way = way_in(tmp_path, NoPrivileged(), token=rules)
    await way.enrolment.prepare()
    settings = way.way.settings(way.enrolment.address(), known=False)
    assert (settings.tunnel, settings.private_key) == (str(tmp_path / "agent" / "tunnel" / "enrol.sock"), "")
    written = (tmp_path / "agent" / "tunnel" / "stunnel.conf").read_text()
    assert ("[enrol]" in written, "[fleet]" in written) == (True, False)
    assert not way.identity.key_file.exists()
