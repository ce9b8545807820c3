"""Updates of the whole image: two slots, a boot loader that counts, and a gate that must be passed to be kept."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import trio

from provisioning.fleet.updates.stick import write_stick
from provisioning.rules.releases import IMAGE, Journal
from provisioning.terminal.disk import Disk
from provisioning.terminal.updates.booted import Booted, read_booted
from provisioning.terminal.updates.rauc import Mark, Which
from provisioning.terminal.updates.trial_end import end_trial
from simulators.hosts.hawkbit import Action
from tests.fleet.updates.cut_disk import CutDisk, PowerCut
from tests.fleet.updates.office import Office
from tests.fleet.updates.slots import ImageTerminal, Machine, Rebooted, image
from tests.fleet.updates.stand import TERMINAL

EFFECTS_MAX = 200


@pytest.fixture
def machine(office: Office, tmp_path: Path) -> ImageTerminal:
    return ImageTerminal(tmp_path / "terminal", office)


def offered(terminal: ImageTerminal, version: str, content: bytes | None = None, **wishes: object) -> Action:
    content = content or image(version)
    terminal.office.release(version, content, kind=IMAGE)
    return offer(terminal, version, content, **wishes)


def offer(terminal: ImageTerminal, version: str, content: bytes, **wishes: object) -> Action:
    return terminal.hawkbit.offer(TERMINAL, version, f"image-{version}.raucb", content, part="os", **wishes)


async def test_image_is_installed_and_kept(machine: ImageTerminal, autojump_clock: object) -> None:
    """A new image is written beside the one that runs, started, judged, kept, and the fleet hears each step."""
    action = offered(machine, "2.0.0")
    await machine.live()
    assert action.told == ["proceeding", "downloaded", "proceeding", "closed"]
    assert (action.status, machine.image.running(), machine.machine.running) == ("finished", "2.0.0", "B")
    assert (machine.machine.order, machine.machine.ok, machine.machine.tries["B"]) == (
        ["B", "A"],
        {"A": True, "B": True},
        0,
    )
    assert machine.image.fell == ""


async def test_image_is_not_kept_before_its_gate(machine: ImageTerminal, autojump_clock: object) -> None:
    """An image whose self-test fails goes back at once and by itself: its slot is bad, the other one is chosen."""
    machine.kiosk.sick["2.0.0"] = "self-test: ended unknown"
    action = offered(machine, "2.0.0")
    await machine.live()
    assert (action.status, machine.image.running()) == ("error", "1.0.0")
    assert action.history[-1]["status"]["details"] == ["returned: self-test: ended unknown"]
    assert machine.image.fell == "image 2.0.0 went back: self-test: ended unknown"
    assert (machine.machine.order[0], machine.machine.ok) == ("A", {"A": True, "B": False})


async def test_image_without_any_life_goes_back(machine: ImageTerminal, autojump_clock: object) -> None:
    """Where neither kiosk nor forwarder can be started nobody says that nothing is under way: the agent returns to the
    image that can bring it to its end, and waits for nobody's leave."""
    machine.kiosk.lifeless.add("2.0.0")
    action, began = offered(machine, "2.0.0"), trio.current_time()
    await machine.live()
    assert (action.status, machine.image.running()) == ("error", "1.0.0")
    assert machine.machine.starts == 2
    assert trio.current_time() - began < 2 * machine.gate.allowed_s


async def test_image_that_never_comes_up(machine: ImageTerminal, autojump_clock: object) -> None:
    """The boot loader returns to the old slot after three starts; the new one is marked bad, and the fleet hears it."""
    machine.machine.dead.add("2.0.0")
    action = offered(machine, "2.0.0")
    await machine.live()
    assert (action.status, machine.image.running(), machine.machine.starts) == ("error", "1.0.0", 4)
    assert action.history[-1]["status"]["details"] == ["returned: it did not come up"]
    assert (machine.machine.ok, machine.machine.tries) == ({"A": True, "B": False}, {"A": 0, "B": 0})
    for _ in range(8):
        assert machine.boot() == "A"  # also where nothing confirms a start


