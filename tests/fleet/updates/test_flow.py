"""Updates by a hawkBit-shaped server, from the offer to the feedback, in all weathers of house and line."""

import pytest

from provisioning.rules.update_window import Window
from simulators.hosts.hawkbit import Action
from tests.fleet.updates.bundles import bundle
from tests.fleet.updates.stand import TERMINAL, Terminal

NAME = "application-1.0.0.tar.gz"


def offered(terminal: Terminal, version: str = "1.0.0", **wishes: object) -> Action:
    """Signed, published and offered."""
    content = bundle(version)
    terminal.office.release(version, content)
    return terminal.hawkbit.offer(TERMINAL, version, f"application-{version}.tar.gz", content, **wishes)


async def test_update_is_installed_and_told(terminal: Terminal, autojump_clock: object) -> None:
    """An offered update is loaded, installed, tried and kept, and the server hears each step and its end."""
    action = offered(terminal)
    assert await terminal.tend() == 300.0
    assert (terminal.runs, terminal.installer.running()) == ("1.0.0", "1.0.0")
    assert terminal.installer.trial() is None
    assert action.told == ["proceeding", "downloaded", "proceeding", "closed"]
    assert action.status == "finished"
    assert terminal.events == [("loaded", "1.0.0"), ("installed", "1.0.0")]
    assert terminal.hawkbit.attributes[TERMINAL] == {"kind": "hall"}


async def test_sick_version_goes_back_by_itself(terminal: Terminal, autojump_clock: object) -> None:
    """A version whose kiosk is not well goes back at once; the server hears an error and why."""
    action = offered(terminal)
    terminal.sick = "the card reader does not open"
    await terminal.tend()
    assert terminal.installer.running() == "0.9.0"
    assert terminal.runs == "0.9.0"
    assert action.status == "error"
    assert action.history[-1]["status"]["details"] == ["returned: the card reader does not open"]
    assert terminal.restarts == ["application", "application"]


async def test_an_ended_action_is_not_done_again(terminal: Terminal, autojump_clock: object) -> None:
    """A server that forgot the end of an action hears it again; nothing is installed twice."""
    action = offered(terminal)
    await terminal.tend()
    action.status = "running"
    await terminal.tend()
    await terminal.tend()
    assert action.status == "finished"
    assert terminal.restarts == ["application"]


async def test_feedback_waits_for_the_line(terminal: Terminal, autojump_clock: object) -> None:
    """What is owed to the server is told in its order when the line is back, also after a new start."""
    action = offered(terminal, update="attempt")
    terminal.at(13)
    await terminal.tend()
    terminal.line.dark = True
    terminal.at(4, days=1)
    await terminal.tend()
    assert terminal.installer.running() == "1.0.0"
    assert action.status == "running"
    terminal.line.dark = False
    terminal.power_on()
    assert terminal.updates.busy
    await terminal.tend()
    assert action.status == "finished"
    assert not terminal.updates.busy


async def test_attempt_waits_for_the_night(terminal: Terminal, autojump_clock: object) -> None:
    """Attempt is loaded and installed in the place's night, forced at once."""
    offered(terminal, download="attempt", update="attempt")
    terminal.at(13)
    await terminal.tend()
    assert terminal.line.pieces == []
    terminal.at(4)
    await terminal.tend()
    assert terminal.installer.running() == "1.0.0"


async def test_skip_loads_and_does_not_install(terminal: Terminal, autojump_clock: object) -> None:
    """With update skip the file is loaded and told so, and waits until the server wants it installed."""
    action = offered(terminal, update="skip")
    await terminal.tend()
    assert (action.told[-1], terminal.installer.running()) == ("downloaded", "0.9.0")
    action.update = "forced"
    await terminal.tend()
    assert terminal.installer.running() == "1.0.0"


async def test_maintenance_window_of_the_server(terminal: Terminal, autojump_clock: object) -> None:
    """Outside the server's maintenance window it is loaded only; inside it is installed at any hour."""
    action = offered(terminal, update="attempt", window="unavailable")
    terminal.at(13)
    await terminal.tend()
    assert (action.told[-1], terminal.installer.running()) == ("downloaded", "0.9.0")
    action.window = "available"
    await terminal.tend()
    assert action.status == "finished"


