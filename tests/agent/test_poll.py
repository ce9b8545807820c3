"""The agent's question: when it comes, what it carries, and what it brings."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from kiosk.ports import HostRefused, OutcomeUnknown
from provisioning.rules.desired import difference
from provisioning.rules.poll import CommandAnswer, PollAnswer, PollQuestion
from provisioning.rules.presence import Life
from provisioning.terminal.commands import Taken
from provisioning.terminal.disk import Disk
from provisioning.terminal.figures import exposition
from provisioning.terminal.health import HealthTeller
from provisioning.terminal.machine import Board
from provisioning.terminal.poll import BACK_OFF_S_MAX, REFUSED_S, Polling
from tests.agent.stand import NOW, Box
from tests.agent.test_commands import ID, command, orders


def polling_of(box: Box) -> Polling:
    desired = box.agent()
    health = HealthTeller(
        house=desired.house,
        board=Board(box.folder),
        history=box.home / "history.json",
        disk=Disk(),
        now=lambda: NOW,
        capacities={"receipt_printer": 400},
        troubles=lambda: [desired.trouble] if desired.trouble else [],
    )
    life = Life(3, "ab")
    return Polling(box.fleet, life, health, desired, orders(box), lambda: NOW, lambda: 0.5, desired.log)


async def test_a_key_in_doubt_is_told_at_once(box: Box) -> None:
    """From then on the terminal has no bank until two custodians come: the fleet hears it with the next question, and
    so that it is over."""
    polling = polling_of(box)
    for doubt in (False, True, True, False):
        box.kiosk.typed_keys = {"bank_master": {"check_value": "8CA64DE9", "in_doubt": doubt}}
        await polling.once()
    told = [poll["health"]["typed_keys"] if poll.get("health") else None for poll in box.fleet.polls]
    good = {"bank_master": {"check_value": "8CA64DE9"}}
    assert told == [good, {"bank_master": {"check_value": "8CA64DE9", "in_doubt": True}}, None, good]


async def test_health_goes_when_it_changed_or_an_hour_passed(box: Box) -> None:
    """The first question carries it, the next one does not; a device that fails is told at once, a sum is not."""
    polling = polling_of(box)
    for _ in range(3):
        await polling.once()
    box.kiosk.unsent = 1
    await polling.once()
    box.kiosk.broken_slots = {"run_dir": "pin_pad"}
    await polling.once()
    assert [bool(poll.get("health")) for poll in box.fleet.polls] == [True, False, False, True, True]
    told = box.fleet.polls[0]["health"]
    assert told["slots"]["card_reader"]["condition"] == "ready"
    assert told["money"]["suspense_fen"] == 500
    assert told["head"]["seq"] == 7
    assert "consumables" not in told
    polling.health._told_at -= 3600
    await polling.once()
    assert "health" in box.fleet.polls[-1]


class Talkative:
    """A house whose slot says a whole sentence, as a driver of somebody else's may."""

    async def health(self) -> dict[str, Any]:
        told = {"condition": "fault", "reason": "the shutter " + "does not close " * 20, "since": NOW.isoformat()}
        return {"serving": False, "slots": {"cash_acceptor": told}, "use": {}, "versions": {}, "cash": {}}

    async def unsent(self) -> None:
        return None

    money = unsent


async def test_a_driver_that_says_much_does_not_silence_the_terminal(box: Box) -> None:
    """Its words are cut to what the fleet takes: a question that is refused whole would be asked in vain for ever."""
    polling = polling_of(box)
    polling.health.house = Talkative()  # type: ignore[assignment]  # all that is asked of it
    changed = difference({}, {"bank": {"ca_keys": {"k" * 500: 1}}})
    polling.desired.changed = changed
    await polling.once()
    question = msgspec.convert(box.fleet.polls[-1], PollQuestion)
    assert question.health is not None and len(question.health.slots["cash_acceptor"].reason) == 64
    assert len(question.desired_changed) == len(changed) == 1


async def test_health_that_nobody_heard_is_told_again(box: Box) -> None:
    """As it is then, not as it was: nothing piles up in the dark."""
    polling = polling_of(box)
    box.fleet.dark = True
    for _ in range(50):
        await polling.once()
    box.fleet.dark = False
    box.kiosk.broken_slots = {"run_dir": "pin_pad"}
    await polling.once()
    assert len(box.fleet.polls) == 1
    assert box.fleet.polls[0]["health"]["slots"]["pin_pad"]["condition"] == "fault"


async def test_a_silent_kiosk_is_never_ready(tmp_path: Path) -> None:
    """Without an answer there are no slots, no sums and no head, and the trouble is named."""
    box = Box(tmp_path)
    await polling_of(box).once()
    told = box.fleet.polls[0]["health"]
    assert (told["serving"], told["troubles"]) == (False, ["the kiosk does not answer"])
    assert not {"slots", "money", "head"} & told.keys()