async def test_trouble_stays_until_an_image_is_kept(machine: ImageTerminal, autojump_clock: object) -> None:
    """That an image went back is told with every health, over starts, until the next one is kept."""
    machine.kiosk.sick["2.0.0"] = "sick"
    offered(machine, "2.0.0")
    await machine.live()
    machine.boot()
    assert machine.image.fell == "image 2.0.0 went back: sick"
    offered(machine, "2.1.0")
    await machine.live()
    assert (machine.image.fell, machine.image.running()) == ("", "2.1.0")


async def test_kept_slot_that_dies_later_is_reported(machine: ImageTerminal, autojump_clock: object) -> None:
    """Where a slot that was kept stops coming up, the older one runs, the slot is marked bad, and it is told."""
    offered(machine, "2.0.0")
    await machine.live()
    machine.machine.dead.add("2.0.0")
    assert machine.boot() == "A"
    assert machine.image.fell == "image in slot B did not come up; 1.0.0 runs"
    await machine.gate.confirm()
    assert machine.machine.ok == {"A": True, "B": False}


async def test_power_cuts_during_starts_undo_nothing(machine: ImageTerminal, autojump_clock: object) -> None:
    """A plug that is pulled twice while a good image starts does not bring the older one back."""
    offered(machine, "2.0.0")
    await machine.live()
    assert [machine.boot(), machine.boot()] == ["B", "B"]
    await machine.gate.confirm()
    assert machine.machine.tries["B"] == 0


async def test_fleet_that_is_not_heard_again(machine: ImageTerminal, autojump_clock: object) -> None:
    """An image that cannot reach the fleet, which was heard before, goes back; where it was not, it stays."""
    action = offered(machine, "2.0.0")
    before = machine.boot

    def boot(disk: Disk | None = None) -> str:
        machine.fleet_heard = False
        return before(disk)

    machine.boot = boot
    await machine.live()
    assert action.history[-1]["status"]["details"] == ["returned: host fleet does not answer any more"]
    offered(machine, "2.1.0")
    await machine.live()
    assert machine.image.running() == "2.1.0"


async def test_image_waits_for_its_moment(machine: ImageTerminal, autojump_clock: object) -> None:
    """Nothing is switched while an effect is open; nothing is loaded over a line that is paid by the byte."""
    machine.metered = True
    action = offered(machine, "2.0.0")
    await machine.updates.tend()
    assert machine.line.pieces == []
    machine.metered, machine.kiosk.busy = False, "an act has no outcome yet"
    await machine.updates.tend()
    assert (action.told[-1], machine.machine.slots["B"], machine.machine.order) == ("downloaded", "2.0.0", ["A", "B"])
    machine.kiosk.busy = ""
    await machine.live()
    assert machine.image.running() == "2.0.0"


async def test_image_over_a_metered_line_where_its_rollout_says_so(
    machine: ImageTerminal, autojump_clock: object
) -> None:
    """Two people said that it is worth the money; said while it waits it is heard, and it holds for no other one."""
    machine.metered = True
    action = offered(machine, "2.0.0")
    action.notes["over_metered"] = "false"
    await machine.updates.tend()
    assert machine.line.pieces == []
    action.notes["over_metered"] = "true"
    await machine.live()
    assert (action.status, machine.image.running()) == ("finished", "2.0.0")
    offered(machine, "2.1.0")
    pieces = len(machine.line.pieces)
    await machine.updates.tend()
    assert len(machine.line.pieces) == pieces