@pytest.mark.parametrize("busy", ["an act has no outcome yet", "the kiosk and its books do not answer"])
async def test_waits_while_money_is_under_way(terminal: Terminal, busy: str, autojump_clock: object) -> None:
    """Nothing is switched while an effect is open, or while the books do not answer (money-rules 28)."""
    action = offered(terminal)
    terminal.busy = busy
    await terminal.tend()
    assert (terminal.installer.running(), terminal.restarts) == ("0.9.0", [])
    assert action.status == "running"
    terminal.busy = ""
    await terminal.tend()
    assert action.status == "finished"


async def test_download_goes_on_after_breaks(terminal: Terminal, autojump_clock: object) -> None:
    """A line that fails in the middle costs one piece, and a new start of the agent none."""
    offered(terminal)
    terminal.flow.download.told = lambda received: setattr(terminal.line, "dark", True)
    await terminal.tend()
    came = terminal.line.pieces[0][1]
    terminal.line.dark = False
    terminal.power_on()
    await terminal.tend()
    assert terminal.installer.running() == "1.0.0"
    assert [first for first, _ in terminal.line.pieces][:2] == [0, came]


async def test_cancel_before_the_switch(terminal: Terminal, autojump_clock: object) -> None:
    """What is called off while it waits is dropped, and the server hears that it was."""
    action = offered(terminal, update="attempt")
    terminal.at(13)
    await terminal.tend()
    terminal.hawkbit.cancel(action)
    await terminal.tend()
    assert action.status == "canceled"
    assert terminal.flow.now_state.update is None
    assert terminal.events[-1] == ("canceled", "1.0.0")


async def test_refused_cancel_of_what_is_installed(terminal: Terminal, autojump_clock: object) -> None:
    """What runs already cannot be called off; the server hears no."""
    action = offered(terminal)
    await terminal.tend()
    terminal.hawkbit.cancel(action)
    await terminal.tend()
    assert action.status == "cancel_rejected"
    assert action.history[-1]["status"]["details"] == ["it is installed already"]


async def test_consent_is_given_to_what_could_be_installed(terminal: Terminal, autojump_clock: object) -> None:
    """Where the server asks for consent, signed software gets it, and anything else does not."""
    action = offered(terminal, confirm=True)
    stranger = terminal.hawkbit.offer("T0000002", "1", "x", b"x", confirm=True)
    stranger.controller = TERMINAL
    await terminal.tend()
    assert action.status == "running"
    await terminal.tend()
    assert action.status == "finished"
    await terminal.tend()
    assert stranger.status == "wait_for_confirmation"


async def test_return_to_the_version_before_loads_nothing(terminal: Terminal, autojump_clock: object) -> None:
    """When the fleet takes a wave back, the generation before is there still: one switch, no download."""
    offered(terminal)
    await terminal.tend()
    offered(terminal, "1.1.0")
    await terminal.tend()
    pieces = len(terminal.line.pieces)
    back = terminal.hawkbit.offer(TERMINAL, "1.0.0", NAME, bundle("1.0.0"))
    await terminal.tend()
    assert (back.status, terminal.installer.running()) == ("finished", "1.0.0")
    assert len(terminal.line.pieces) == pieces


async def test_window_pauses_a_download(terminal: Terminal, autojump_clock: object) -> None:
    """When the night ends in the middle, what came stays and the rest comes the next night."""
    offered(terminal, download="attempt")
    terminal.at(4)
    terminal.window = Window(begins="01:00", ends="05:00", spread_share=0.0)
    terminal.flow.download.told = lambda received: terminal.at(6)
    await terminal.tend()
    assert len(terminal.line.pieces) == 1
    terminal.flow.download.told = lambda received: None
    terminal.at(2, days=1)
    await terminal.tend()
    assert terminal.installer.running() == "1.0.0"
