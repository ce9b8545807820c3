"""Commands on the terminal: proved, done once, answered once, and told to the journal."""

import json
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from kiosk.basics.signed import Signer
from provisioning.rules.commands import RULES
from provisioning.rules.poll import CommandAnswer
from provisioning.terminal.acts import Acts, redacted
from provisioning.terminal.commands import CommandBook, Commands, Taken
from provisioning.terminal.privileged import NoPrivileged, Privileged, PrivilegedFolder
from tests.agent.stand import CITY, NOW, STRANGER, TENANT, TERMINAL, Box, CuttingDisk, PowerCut

ID = "0190f000-0000-7000-8000-00000000000{}"


def command(act: str, number: int = 1, signer: Signer = CITY, **changes: Any) -> dict[str, Any]:
    """A command as the poll tells it; changes: fields of the document, or ``issued``, ``expires``."""
    issued, expires = changes.pop("issued", NOW), changes.pop("expires", NOW + timedelta(hours=1))
    kind = changes.pop("kind", "command")
    told = {"command": ID.format(number), "tenant": TENANT, "terminal_id": TERMINAL, "act": act, "arguments": {}}
    found: dict[str, Any] = json.loads(signer.signed(kind, 1, issued, expires, {**told, **changes}))
    return found


def orders(box: Box, effects: int = 1 << 30, privileged: Privileged | None = None, **changes: Any) -> Commands:
    """The agent's part after a power-up."""
    agent = box.agent()
    acts = Acts(
        agent.house, box.fleet, agent.identity.base, privileged or NoPrivileged(), changes.pop("log_command", ()), 0.05
    )
    disk = CuttingDisk(effects)
    disk.folder = lambda path, mode=0o700: None  # type: ignore[method-assign]  # the home is there
    book = CommandBook(box.home / "commands.json", disk)
    return Commands(agent.identity, book, agent.house, acts.all, lambda: NOW, agent.log, **changes)


def answers(commands: Commands) -> list[tuple[str, str]]:
    return [(one.result, one.why) for one in commands.book.untold()]


async def test_a_command_is_done_once_and_answered_once(box: Box) -> None:
    """Told again it is not done again; its answer goes until the fleet has heard it; the journal knows of it."""
    commands = orders(box)
    assert await commands.take([command("out_of_service")])
    assert await orders(box).take([command("out_of_service")])  # after a restart, not answered yet
    assert box.kiosk.told == [f"out_of_service {ID.format(1)}", "note done"]
    again = orders(box)
    told = again.book.untold()
    assert [one.result for one in told] == ["done"]
    await again.heard(told)
    assert not await orders(box).take([command("out_of_service")])


@pytest.mark.parametrize(
    ("document", "result", "why"),
    [
        (command("restart", signer=STRANGER), "refused", "the signature does not hold"),
        (command("restart", kind="desired_state"), "refused", "not a command"),
        (command("restart", terminal_id="T0000002"), "refused", "another terminal"),
        (command("restart", tenant="other-city"), "refused", "another terminal"),
        (command("restart", expires=NOW), "expired", "too late"),
        (command("restart", issued=NOW + timedelta(days=1), expires=NOW + timedelta(days=2)), "refused", "ahead"),
        (command("explode"), "refused", "no such command"),
        (command("restart", arguments={"now": True}), "refused", "arguments"),
        (command("test_page", arguments={"slot": "pin_pad"}), "refused", "arguments"),
        (command("logs", arguments={"lines": 10**9}), "refused", "arguments"),
        (command("swap", arguments={"slot": "../x"}), "refused", "arguments"),
        ({**command("restart"), "signature": "AAAA"}, "refused", "the signature does not hold"),
        ({**command("restart"), "key": "somebody"}, "refused", "unknown key"),
    ],
)
async def test_commands_that_are_not_obeyed_are_refused(
    box: Box, document: dict[str, Any], result: str, why: str
) -> None:
    """Re-signed, foreign, expired, from tomorrow, unknown or unfit: nothing is done, and both sides have the reason."""
    commands = orders(box)
    assert await commands.take([document])
    ((told, reason),) = answers(commands)
    assert told == result
    assert why in reason
    assert box.kiosk.told == [f"note {result}"]


async def test_a_replayed_command_is_refused(box: Box) -> None:
    """An answered command that comes again, even with other words under its number, changes nothing."""
    commands = orders(box)
    await commands.take([command("out_of_service")])
    await commands.heard(commands.book.untold())
    box.kiosk.told.clear()
    assert not await orders(box).take([command("back_in_service")])
    assert box.kiosk.told == []


@pytest.mark.parametrize(
    "document", [{}, {"document": []}, {"document": {"command": ""}}, {"document": {"command": None}}]
)
async def test_what_is_no_command_is_refused(box: Box, document: dict[str, Any]) -> None:
    """Without a number there is nothing to answer, and nothing is done."""
    commands = orders(box)
    assert not await commands.take([document])
    assert box.kiosk.told == []


