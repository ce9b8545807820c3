"""Settings on the terminal: taken whole between visits, given back where the kiosk is unwell, refused with a reason."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import trio

from kiosk.basics.control import kiosk_path
from kiosk.settings.config import load_settings
from provisioning.rules.health_gate import Look, Verdict, judge
from provisioning.terminal.desired import AGAIN_S, DesiredState
from tests.agent.stand import NOW, STRANGER, Box, CuttingDisk, PowerCut


async def test_settings_are_in_force_after_a_restart_between_visits(box: Box) -> None:
    """The city's settings lie over the box's own facts, and the kiosk that starts anew reads them."""
    agent = box.agent()
    assert await agent.follow(box.fleet.wants({"language": "en"})) is None
    assert (agent.version, agent.trouble, box.kiosk.language, box.kiosk.starts) == (1, "", "en", 2)
    settings = load_settings(agent.generations.settings_path)
    assert settings.terminal.terminal_id == "T0000001"
    assert settings.hosts["hospital"].url == "https://old"
    assert agent.changed == ["language"]


async def test_a_key_that_only_the_kiosk_is_handed_is_no_missing_file(box: Box) -> None:
    """systemd decrypts it for kiosk and forwarder alone; the agent cannot see it, and settings come all the same. A
    file that is not there is refused as before."""
    told = box.local.read_text()
    box.local.write_text(told.replace(f'private_key = "{box.local}"', 'private_key = "credential:hosts.key"'))
    agent = box.agent()
    assert await agent.follow(box.fleet.wants({"language": "en"})) is None
    assert (agent.version, agent.trouble, box.kiosk.language) == (1, "", "en")
    box.local.write_text(told.replace(f'private_key = "{box.local}"', 'private_key = "/nowhere/hosts.key"'))
    assert await agent.follow(box.fleet.wants({"language": "zh"}, version=2)) is None
    assert (agent.version, box.kiosk.language) == (1, "en") and "host hospital" in agent.trouble


async def test_nothing_changes_while_somebody_is_served(box: Box) -> None:
    """In a visit, or with an act open, settings wait and say so; afterwards they come without being fetched again."""
    agent, wanted = box.agent(), box.fleet.wants({"language": "en"})
    for busy, words in (("serving", "a resident is being served"), ("under_way", "an act has no outcome yet")):
        box.kiosk.busy = busy
        assert await agent.follow(wanted) == AGAIN_S
        assert agent.trouble == f"settings wait: {words}"
    box.kiosk.busy, asked = "", len(box.fleet.asked)
    assert await agent.follow(wanted) is None
    assert (box.kiosk.language, len(box.fleet.asked)) == ("en", asked)


async def test_settings_that_waited_into_another_epoch_are_refused(box: Box) -> None:
    """A fleet that came back from a backup counts anew: what lay ready under the same number is not what it wants."""
    agent = box.agent()
    box.kiosk.busy = "serving"
    assert await agent.follow(box.fleet.wants({"language": "en"})) == AGAIN_S
    box.kiosk.busy, agent.epoch = "", 1
    assert await agent.follow(box.fleet.wants({"timing": {"question_s": 60.0}}, epoch=1)) is None
    assert (agent.generations.in_force(), box.kiosk.language) == ((1, 1), "zh")


async def test_silent_books_are_no_consent(box: Box) -> None:
    """A kiosk that is not there disturbs nobody, but then the forwarder must say that nothing is under way."""
    agent, wanted = box.agent(), box.fleet.wants({"language": "en"})
    (box.folder / "run" / "kiosk.sock").unlink()
    box.kiosk.under_way = 1
    assert await agent.follow(wanted) == AGAIN_S
    assert agent.trouble == "settings wait: an act has no outcome yet"
    (box.folder / "run" / "forward" / "forward.sock").unlink()
    (box.folder / "data").mkdir()
    (box.folder / "data" / "journal.db").touch()
    assert await agent.follow(wanted) == AGAIN_S
    assert "do not answer" in agent.trouble
    assert agent.version == 0


@pytest.mark.parametrize(
    ("ill", "settings", "why"),
    [
        ("does not come up", {"city": {"name_en": "Ill"}}, "the kiosk does not answer"),
        ("slot breaks", {"city": {"name_en": "Broken"}}, "slot pin_pad is fault"),
        ("host is lost", {"hosts": {"hospital": {"url": "https://wrong"}}}, "host hospital does not answer any more"),
    ],
)
async def test_settings_that_make_the_kiosk_unwell_go_back(box: Box, ill: str, settings: Any, why: str) -> None:
    """Where it does not come up, loses a device or a host that it had, the last settings come back by themselves; the
    version is not tried again, and the next one is."""
    box.kiosk.ill_with, box.kiosk.broken_slots = '"Ill"', {'"Broken"': "pin_pad"}
    box.kiosk.silent_host_with, box.gate_s_max = "https://wrong", 0.3
    agent = box.agent()
    before = agent.generations.text(agent.generations.name())
    assert await agent.follow(box.fleet.wants(settings)) is None
    assert agent.trouble == f"the kiosk was not well with them: {why}"
    assert (agent.version, agent.generations.text(agent.generations.name())) == (0, before)
    assert await agent.house.health() is not None
    asked = len(box.fleet.asked)
    assert await box.agent().follow(1) is None
    assert len(box.fleet.asked) == asked
    box.gate_s_max = 30.0
    agent = box.agent()
    assert await agent.follow(box.fleet.wants({"language": "en"}, 2)) is None
    assert (agent.version, agent.trouble) == (2, "")


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({"signer": STRANGER}, "the signature does not hold"),
        ({"kind": "command"}, "not a desired_state"),
        ({"tenant": "other-city"}, "of another city"),
        ({"terminal_id": "T0000002"}, "another terminal's"),
        ({"expires": NOW - timedelta(seconds=1)}, "out of date"),
        ({"epoch": 1}, "of another epoch"),
        ({"settings": {"data_dir": "/tmp"}}, "data_dir is not the city's to set"),
        ({"settings": {"terminal": {"terminal_id": "T0000009"}}}, "another number"),
        ({"settings": {"language": "fr"}}, "language is zh or en"),
        ({"settings": {"city": {"emblem": "body:emblem.png"}}}, "a body that does not come"),
        ({"bodies": [{"name": "../x", "sha256": "0" * 64, "bytes": 1}]}, "not whole"),
        ({"bodies": [{"name": "x", "sha256": "0" * 64, "bytes": 1 << 40}]}, "not whole"),
        ({"bodies": "none"}, "not whole"),
    ],
)
async def test_settings_that_cannot_be_trusted_are_refused(box: Box, document: dict[str, Any], why: str) -> None:
    """Foreign, expired, re-signed or unfit settings change nothing; the fleet is told why, and the log says so."""
    agent = box.agent()
    settings = document.pop("settings", {"language": "en"})
    assert await agent.follow(box.fleet.wants(settings, **document)) is None
    assert why in agent.trouble
    assert (agent.version, box.kiosk.starts) == (0, 1)
    assert box.lines[-1][0] == "settings_refused"


@pytest.mark.parametrize("harm", ["cut", "changed", "html", "nothing"])
async def test_settings_that_are_not_whole_are_refused(box: Box, harm: str) -> None:
    """A document that was cut off, changed by one character, or is a proxy's page is not taken."""
    wanted = box.fleet.wants({"language": "en"})
    whole = box.fleet.documents["/desired"]
    harmed = {"cut": whole[:-20], "changed": whole.replace(b'"en"', b'"zh"'), "html": b"<html>", "nothing": b""}
    box.fleet.documents["/desired"] = harmed[harm]
    agent = box.agent()
    assert await agent.follow(wanted) is None
    assert agent.trouble
    assert agent.version == 0


