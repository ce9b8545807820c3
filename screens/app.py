"""``KivyScreen``: the port ``Screen`` on a glass. Holds the moment, redraws on change, turns touches into answers."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import trio

from kiosk.domain.card import PinProgress
from kiosk.domain.text import say
from kiosk.ports import Figures, Hands, Number, PadKey, Preferences, Question, Role, Screen, Waiting, number_given
from kiosk.ports.screen import HELP
from kiosk.settings.config import Settings
from screens import acts, lines, typeface
from screens.compose import compose, compose_dark
from screens.environment import prepare
from screens.frame.header import Sign
from screens.hands import view as hands
from screens.map import ScreenMap
from screens.moment import BLANK, Moment, asks_patience
from screens.number import view as number
from screens.pad import act_of
from screens.patience import ANSWERED_S, DrawnAfter, drawn_after_s
from screens.picture import Picture
from screens.speech.script import warning
from screens.speech.speaker import Sound, Speaker, VoiceSpeaker
from screens.speech.voice import Voice
from screens.stars.view import PROMPTS
from screens.theme import Theme, theme
from screens.touch import SETTLE_S, Touch
from screens.waiting import view as waiting

SHOWN_S = 15.0  # amounts shown on request
OFFER_DARK = say("Press the hide key to make the screen dark, and again to see it.")


class KivyScreen:
    """One glass, one Kivy window, one task ``run``. Construct it before anything imports Kivy."""

    def __init__(
        self,
        settings: Settings,
        speaker: Speaker | None = None,
        settle_s: float = SETTLE_S,
        drawn_after: DrawnAfter = drawn_after_s,
    ) -> None:
        self._settings = settings
        sound = Sound(settings.terminal.loudspeaker, settings.terminal.headset_sound)
        speaker = speaker or VoiceSpeaker(Path(settings.run_dir), settings.voice_dir, sound)
        self._voice = Voice(speaker, settings.terminal.headset)
        self._map = ScreenMap(Path(settings.run_dir), settings.production)
        panel = settings.panel
        prepare(panel.width_px, panel.height_px, Path(settings.run_dir) / "kivy")
        from screens.glass import Glass

        self._sign = Sign(settings.city, settings.terminal)
        self._touch = Touch(settle_s)
        self._drawn_after, self._activity = drawn_after, 0.0
        self._answer: str | None = None
        self._answered: trio.Event | None = None
        self._due: dict[str, float] = {}
        self._since = 0.0
        self._calls = 0
        self._undrawn = False  # the page of the question that is meant
        self.first_page = trio.Event()  # one stands that asks for more than patience
        self._moment = Moment(BLANK, self._defaults(), clock=self._clock())
        self._theme = self._make_theme()
        self._page = self._picture = compose(self._moment, self._theme, self._sign)
        self._glass = Glass(panel.height_px, self._deadline, self._on_time, self._down, self._up)

    # --- the port ---

    @property
    def preferences(self) -> Preferences:
        return self._moment.preferences

    @property
    def activity(self) -> float:
        return self._activity

    async def ask(self, question: Question) -> str:
        self._answer, self._answered = None, trio.Event()
        if question != self._moment.question:
            self._turn_to(question, self._drawn_after(question, True))
        try:
            await self._answered.wait()
        finally:
            self._answered = None
        assert self._answer is not None
        return self._answer

    def show(self, question: Question) -> None:
        self._turn_to(question, self._drawn_after(question, False))

    def _turn_to(self, question: Question, after_s: float) -> None:
        """From now on ``question`` is meant, and soon it stands; nothing answers it that came before it was seen."""
        now = trio.current_time()
        self._since = now
        self._touch.screen_changed(now)
        wish = self._moment.preferences
        self._due, self._calls = self._animation(question, now), 0
        self._moment = self._moment.changed(
            question=question, page=0, progress=None, entry="", refused="", focus="", waited=0, step=0,
            seconds_left=None, amounts_shown=not (wish.large or wish.amounts_hidden),
        )  # fmt: skip
        self._undrawn = True
        if after_s > 0:
            self._due["page"] = now + after_s
            self._glass.wake()
        else:
            self._draw()

    def key(self, key: PadKey) -> None:
        if self._noticed() or self._touch.deaf(self._activity):
            return  # a second press of the green key must not answer a page that nobody has read
        back, main = (acts.of_role(self._moment.question, role) for role in (Role.BACK, Role.MAIN))
        act = acts.DARK if key is PadKey.HIDE and self._voice.headset else act_of(key, self._page, back, main)
        if act:
            self._moment = self._moment.changed(focus=act)
            self._do(act)

    def stars(self, progress: PinProgress) -> None:
        self._activity = trio.current_time()
        before = self._moment.progress
        self._change(progress=progress)
        if before is not None and before.prompt is not progress.prompt:
            self._voice.say_text(self._moment, PROMPTS[progress.prompt])

    def warn_idle(self, seconds_left: int | None) -> None:
        began = self._moment.seconds_left is None and seconds_left is not None
        if seconds_left != self._moment.seconds_left:
            self._change(seconds_left=seconds_left)
        if began:
            self._voice.say(self._moment, warning(self._moment))

    def clear_session(self) -> None:
        self._voice.stop()
        self._due, self._undrawn = {}, False
        self._moment = Moment(BLANK, self._defaults(), clock=self._clock())
        self._theme = self._make_theme()
        self._draw()
        typeface.forget()
        lines.forget()

    # --- beside the port ---

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Open the window and draw until cancelled; started when the first picture stands."""
        self._activity = trio.current_time()
        self._draw()
        try:
            await self._glass.run(task_status)
        finally:
            self._voice.stop()

    def foresee(self, question: Question) -> None:
        """Lay out and rasterise a question that will be asked soon, while nobody waits for it."""
        self._glass.foresee(compose(self._moment.changed(question=question), self._theme, self._sign))

    def headset(self, plugged: bool) -> None:
        """A headset came or went: it starts speech, names and amounts are spoken through it alone, and the glass may be
        made dark. Whoever pulls it out has the picture back, with its amounts hidden."""
        was_dark, self._voice.headset = self._moment.preferences.dark, plugged
        changes = {"amounts_shown": False} if was_dark else {}
        self._prefer(replace(self._moment.preferences, spoken=plugged, dark=False), **changes)
        self._voice.say_page(self._moment, self._page, *([OFFER_DARK] if plugged else []))

    @property
    def picture(self) -> Picture:
        """What is on the glass now, for tests and for the front panel's eyes."""
        return self._picture

    # --- what happens ---

    def _down(self, x: float, y: float) -> None:
        if self._noticed():
            return
        act = self._touch.down(self._picture, x, y, trio.current_time())
        if act:
            self._glass.press(act, True)

    def _up(self, x: float, y: float) -> None:
        pressed = self._touch.pressed
        act = self._touch.up(x, y, trio.current_time())
        if pressed:
            self._glass.press(pressed, False)
        if act:
            self._moment = self._moment.changed(focus="")
            self._do(act)

    def _noticed(self) -> bool:
        """Note the resident's activity; whether it was spent on the idle warning."""
        self._activity = trio.current_time()
        if self._undrawn and not self._touch.deaf(self._activity):
            self._draw()
        if self._moment.seconds_left is None:
            return False
        self._touch.screen_changed(self._activity)
        self._change(seconds_left=None)
        return True

    def _do(self, act: str) -> None:
        wish = self._moment.preferences
        value = acts.answered(act)
        if value is not None:
            self._choose(value)
            return
        body = self._moment.question.body
        if isinstance(body, Number) and (act == acts.CLEAR_DIGIT or acts.digit(act) is not None):
            self._change(entry=number.typed(self._moment.entry, act, body))
            return
        match act:
            case acts.HELP:
                self._give(HELP)
            case acts.LARGE:
                self._prefer(replace(wish, large=not wish.large), amounts_shown=wish.large and not wish.amounts_hidden)
            case acts.CONTRAST:
                self._prefer(replace(wish, contrast=not wish.contrast))
            case acts.LANGUAGE:
                self._prefer(replace(wish, language="en" if wish.language == "zh" else "zh"))
                self._speak_all()
            case acts.SPEAK:
                self._prefer(replace(wish, spoken=not wish.spoken))
                self._speak_all()
            case acts.REPEAT:
                self._prefer(replace(wish, spoken=True))
                self._speak_all()
            case acts.HIDE:
                self._hide()
            case acts.DARK:
                self._darken(not wish.dark)
            case acts.NEXT | acts.PREVIOUS:
                step = 1 if act == acts.NEXT else -1
                self._touch.screen_changed(trio.current_time())
                self._change(page=max(0, min(self._moment.page + step, self._page.pages - 1)), refused="")
                self._speak_all()

    def _choose(self, value: str) -> None:
        answer = self._moment.question.answer(value)
        if answer.unavailable:
            self._change(refused=value)
            self._voice.say_text(self._moment, answer.unavailable)
        elif isinstance(self._moment.question.body, Number) and answer.role is Role.MAIN:
            self._give_number(self._moment.question.body)
        else:
            self._give(value)

    def _give_number(self, body: Number) -> None:
        """Too few digits are no number yet: the field goes on waiting."""
        entry = self._moment.entry
        if len(entry) >= body.digits_min:
            self._moment = self._moment.changed(entry="")
            self._give(number_given(entry))

    def _give(self, value: str) -> None:
        """The first answer counts; without a question waiting it is dead."""
        if self._answered is None or self._answered.is_set():
            self._draw()
            return
        self._answer = value
        self._answered.set()
        self._due["ring"] = trio.current_time() + ANSWERED_S
        self._glass.wake()

    def _prefer(self, wish: Preferences, **changes: object) -> None:
        paged = wish.large != self._moment.preferences.large or wish.language != self._moment.preferences.language
        self._moment = self._moment.changed(preferences=wish, page=0 if paged else self._moment.page, **changes)
        self._theme = self._make_theme()
        self._draw()

    def _hide(self) -> None:
        """Hide at once; or show for a while."""
        if not isinstance(self._moment.question.body, Figures):
            return
        shown = not self._moment.amounts_shown
        wish = replace(self._moment.preferences, amounts_hidden=not shown or self._moment.preferences.amounts_hidden)
        if shown:
            self._due["hide"] = trio.current_time() + SHOWN_S
        else:
            self._due.pop("hide", None)
        self._change(amounts_shown=shown, preferences=wish)

    def _darken(self, dark: bool) -> None:
        """Everything that can be seen is taken away; what comes back has its amounts hidden: others may stand there."""
        self._prefer(replace(self._moment.preferences, dark=dark), amounts_shown=False)
        words = say("The screen is dark now.") if dark else say("The screen can be seen again.")
        self._voice.say_text(self._moment, words)

    def _speak_all(self) -> None:
        self._voice.say_page(self._moment, self._page)

    def _call(self, now: float) -> None:
        self._calls += 1
        body = self._moment.question.body
        call = body.call if isinstance(body, Hands) else None
        if call is not None and self._calls < call.times:
            self._due["call"] = now + call.every_s
        self._voice.call(self._moment, self._page)

    # --- time ---

    def _animation(self, question: Question, now: float) -> dict[str, float]:
        if isinstance(question.body, Waiting):
            return {"waited": now + waiting.STAGES_S[0]}
        if isinstance(question.body, Hands):
            call = question.body.call
            return {"arrow": now + hands.STEP_S, **({"call": now + call.first_s} if call else {})}
        return {}

    def _deadline(self) -> float:
        """The next change that time alone makes; the header's clock changes with the minute."""
        minute = trio.current_time() + 60.0 - datetime.now().second
        return min(self._due.values(), default=minute)

    def _on_time(self) -> None:
        now = trio.current_time()
        for name in [name for name, due in self._due.items() if due <= now]:
            del self._due[name]
            self._elapse(name, now)
        if self._clock() != self._moment.clock:
            self._change(clock=self._clock())
            self._glass.rest()

    def _elapse(self, name: str, now: float) -> None:
        moment = self._moment
        match name:
            case "page" | "ring":
                self._draw()
            case "hide":
                self._change(amounts_shown=False)
            case "waited":
                waited = moment.waited + 1
                if waited < len(waiting.STAGES_S):
                    self._due["waited"] = self._since + waiting.STAGES_S[waited]
                self._due.setdefault("dots", now + waiting.STEP_S)
                self._change(waited=waited)
                if waited == 2:
                    self._speak_all()
            case "dots":
                self._due["dots"] = now + waiting.STEP_S
                self._change(step=moment.step + 1)
            case "call":
                self._call(now)
            case "arrow":
                if moment.step + 1 < hands.ARROW_STEPS:
                    self._due["arrow"] = now + hands.STEP_S
                self._change(step=moment.step + 1)

    # --- drawing ---

    def _change(self, **changes: object) -> None:
        self._moment = self._moment.changed(**changes)
        self._draw()

    def _draw(self) -> None:
        self._page = self._picture = compose(self._moment, self._theme, self._sign)
        if self._moment.preferences.dark:
            self._picture = compose_dark(self._moment, self._make_theme(contrast=True))
        self._glass.paint(self._picture)
        self._map.draw(self._moment.question.name, self._picture)
        if self._undrawn:
            self._undrawn = False
            if not asks_patience(self._moment.question):
                self._glass.once_drawn(self.first_page.set)
            self._touch.screen_changed(trio.current_time())
            self._speak_all()

    def _make_theme(self, contrast: bool = False) -> Theme:
        panel, wish = self._settings.panel, self._moment.preferences
        return theme(
            panel.width_px, panel.height_px, panel.mm_per_px, panel.screen_bottom_mm, wish.large,
            wish.contrast or contrast,
            panel.low_reach, self._settings.city.action,
        )  # fmt: skip

    def _defaults(self) -> Preferences:
        return Preferences(language=self._settings.language, spoken=self._voice.headset)

    def _clock(self) -> str:
        return f"{datetime.now():%H:%M}"


def _implements(screen: KivyScreen) -> Screen:
    return screen