async def test_who_is_in_front_is_waited_for(box: Box) -> None:
    """A restart waits for the moment between two residents, and is done when the kiosk is back."""
    commands = orders(box)
    await commands.take([command("restart")])
    assert (answers(commands), box.kiosk.starts) == ([("done", "")], 2)


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("unsent", 2, "2 messages are unsent"),
        ("under_way", 1, "1 acts have no outcome"),
        ("kept", 6, "rows up to 6 of 7"),
        ("word", {"refused": "journal_kept: the signature does not hold"}, "the signature does not hold"),
        ("word", {"kept_up_to": 6, "newer": 1}, "1 rows are newer than the agency's word"),
        ("word", {"error": "ask one of ledger, money, unsent"}, "the books do not answer"),
    ],
)
@pytest.mark.parametrize("act", ["wipe", "decommission"])
async def test_wipe_with_rows_that_only_we_have_is_refused(
    box: Box, act: str, field: str, value: Any, why: str, tmp_path: Path
) -> None:
    """Unsent, open, or without the agency's word for all of it, which no number takes the place of: the journal stays,
    and nobody is even asked to destroy it (money-rules 28)."""
    setattr(box.kiosk, field, value)
    wishes = tmp_path / "wishes"
    wishes.mkdir()
    commands = orders(box, privileged=PrivilegedFolder(wishes, CuttingDisk()))
    await commands.take([command(act)])
    ((result, reason),) = answers(commands)
    assert result == "refused"
    assert why in reason
    assert list(wishes.iterdir()) == []
    closed = [f"out_of_service {ID.format(1)}", f"back_in_service {ID.format(1)}"] if field in ("kept", "word") else []
    assert box.kiosk.told == [*closed, "note refused"]


async def test_many_long_answers_go_with_several_questions(box: Box) -> None:
    """A question that is too long is refused whole, and would be asked in vain for ever; so none is, and each answer
    is told, one that is long by itself too."""
    book = orders(box).book
    for number in range(6):
        findings = [["slot", "fail", "x" * 200]] * (300 if number == 3 else 40)
        answer = CommandAnswer(command=ID.format(number), result="done", facts={"findings": findings})
        book.keep(Taken(command=answer.command, act="doctor", at=NOW, answer=answer))
    told: list[list[str]] = []
    while waiting := book.untold():
        told.append([one.command[-1] for one in waiting])
        book.told(waiting)
    assert told == [["0", "1"], ["2"], ["3"], ["4", "5"]]


async def test_wipe_without_an_answer_from_the_books_is_refused(box: Box) -> None:
    """Silence is unknown."""
    (box.folder / "run" / "forward" / "forward.sock").unlink()
    commands = orders(box)
    await commands.take([command("decommission")])
    assert answers(commands) == [("refused", "the books do not answer, so nobody knows what is unsent")]


async def test_wipe_is_the_work_of_another_unit(box: Box, tmp_path: Path) -> None:
    """With everything kept by the agency the terminal closes, and a unit with more rights does the rest."""
    wishes = tmp_path / "wishes"
    wishes.mkdir()
    commands = orders(box, privileged=PrivilegedFolder(wishes, CuttingDisk()))

    async def unit() -> None:
        while not (wishes / "wipe.wish").exists():
            await trio.sleep(0.01)
        (wishes / "wipe.done").touch()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(unit)
        await commands.take([command("wipe")])
    assert answers(commands) == [("done", "")]
    assert box.kiosk.told[0].startswith("out_of_service")


async def test_a_wipe_that_the_power_interrupted_goes_on(box: Box, tmp_path: Path) -> None:
    """Wished for before, it is waited for and not judged again: the books that would be asked may be gone already."""
    wishes = tmp_path / "wishes"
    wishes.mkdir()
    (wishes / "wipe.wish").write_text(json.dumps({"command": ID.format(1)}))
    told = {"command": ID.format(1), "tenant": TENANT, "terminal_id": TERMINAL, "act": "wipe"}
    begun = {"command": ID.format(1), "act": "wipe", "at": NOW.isoformat(), "document": told}
    (box.home / "commands.json").write_bytes(msgspec.json.encode([begun]))
    box.kiosk.unsent = 3
    (wishes / "wipe.done").touch()
    commands = orders(box, privileged=PrivilegedFolder(wishes, CuttingDisk()))
    await commands.settle()
    assert answers(commands) == [("done", "")]


async def test_once_a_wipe_was_heard_the_rest_goes(box: Box) -> None:
    """What the agent itself keeps goes when the fleet has the answer, not before."""
    gone = 0

    async def forget() -> None:
        nonlocal gone
        gone += 1

    commands = orders(box, after={"wipe": forget})
    done = CommandAnswer(command=ID.format(1), result="done")
    commands.book.keep(Taken(command=ID.format(1), act="wipe", at=NOW, answer=done))
    assert gone == 0
    await commands.heard(commands.book.untold())
    assert gone == 1
    await orders(box, after={"wipe": forget}).settle()  # the power had gone before all of it was gone
    assert gone == 2


@pytest.mark.parametrize("act", ["reboot", "wipe"])
async def test_what_nothing_here_may_do_is_refused(box: Box, act: str) -> None:
    """Without a unit of more rights the machine is neither started anew nor wiped."""
    commands = orders(box)
    await commands.take([command(act)])
    assert answers(commands) == [("refused", f"nothing here may {act} the machine")]