async def test_older_settings_are_refused(box: Box) -> None:
    """Yesterday's settings, signed as they are, do not come back: neither by the poll's word nor by the document."""
    agent = box.agent()
    await agent.follow(box.fleet.wants({"language": "en"}, 5))
    assert await agent.follow(box.fleet.wants({"language": "zh"}, 4)) is None
    assert agent.trouble == "the fleet wants older settings than those in force"
    box.fleet.wants({"language": "zh"}, 4)
    assert await agent.follow(6) is None
    assert "older than the one in force" in agent.trouble
    assert (agent.version, box.kiosk.language) == (5, "en")


async def test_a_file_comes_in_pieces_over_a_line_that_breaks(box: Box) -> None:
    """What came stays; the next try goes on behind it, and the file is used by its path."""
    content = bytes(range(256)) * 4096
    wanted = box.fleet.wants({"city": {"emblem": "body:emblem.png"}}, bodies=[box.fleet.body("emblem.png", content)])
    agent = box.agent()
    box.fleet.breaks_after = 3
    assert await agent.follow(wanted) == AGAIN_S
    box.fleet.breaks_after = 1 << 30
    asked = len(box.fleet.asked)
    assert await agent.follow(wanted) is None
    assert len(box.fleet.asked) - asked == 1 + 2
    assert Path(load_settings(agent.generations.settings_path).city.emblem).read_bytes() == content