async def test_file_goes_once_it_is_written(machine: ImageTerminal, autojump_clock: object) -> None:
    """Hundreds of megabytes do not stay on the data partition beside the slot that holds them."""
    offered(machine, "2.0.0")
    await machine.live()
    assert list((machine.home / "downloads").iterdir()) == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (image("2.0.0", signed=False), "not_installed: signature verification failed"),
        (image("2.0.1"), "not_a_bundle: it has another version than was signed"),
        (image("2.0.0", Journal(layout=9, back_to=9)), "no_way_back: the journal could not be read any more"),
        (image("2.0.0", Journal(layout=1, back_to=1)), "no_way_on: it cannot read the journal that is here"),
    ],
)
async def test_what_does_not_fit_is_refused(
    machine: ImageTerminal, content: bytes, why: str, autojump_clock: object
) -> None:
    """A bundle that the city's authority did not sign, of another version or another journal never leaves its file."""
    action = offered(machine, "2.0.0", content)
    await machine.live()
    assert action.status == "error"
    assert action.history[-1]["status"]["details"][0].startswith(f"refused: {why}")
    assert (machine.machine.slots["B"], machine.machine.ok["B"], machine.machine.starts) == ("", False, 0)


async def test_return_loads_nothing(machine: ImageTerminal, autojump_clock: object) -> None:
    """When the fleet takes a wave back, the image before lies in its slot still: one start, no byte of the line."""
    offered(machine, "2.0.0")
    await machine.live()
    offered(machine, "2.1.0")
    await machine.live()
    pieces = len(machine.line.pieces)
    offer(machine, "2.0.0", image("2.0.0"))
    await machine.live()
    assert (machine.image.running(), len(machine.line.pieces)) == ("2.0.0", pieces)


async def test_slot_that_was_lost_is_written_anew(machine: ImageTerminal, autojump_clock: object) -> None:
    """What somebody else overwrote is not started; offered again it is loaded again."""
    offered(machine, "2.0.0")
    machine.kiosk.busy = "somebody is served"
    await machine.updates.tend()
    machine.machine.slots["B"], machine.kiosk.busy = "", ""
    await machine.live()
    assert machine.events[-1] == ("refused", "2.0.0")
    action = offer(machine, "2.0.0", image("2.0.0"))
    await machine.live()
    assert (action.status, machine.image.running()) == ("finished", "2.0.0")


async def test_machine_that_does_not_start_anew(machine: ImageTerminal, autojump_clock: object) -> None:
    """Where nobody restarts the machine the old image is chosen again, and the fleet hears why."""

    async def nothing(word: str) -> None:
        machine.gate.reboot_s_max = 1.0

    machine.gate.reboot = nothing
    action = offered(machine, "2.0.0")
    await machine.updates.tend()
    assert action.history[-1]["status"]["details"] == ["returned: the machine did not start anew"]
    assert (machine.machine.order[0], machine.machine.ok["B"], machine.image.runs_chosen) == ("A", False, True)


@pytest.mark.parametrize("torn", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("strike", "status", "runs", "fell"),
    [
        pytest.param(lambda one: None, "finished", "2.0.0", "", id="well"),
        pytest.param(
            lambda one: one.kiosk.sick.update({"2.0.0": "sick"}),
            "error",
            "1.0.0",
            "image 2.0.0 went back: sick",
            marks=pytest.mark.slow,
            id="sick",
        ),
        pytest.param(
            lambda one: one.machine.dead.add("2.0.0"),
            "error",
            "1.0.0",
            "image 2.0.0 did not come up; 1.0.0 runs",
            marks=pytest.mark.slow,
            id="dead",
        ),
    ],
)
async def test_cut_at_every_effect(
    quick: Path,
    torn: bool,
    strike: Callable[[ImageTerminal], None],
    status: str,
    runs: str,
    fell: str,
    autojump_clock: object,
) -> None:
    """Whatever the cut left, on disk or with the boot loader, a whole slot starts, the update ends as ever, and says
    what it came to as without any cut."""
    office = Office(quick)
    office.begin()
    office.release("2.0.0", image("2.0.0"), kind=IMAGE)
    for at in range(1, EFFECTS_MAX):
        terminal = ImageTerminal(quick / f"{at}", office, machine=Machine())
        strike(terminal)
        action = offer(terminal, "2.0.0", image("2.0.0"))
        terminal.power_on(CutDisk(at, torn))
        try:
            await terminal.live()
            break
        except PowerCut:
            terminal.boot()
        await terminal.live()
        assert (action.status, terminal.image.running()) == (status, runs), f"cut at effect {at}"
        assert (terminal.image.fell, terminal.machine.ok["B"]) == (fell, not fell), f"cut at effect {at}"
        assert terminal.image.trial() is None
        assert terminal.machine.ok[terminal.machine.running]
        assert terminal.machine.tries[terminal.machine.running] == 0
        shutil.rmtree(terminal.home)
    assert at > 20, "the update has that many effects at least"