async def test_a_reboot_is_answered_by_the_next_start(box: Box) -> None:
    """Begun before, and the machine's start is another one: done. The same one: not done."""
    for boot, result in (("after", "done"), ("before", "failed")):
        begun = {"command": ID.format(1), "act": "reboot", "at": NOW.isoformat(), "boot": "before"}
        (box.home / "commands.json").write_bytes(msgspec.json.encode([begun]))
        commands = orders(box, boot=boot)
        await commands.settle()
        assert [told for told, _ in answers(commands)] == [result]


async def test_a_power_cut_at_every_step_does_nothing_twice(box: Box) -> None:
    """A test page whose answer was not written down is not printed again; out of service, which does no harm twice, is
    told again; each ends in exactly one answer."""
    for act, arguments in (("test_page", {"slot": "receipt_printer"}), ("out_of_service", {})):
        for effects in range(12):
            (box.home / "commands.json").unlink(missing_ok=True)
            box.kiosk.told.clear()
            document = command(act, arguments=arguments)
            with suppress(PowerCut):
                await orders(box, effects).take([document])
            again = orders(box)
            await again.settle()
            await again.take([document])
            done = [told for told in box.kiosk.told if told.startswith(act)]
            assert len(answers(again)) == 1
            assert len(done) <= (1 if act == "test_page" else 2)
            assert answers(again)[0][0] == "done" or not done or act == "test_page"


async def test_logs_hold_nothing_that_is_not_on_the_list(box: Box) -> None:
    """Lines of the allowed fields go, long numbers in them and everything else stay; the fleet has them by number."""
    lines = [
        {"at": "2026", "event": "slot", "slot": "pin_pad", "name": "somebody"},
        {"event": "host_call", "why": "card 6217000012345678"},
    ]
    text = "\n".join([*(json.dumps(line) for line in lines), "Traceback: holder 110105194912310021"])
    commands = orders(box, log_command=("printf", "%s", text))
    await commands.take([command("logs")])
    assert answers(commands) == [("done", "")]
    sent = json.dumps(box.fleet.sent[ID.format(1)])
    assert "pin_pad" in sent
    assert not any(secret in sent for secret in ("somebody", "6217", "110105"))
    assert box.fleet.sent[ID.format(1)]["left_out"] == 1


async def test_what_cannot_be_sent_is_refused(box: Box) -> None:
    """Logs that do not get through are not kept for a better day."""
    commands = orders(box, log_command=("printf", "%s", '{"event": "x"}'))
    box.fleet.dark = True
    await commands.take([command("logs")])
    assert [result for result, _ in answers(commands)] == ["refused"]


async def test_a_kiosk_that_is_silent_fails_the_command(box: Box) -> None:
    """Nobody says that it was done; the journal hears of it when the kiosk is back."""
    (box.folder / "run" / "kiosk.sock").unlink()
    commands = orders(box)
    await commands.take([command("test_page", arguments={"slot": "receipt_printer"})])
    assert answers(commands) == [("failed", "the kiosk does not answer")]
    assert [one.noted for one in commands.book.taken.values()] == [False]


async def test_the_book_is_bounded(box: Box) -> None:
    """A full book takes nothing more until what is over was heard; a command whose time is not over stays known."""
    commands = orders(box)
    commands.book = CommandBook(box.home / "commands.json", CuttingDisk(), kept_max=4)
    names = [f"0190f000-0000-7000-8000-{number:012d}" for number in range(6)]
    forged = [command("doctor", command=name, signer=STRANGER) for name in names[:2]]
    await commands.take([*forged, *(command("out_of_service", command=name) for name in names[2:])])
    assert [*commands.book.taken] == names[:4]
    await commands.heard(commands.book.untold())
    await commands.take([command("out_of_service", command=names[4])])
    assert [*commands.book.taken] == names[1:5]


@given(st.text(max_size=200), st.integers(1, 5))
def test_redaction_takes_any_log(text: str, lines_max: int) -> None:
    """Whatever the log holds, at most so many lines come out and no long number is in them."""
    lines, left_out = redacted(text.encode(), lines_max)
    assert len(lines) <= lines_max
    assert left_out >= 0


def test_every_command_has_an_act() -> None:
    """What the fleet can send the agent knows."""
    assert RULES.keys() == Acts(None, None, "", NoPrivileged()).all.keys()  # type: ignore[arg-type]  # only names are read


def test_a_command_is_known_for_longer_than_it_stands(tmp_path: Path) -> None:
    """A week after the end of its time nobody tells it again, and it is forgotten."""
    until = (NOW + timedelta(days=14)).isoformat()
    old = {"command": ID.format(1), "act": "doctor", "at": NOW.isoformat(), "until": until, "told": True, "noted": True}
    (tmp_path / "commands.json").write_bytes(msgspec.json.encode([old]))
    book = CommandBook(tmp_path / "commands.json", CuttingDisk())
    book.forget(NOW + timedelta(days=20))
    assert len(book.taken) == 1
    book.forget(NOW + timedelta(days=22))
    assert not book.taken