@pytest.mark.parametrize("harm", ["other", "short", "gone"])
async def test_a_file_that_was_not_signed_is_refused(box: Box, harm: str) -> None:
    """Another file of the same length, a cut one, or none: the settings that speak of it are not taken."""
    kept = {"other": b"EMBLEM", "short": b"emb", "gone": b""}[harm]
    body = box.fleet.body("emblem.png", b"emblem", kept)
    if harm == "gone":
        del box.fleet.documents[f"/bodies/{body['sha256']}"]
    agent = box.agent()
    assert await agent.follow(box.fleet.wants({"city": {"emblem": "body:emblem.png"}}, bodies=[body])) is None
    assert "emblem.png" in agent.trouble
    assert agent.version == 0


async def test_documents_for_the_dark_are_exchanged_without_a_restart(box: Box) -> None:
    """A hotlist of today lies where the kiosk looks, at the same path, and nobody is interrupted for it."""
    agent = box.agent()
    first = box.fleet.body("offline/hotlist.json", b"yesterday")
    await agent.follow(box.fleet.wants({"offline": {"documents": "body:offline"}}, 1, bodies=[first]))
    folder, starts = Path(load_settings(agent.generations.settings_path).offline.documents), box.kiosk.starts
    box.kiosk.busy = "serving"
    second = box.fleet.body("offline/hotlist.json", b"today")
    assert await agent.follow(box.fleet.wants({"offline": {"documents": "body:offline"}}, 2, bodies=[second])) is None
    assert (folder / "hotlist.json").read_bytes() == b"today"
    assert (agent.version, box.kiosk.starts) == (2, starts)
    assert sorted(path.name for path in (box.home / "bodies").iterdir()) == sorted([first["sha256"], second["sha256"]])


async def test_an_installers_change_of_local_facts_is_followed(box: Box) -> None:
    """At its next start the agent lays the city's settings over the new facts."""
    agent = box.agent()
    await agent.follow(box.fleet.wants({"language": "en"}))
    box.write_local('pin_mode = "A"\n')
    again = box.agent()
    await again.settle()
    assert again.version == 1 and await again.follow(1) is None
    settings = load_settings(again.generations.settings_path)
    assert (settings.pin_mode, settings.language, again.version) == ("A", "en", 1)


async def test_a_kiosk_that_started_beside_the_agent_reads_what_came_into_force(box: Box) -> None:
    """At a start of the machine nobody waits for the other: a kiosk that had read the last settings when the agent laid
    new ones down starts anew, once and not while somebody is served."""
    listens = kiosk_path(box.kiosk.run_dir)
    unheard = listens.rename(listens.with_name("not yet"))
    box.write_local('pin_mode = "A"\n')
    agent = box.agent()
    await agent.settle()
    unheard.rename(listens)
    assert load_settings(agent.generations.settings_path).pin_mode == "A"
    box.kiosk.busy = "serving"
    with trio.move_on_after(0.2):
        await agent.have_it_read()
    assert box.kiosk.starts == 1
    box.kiosk.busy = ""
    with trio.fail_after(5):
        await agent.have_it_read()
    assert (box.kiosk.starts, box.kiosk.sum) == (2, load_settings(agent.generations.settings_path).sum)
    await box.agent().have_it_read()
    assert box.kiosk.starts == 2


async def test_a_kiosk_with_settings_from_elsewhere_is_not_started_again_and_again(box: Box) -> None:
    """Somebody gave it a file of their own: told once to start anew, it is let be."""
    listens = kiosk_path(box.kiosk.run_dir)
    unheard = listens.rename(listens.with_name("not yet"))
    box.kiosk.settings_path = box.folder / "own.toml"
    box.kiosk.settings_path.write_text(box.local.read_text())
    box.write_local('pin_mode = "A"\n')
    agent = box.agent()
    await agent.settle()
    unheard.rename(listens)
    with trio.fail_after(5):
        await agent.have_it_read()
    assert box.kiosk.starts == 2


