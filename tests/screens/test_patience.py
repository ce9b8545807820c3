"""What was just set going goes first, the glass follows; and a wait too short to be felt is no page."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from kiosk.domain.money import Fen
from kiosk.domain.text import say
from kiosk.money.purse import Purse
from kiosk.ports import PadKey, Question, Stars
from kiosk.services.bill_pages import feed_notes, looking, notes_coming
from kiosk.visit.questions import reading_card
from screens.map import ASKED_BY
from screens.patience import BRIEF_S, SET_GOING_S, drawn_after_s
from tests.screens.samples import samples
from tests.screens.test_screen_port import WAIT_S_MAX, answer, shown, standing


async def until(holds: Callable[[], bool]) -> None:
    with trio.fail_after(WAIT_S_MAX):
        while not holds():
            await trio.sleep(0.005)


def drawn(run_dir: Path, question: Question) -> Callable[[], bool]:
    """Whether the map of what stands on the glass names it."""
    return lambda: f'"{question.name}"' in (run_dir / "screen.json").read_text()


@pytest.mark.parametrize(
    ("question", "asked", "after_s"),
    [
        (feed_notes(Fen(100), Purse(), ()), True, 0.0),
        (notes_coming(Fen(100)), False, SET_GOING_S),
        (Question("pin_entry", say("Enter your social security PIN"), body=Stars(6, 6)), True, SET_GOING_S),
        (looking(), True, BRIEF_S),
        (reading_card(), False, BRIEF_S),
    ],
)
def test_a_page_waits_for_what_was_set_going_and_for_nothing_else(
    question: Question, asked: bool, after_s: float
) -> None:
    """What hands wait for is drawn at once, what only accompanies a job after it, and a wait when it has become one."""
    assert drawn_after_s(question, asked) == after_s


async def test_a_wait_that_is_over_at_once_is_neither_seen_nor_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two pages that follow each other within milliseconds no third one flickers, and none is announced."""
    monkeypatch.setenv(ASKED_BY, "1")
    menu, wait, bills = samples()["menu"], looking(), samples()["many"]
    async with standing(tmp_path, drawn_after=drawn_after_s) as (screen, listener):
        await answer(screen, menu, PadKey.SPEAK, PadKey.DIGIT_1)
        screen.show(wait)
        assert not drawn(tmp_path, wait)()
        screen.show(bills)
        await until(drawn(tmp_path, bills))
        assert wait.name not in [name for name, _ in listener.said]
        assert bills.name in [name for name, _ in listener.said]


async def test_a_wait_that_lasts_is_seen_and_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of a second later it stands, and is announced then."""
    monkeypatch.setenv(ASKED_BY, "1")
    menu, wait = samples()["menu"], looking()
    async with standing(tmp_path, drawn_after=drawn_after_s) as (screen, listener):
        await answer(screen, menu, PadKey.SPEAK, PadKey.DIGIT_1)
        screen.show(wait)
        await until(drawn(tmp_path, wait))
        assert listener.said[-1][0] == wait.name


async def test_nothing_answers_a_page_that_was_not_seen(tmp_path: Path) -> None:
    """A key that comes before the page stands is not heard, nor one within the 0.4 s after it."""
    many = samples()["many"]
    answers: list[str] = []

    async def ask(screen: Any) -> None:
        answers.append(await screen.ask(many))

    async with standing(tmp_path, settle_s=0.4, drawn_after=lambda question, asked: BRIEF_S) as (screen, _):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, screen)
            await trio.testing.wait_all_tasks_blocked()
            screen.key(PadKey.DIGIT_1)
            await until(lambda: bool(shown(screen)))
            screen.key(PadKey.DIGIT_1)
            assert not answers
            nursery.cancel_scope.cancel()


async def test_leaving_takes_the_page_away_before_the_next_is_drawn(tmp_path: Path) -> None:
    """What was meant to be shown is dropped with the session: no page comes up after everything was cleared."""
    async with standing(tmp_path, drawn_after=drawn_after_s) as (screen, listener):
        blank = shown(screen)
        screen.show(looking())
        screen.clear_session()
        await trio.sleep(2 * BRIEF_S)  # the time it would have come at
        assert shown(screen) == blank
        assert looking().name not in [name for name, _ in listener.said]
