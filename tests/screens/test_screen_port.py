"""``KivyScreen`` keeps the contract of ``ports.Screen``: by keys, without eyes, over time."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from kiosk.domain.card import PinProgress, PinPrompt
from kiosk.ports import PadKey, Preferences, Question
from kiosk.settings.config import Settings
from kiosk.visit.questions import getting_ready, reading_card, take_card
from screens import acts
from screens.patience import DrawnAfter
from screens.picture import Drawing, Words
from screens.speech.player import TONE_PIECE
from screens.speech.script import Utterance
from tests.screens.samples import LONG_NAME, samples
from tests.screens.studio import open_window

WAIT_S_MAX = 5.0


@dataclass
class Listener:
    """A speaker that only listens."""

    said: list[tuple[str, list[Utterance]]] = field(default_factory=list)
    aloud: list[Utterance] = field(default_factory=list)  # everything that the loudspeaker ever said

    def speak(self, question: str, said: Sequence[Utterance], language: str, *, headset: bool = False) -> None:
        self.said.append((question, list(said)))
        self.aloud += [] if headset else said

    def stop(self) -> None:
        self.said.append(("", []))

    @property
    def words(self) -> str:
        return " ".join(one.words for one in self.said[-1][1]) if self.said else ""


def at_once(question: Question, asked: bool) -> float:
    return 0.0


@asynccontextmanager
async def standing(
    tmp_path: Path, settle_s: float = 0.0, drawn_after: DrawnAfter = at_once
) -> AsyncIterator[tuple[Any, Listener]]:
    """A running screen and what it says."""
    open_window()
    from screens.app import KivyScreen

    listener = Listener()
    settings = Settings(run_dir=str(tmp_path), data_dir=str(tmp_path))
    screen = KivyScreen(settings, listener, settle_s, drawn_after)
    async with trio.open_nursery() as nursery:
        await nursery.start(screen.run)
        yield screen, listener
        nursery.cancel_scope.cancel()


async def answer(screen: Any, question: Question, *keys: PadKey) -> str:
    """Ask, press the keys, and return the answer."""
    answers: list[str] = []

    async def ask() -> None:
        answers.append(await screen.ask(question))

    with trio.fail_after(WAIT_S_MAX):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await trio.testing.wait_all_tasks_blocked()
            for key in keys:
                screen.key(key)
    return answers[0]


def shown(screen: Any) -> str:
    return " ".join(item.words for item in screen.picture.items if isinstance(item, Words))


@pytest.mark.parametrize(
    ("name", "keys", "value"),
    [
        ("menu", [PadKey.DIGIT_3], "pin"),
        ("menu", [PadKey.CANCEL], "back"),
        ("menu", [PadKey.DIGIT_9, PadKey.ENTER, PadKey.DIGIT_1], "query"),
        ("wrong_pin", [PadKey.ENTER], "again"),
        ("last_try", [PadKey.ENTER], "stop"),
        ("many", [PadKey.NEXT, PadKey.DIGIT_2], "kind8"),
        ("many", [PadKey.POINT, PadKey.CLEAR, PadKey.DIGIT_2], "kind2"),
        ("attract", [PadKey.DIGIT_1], "no_card"),
        ("menu", [PadKey.HELP], "help"),
        ("menu", [PadKey.LARGE, PadKey.CONTRAST, PadKey.LANGUAGE, PadKey.DIGIT_2], "certificate"),
    ],
)
async def test_every_question_is_answered_by_keys_alone(
    tmp_path: Path, name: str, keys: list[PadKey], value: str
) -> None:
    """Digits choose on the page, green is the main answer, red goes back, pages turn by keys."""
    async with standing(tmp_path) as (screen, _):
        assert await answer(screen, samples()[name], *keys) == value


async def test_an_unavailable_answer_says_why_in_its_place(tmp_path: Path) -> None:
    """Choosing it answers nothing; its tile shows the reason, and the voice says it."""
    async with standing(tmp_path) as (screen, listener):
        keys = [PadKey.SPEAK, PadKey.DIGIT_4, PadKey.DIGIT_1]
        question = samples()["menu"]
        seen: list[str] = []

        async def watch() -> None:
            seen.append(await screen.ask(question))

        with trio.fail_after(WAIT_S_MAX):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(watch)
                await trio.testing.wait_all_tasks_blocked()
                for key in keys[:2]:
                    screen.key(key)
                assert not seen
                assert "请到3号窗口办" in shown(screen).replace(" ", "")
                assert listener.words == "收费口没有开。请到 3 号窗口办。"
                screen.key(keys[2])
        assert seen == ["query"]


async def test_the_loudspeaker_is_discreet_and_the_headset_is_not(tmp_path: Path) -> None:
    """Without a headset no name and no amount is spoken; through it the rows are read with amounts in words."""
    async with standing(tmp_path) as (screen, listener):
        screen.show(samples()["balance"])
        assert listener.words == ""
        screen.key(PadKey.SPEAK)
        assert "您的账户" in listener.words
        assert "按绿键，打凭条" in listener.words
        assert "元" not in listener.words
        assert LONG_NAME not in listener.words
        screen.headset(True)
        assert "一千二百三十四元五角" in listener.words
        assert LONG_NAME in listener.words


async def test_zero_repeats_what_was_said(tmp_path: Path) -> None:
    """0 reads the question again, and starts speech for who did not find the button."""
    async with standing(tmp_path) as (screen, listener):
        screen.show(samples()["menu"])
        assert listener.words == ""
        screen.key(PadKey.DIGIT_0)
        assert screen.preferences.spoken
        assert listener.words.endswith("按 0 再听一遍。")


async def test_amounts_are_hidden_by_a_key_and_in_large_type(tmp_path: Path) -> None:
    """F6 hides and shows; large type begins hidden."""
    async with standing(tmp_path) as (screen, _):
        screen.show(samples()["balance"])
        assert "1,234.50" in shown(screen)
        screen.key(PadKey.HIDE)
        assert "1,234.50" not in shown(screen)
        screen.key(PadKey.HIDE)
        assert "1,234.50" in shown(screen)
        screen.key(PadKey.LARGE)
        assert "1,234.50" not in shown(screen)
        screen.show(samples()["balance"])
        assert "1,234.50" not in shown(screen)


async def test_the_idle_warning_takes_the_next_key(tmp_path: Path) -> None:
    """While the warning stands a key only extends the time; it answers nothing and hides what was there."""
    async with standing(tmp_path) as (screen, _):
        screen.show(samples()["balance"])
        screen.warn_idle(20)
        assert "1,234.50" not in shown(screen)
        assert [target.act for target in screen.picture.targets if target.main] == [acts.STAY]
        before = screen.activity
        screen.key(PadKey.CANCEL)
        assert screen.activity >= before
        assert "1,234.50" in shown(screen)


async def test_stars_show_how_many_digits_and_which_pin(tmp_path: Path) -> None:
    """Filled rings count the digits; the prompt above them changes with the PIN that is wanted."""
    async with standing(tmp_path) as (screen, _):
        screen.show(samples()["pin"])
        screen.stars(PinProgress(PinPrompt.NEW, 4))
        rings = [item.name for item in screen.picture.items if isinstance(item, Drawing) and "digit_" in item.name]
        assert rings == ["digit_typed"] * 4 + ["digit_open"] * 2
        assert "新密码" in shown(screen)


async def test_a_session_leaves_nothing_behind(tmp_path: Path) -> None:
    """After the session the defaults are back, the voice is silent and no word of it is on the glass."""
    async with standing(tmp_path) as (screen, listener):
        screen.show(samples()["balance"])
        screen.key(PadKey.LANGUAGE)
        screen.key(PadKey.SPEAK)
        screen.clear_session()
        assert screen.preferences == Preferences()
        assert listener.said[-1] == ("", [])
        assert "1,234.50" not in shown(screen)
        assert LONG_NAME not in shown(screen)


async def test_a_cancelled_question_has_dead_answers(tmp_path: Path) -> None:
    """When a question is cancelled its picture stands, its keys do nothing, and the next question is not answered."""
    async with standing(tmp_path) as (screen, _):
        with trio.move_on_after(0.05):
            await screen.ask(samples()["menu"])
        screen.key(PadKey.DIGIT_1)
        assert "您想办什么" in shown(screen)
        assert await answer(screen, samples()["menu"], PadKey.DIGIT_2) == "certificate"


async def test_the_first_page_is_one_that_asks_for_more_than_patience(tmp_path: Path) -> None:
    """An empty glass and a page that only waits end no start; what somebody can act on does, once it is drawn."""
    async with standing(tmp_path) as (screen, _):
        for patience in (reading_card(), getting_ready()):
            screen.show(patience)
            await trio.sleep(0.2)
            assert not screen.first_page.is_set(), patience.name
        screen.show(samples()["attract"])
        with trio.fail_after(WAIT_S_MAX):
            await screen.first_page.wait()


async def test_waiting_speaks_up_by_and_by(tmp_path: Path) -> None:
    """Nothing moves for 0.3 s; then the dots stand there."""
    async with standing(tmp_path) as (screen, _):
        screen.show(samples()["waiting"])
        assert not any(isinstance(item, Drawing) and "digit_" in item.name for item in screen.picture.items)
        with trio.fail_after(WAIT_S_MAX):
            while not any(isinstance(item, Drawing) and "digit_" in item.name for item in screen.picture.items):
                await trio.sleep(0.05)


async def test_key_on_a_page_that_just_came_answers_nothing(tmp_path: Path) -> None:
    """A second press of the green key does not answer the page that the first one brought; a later one does."""
    async with standing(tmp_path, settle_s=0.4) as (screen, _):
        answers: list[str] = []

        async def ask() -> None:
            answers.append(await screen.ask(samples()["last_try"]))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await trio.testing.wait_all_tasks_blocked()
            screen.key(PadKey.ENTER)
            await trio.testing.wait_all_tasks_blocked()
            assert answers == []
            await trio.sleep(0.5)
            screen.key(PadKey.ENTER)
        assert answers == ["stop"]


async def test_a_card_left_behind_is_called_for_aloud(tmp_path: Path) -> None:
    """Who turned away hears a tone and a sentence, although no speech was chosen; nothing in it is personal."""
    async with standing(tmp_path) as (screen, listener):
        assert not screen.preferences.spoken
        with trio.fail_after(WAIT_S_MAX):
            screen.show(take_card(with_paper=False, forgotten=True))
            while not any(TONE_PIECE in one.pieces for _, said in listener.said for one in said):
                await trio.sleep(0.02)
        assert "卡" in listener.words
        assert not any(one.personal for one in listener.said[-1][1])