async def test_started_image_was_told_to_the_boot_loader(machine: ImageTerminal, autojump_clock: object) -> None:
    """Where the power went before it was noted that the boot loader knows, a start of the image says so: one that dies
    after it went back, and is not tried again as if it had never been started."""
    offered(machine, "2.0.0")
    cut = machine.rauc.mark

    async def mark_and_cut(mark: Mark, which: Which) -> None:
        await cut(mark, which)
        raise PowerCut

    machine.rauc.mark = mark_and_cut
    with pytest.raises(PowerCut):
        await machine.updates.tend()
    machine.rauc.mark = cut
    assert machine.boot() == "B"
    machine.machine.dead.add("2.0.0")
    assert machine.boot() == "A"
    assert machine.image.fell == "image 2.0.0 did not come up; 1.0.0 runs"
    await machine.live()
    assert (machine.machine.ok["B"], machine.events[-1]) == (False, ("returned", "2.0.0"))


async def test_stick_brings_an_image_to_a_dark_village(machine: ImageTerminal, office: Office, tmp_path: Path) -> None:
    """Where there is no line an image comes on a stick, over as many starts as it takes, and the same stick changes
    nothing any more."""
    office.release("2.0.0", image("2.0.0"), kind=IMAGE)
    machine.line.dark, stick = True, tmp_path / "stick"
    stick.mkdir()
    write_stick(office.repository, stick)
    with pytest.raises(Rebooted):
        await machine.stick.bring(stick, IMAGE)
    machine.boot()
    await machine.flow.go_on(machine.trust.kept)
    assert (machine.image.running(), machine.events[-1]) == ("2.0.0", ("installed", "2.0.0"))
    again = await machine.stick.bring(stick, IMAGE)
    assert (again.version, again.why, machine.machine.starts) == ("", "", 1)


def test_machine_says_what_it_is(tmp_path: Path) -> None:
    """Slot and version come from the kernel's command line and os-release; without either there are no slots."""
    files = {
        "proc/cmdline": "ro quiet rauc.slot=B panic=10\n",
        "proc/sys/kernel/random/boot_id": "6d1c\n",
        "etc/os-release": 'ID=debian\nIMAGE_VERSION="1.5.0"\n',
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    assert read_booted(tmp_path) == Booted("B", "1.5.0", "6d1c")
    (tmp_path / "etc/os-release").write_text("ID=debian\n")
    assert read_booted(tmp_path) is None


async def test_trial_that_nobody_ends_is_ended(machine: ImageTerminal, autojump_clock: object) -> None:
    """Where the agent of a new image is dead, root's timer takes it back; of what is kept it keeps its hands off."""
    acts: list[str] = []

    def run(command: Sequence[str]) -> None:
        acts.append(" ".join(command))

    folder = machine.home / "image"
    assert not end_trial(folder, machine.machine.booted, run)
    offered(machine, "2.0.0")
    with pytest.raises(Rebooted):
        await machine.updates.tend()
    machine.machine.boot()  # and no agent
    assert not end_trial(folder, Booted("A", "1.0.0", "boot-0"), run)
    assert acts == []
    assert end_trial(folder, machine.machine.booted, run)
    assert acts == ["rauc status mark-active other", "rauc status mark-bad booted", "systemctl reboot"]
    await machine.rauc.mark("active", "other")
    await machine.rauc.mark("bad", "booted")
    machine.boot()
    await machine.live()
    assert (machine.image.running(), machine.image.fell) == ("1.0.0", "image 2.0.0 did not come up; 1.0.0 runs")
    machine.machine.boot()
    assert not end_trial(folder, machine.machine.booted, run)