async def test_a_host_that_only_the_city_names_is_shown_the_boxs_certificate(box: Box) -> None:
    """Address from the city, certificate and authority from the box."""
    agent = box.agent()
    await agent.follow(box.fleet.wants({"hosts": {"social_insurance": {"url": "https://new", "deadline_s": 4.0}}}))
    host = load_settings(agent.generations.settings_path).hosts["social_insurance"]
    assert (host.url, host.certificate) == ("https://new", str(box.local))


async def _cut_and_recover(box: Box, effects: int, wanted: int) -> tuple[bool, DesiredState]:
    """Whether the power was cut; and the agent after the next power-up and one more poll."""
    agent = box.agent(CuttingDisk(effects))
    cut = False
    try:
        await agent.follow(wanted)
    except PowerCut:
        cut = True
    text = box.home / "settings" / "current" / "settings.toml"
    assert load_settings(text).language in ("zh", "en")  # whole at every moment
    again = box.agent()
    await again.settle()
    await again.resume()
    return cut, again


@pytest.mark.parametrize("ill", [False, True])
async def test_a_power_cut_at_every_step_leaves_old_or_new(tmp_path: Path, ill: bool) -> None:
    """However far it came, the kiosk has the whole old or the whole new settings, and the next poll ends the story."""
    effects, cut = 0, True
    while cut:
        box = Box(tmp_path / f"{effects}", gate_s_max=0.05 if ill else 30.0)
        await box.agent().settle()
        box.kiosk.ill_with = '"en"' if ill else "\0"
        body = box.fleet.body("emblem.png", b"emblem")
        wanted = box.fleet.wants({"language": "en", "city": {"emblem": "body:emblem.png"}}, bodies=[body])
        async with trio.open_nursery() as nursery:
            await nursery.start(box.kiosk.run)
            cut, agent = await _cut_and_recover(box, effects, wanted)
            while await agent.follow(wanted) is not None:
                await trio.sleep(0.05)
            nursery.cancel_scope.cancel()
        assert agent.version == (0 if ill else 1), f"after {effects} effects: {agent.trouble}"
        assert agent.generations.trial is None
        effects += 1
    assert effects > 12


@pytest.mark.parametrize(
    ("before", "now", "waited_s", "verdict"),
    [
        (None, None, 0.0, Verdict.WAIT),
        (None, None, 9.0, Verdict.BAD),
        (Look(life="1"), Look(life="1"), 9.0, Verdict.BAD),
        (Look(life="1"), Look(life="2"), 0.0, Verdict.GOOD),
        (Look(life="1"), Look(life="2", shut="out_of_service"), 0.0, Verdict.GOOD),
        (Look(life="1"), Look(life="2", shut="paused"), 0.0, Verdict.WAIT),
        (Look(slots={"a": ("ready", "")}), Look(life="2", slots={"a": ("starting", "")}), 0.0, Verdict.WAIT),
        (Look(slots={"a": ("fault", "")}), Look(life="2", slots={"a": ("fault", "")}), 0.0, Verdict.GOOD),
        (Look(slots={"a": ("ready", "")}), Look(life="2"), 9.0, Verdict.BAD),
        (None, Look(life="2", slots={"a": ("fault", "bad_settings")}), 9.0, Verdict.BAD),
    ],
)
def test_the_gate_asks_for_no_more_than_there_was(
    before: Look | None, now: Look | None, waited_s: float, verdict: Verdict
) -> None:
    """Good at once when it is as well as before, bad only when the time is over."""
    assert judge(before, now, waited_s, 5.0)[0] is verdict


async def test_who_comes_while_the_link_turns_is_served_to_the_end(box: Box) -> None:
    """A resident who was quicker than the restart is no reason to send good settings back: the visit is waited out."""
    agent = box.agent()
    box.gate_s_max = 0.1
    hasty = box.agent()
    wanted = box.fleet.wants({"language": "en"})
    box.kiosk.comes_before_the_end = True
    async with trio.open_nursery() as nursery:
        nursery.start_soon(hasty.follow, wanted)
        while agent.generations.trial is None:
            await trio.sleep(0.01)
        for _ in range(30):  # three times as long as the gate has patience
            await trio.sleep(0.01)
        assert (box.kiosk.starts, agent.version) == (1, 1)
        box.kiosk.busy = ""
    assert (hasty.trouble, box.kiosk.starts, box.kiosk.language) == ("", 2, "en")