async def test_pauses_grow_while_nobody_answers(box: Box) -> None:
    """From seconds to a quarter of an hour and no further; what was asked for by Retry-After is the least."""
    polling = polling_of(box)
    box.fleet.dark = True
    waits = [(await polling.once())[1] for _ in range(12)]
    assert waits[:3] == [6.25, 12.5, 25.0]
    assert max(waits) == BACK_OFF_S_MAX * 1.25
    box.fleet.dark, box.fleet.refusal = False, OutcomeUnknown("fleet", "status 503", 2000.0)
    assert (await polling.once())[1] == 2500.0
    box.fleet.refusal = HostRefused("fleet", "not_found")
    assert (await polling.once())[1] == REFUSED_S * 1.25
    assert polling.heard.failures == 14
    box.fleet.refusal = None
    answer, wait_s = await polling.once()
    assert (answer is not None, wait_s, polling.heard.failures) == (True, 300.0, 0)


@pytest.mark.parametrize(("sleep_s", "wait_s"), [(0.0, 1.0), (10.0, 10.0), (1e9, 3600.0)])
async def test_the_fleet_says_when_within_reason(box: Box, sleep_s: float, wait_s: float) -> None:
    """Neither a storm nor silence for ever can be asked for."""
    box.fleet.answer = {"sleep_s": sleep_s}
    assert (await polling_of(box).once())[1] == wait_s


@pytest.mark.parametrize("answer", [{"sleep_s": "soon"}, {"commands": 3}, {"time": None}])
async def test_an_answer_that_is_none_is_refused(box: Box, answer: dict[str, object]) -> None:
    """It counts as silence: health and answers are told again."""
    polling = polling_of(box)
    box.fleet.answer = answer
    assert (await polling.once())[0] is None
    assert polling.heard.trouble.startswith("fleet: not an answer")
    box.fleet.answer = {}
    await polling.once()
    assert "health" in box.fleet.polls[-1]


async def test_a_command_is_obeyed_and_answered_with_the_next_question(box: Box) -> None:
    """It comes by the poll, is done beside it, and its answer goes at once, once."""
    box.fleet.answer = {"commands": [command("out_of_service")]}
    polling = polling_of(box)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(polling.run)
        with trio.fail_after(5):
            while not any(poll.get("answers") for poll in box.fleet.polls):
                await trio.sleep(0.01)
            box.fleet.answer = {}
            polling.sooner()
            await trio.sleep(0.05)
        nursery.cancel_scope.cancel()
    told = [answer["command"] for poll in box.fleet.polls for answer in poll.get("answers", [])]
    assert told == [ID.format(1)]
    assert box.fleet.polls[0]["boot"] == 3


async def test_settings_come_with_the_poll_and_are_told(box: Box) -> None:
    """The number that the fleet wants is fetched, and the next question says that it is in force."""
    box.fleet.answer = {"desired_version": box.fleet.wants({"language": "en"}, 7)}
    polling = polling_of(box)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(polling.run)
        with trio.fail_after(5):
            while box.fleet.polls[-1:] == [] or box.fleet.polls[-1].get("desired_version") != 7:
                await trio.sleep(0.01)
        nursery.cancel_scope.cancel()
    assert (box.kiosk.language, polling.desired.trouble) == ("en", "")
    assert [poll["desired_changed"] for poll in box.fleet.polls if poll.get("desired_changed")] == [["language"]]


async def test_an_errand_runs_once_at_a_time(box: Box) -> None:
    """What another part of the agent does with an answer holds up neither polls nor itself."""
    begun = 0

    async def errand(answer: PollAnswer) -> None:
        nonlocal begun
        begun += 1
        await trio.sleep_forever()

    polling = polling_of(box)
    polling.errands = [errand]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(polling.run)
        with trio.fail_after(5):
            while len(box.fleet.polls) < 3:
                polling.sooner()
                await trio.sleep(0.01)
        nursery.cancel_scope.cancel()
    assert begun == 1


async def test_a_day_of_polls_is_small(box: Box) -> None:
    """288 questions and answers with 24 full reports stay far below half a megabyte before TLS."""
    polling, size = polling_of(box), 0
    box.kiosk.broken_slots = {f"run_dir {n}": slot for n, slot in enumerate(("pin_pad", "sam_reader", "page_printer"))}
    for number in range(288):
        if number % 12 == 0:
            polling.health._told_at = float("-inf")
        await polling.once()
        size += len(repr(box.fleet.polls[-1])) + 150
    assert size < 120_000


async def test_figures_say_what_is_known(box: Box) -> None:
    """What no probe told is not shown."""
    polling = polling_of(box)
    assert "yikatong_agent_serving" not in exposition(polling)
    await polling.once()
    text = exposition(polling)
    assert 'yikatong_agent_serving{terminal="T0000001"} 1' in text
    assert 'yikatong_agent_slot_usable{terminal="T0000001",slot="card_reader"} 1' in text
    assert "modem_signal" not in text


async def test_answers_go_in_portions(box: Box) -> None:
    """A terminal that was dark with many commands tells them over several questions."""
    polling = polling_of(box)
    for number in range(40):
        name = f"0190f000-0000-7000-8000-{number:012d}"
        answer = CommandAnswer(command=name, result="done")
        polling.commands.book.keep(Taken(command=name, act="doctor", at=NOW, answer=answer))
    for _ in range(4):
        await polling.once()
    assert [len(poll.get("answers", [])) for poll in box.fleet.polls] == [16, 16, 8, 0]
