"""What is spoken for a moment: the question, then the choices with their keys, then how to hear it again.

The loudspeaker says only what a stranger may hear. Names, amounts and every figure go through the headset.
"""

from dataclasses import dataclass

from kiosk.domain.text import Grouped, Text, Value, say
from kiosk.l10n import aloud, spoken_pieces
from kiosk.ports import Answer, Code, Figure, Role, Stars, Waiting
from screens import acts
from screens.moment import Moment
from screens.picture import Picture
from screens.stars.view import PROMPTS


@dataclass(frozen=True)
class Utterance:
    """One sentence. ``pieces`` are its fixed parts and arguments in order; ``msgid`` names it in the log."""

    msgid: str
    pieces: tuple[str, ...]
    personal: bool

    @property
    def words(self) -> str:
        return "".join(self.pieces)


def script(moment: Moment, picture: Picture) -> list[Utterance]:
    """Everything there is to say about the picture, in order, personal or not."""
    language = moment.preferences.language
    said = [_utter(text, language) for text in _question(moment)]
    said += [_figure(figure, language) for figure in picture.figures]
    for text in _choices(moment, picture):
        said.append(_utter(text, language))
        said += _note_of(moment, text, language)
    return said


def warning(moment: Moment) -> list[Utterance]:
    """The idle warning."""
    texts = (
        say("Are you still there?"),
        say("This page closes in {seconds} seconds. Touch here for more time.", seconds=moment.seconds_left or 0),
    )
    return [_utter(text, moment.preferences.language) for text in texts]


def sentence(text: Text, language: str) -> list[Utterance]:
    """One text alone: why an answer is not available, which PIN is wanted now."""
    return [_utter(text, language)]


def _utter(text: Text, language: str) -> Utterance:
    return Utterance(text.msgid, spoken_pieces(text, language), text.personal)


def _question(moment: Moment) -> list[Text]:
    question = moment.question
    texts = [question.spoken] if question.spoken else [question.heading, *question.explain]
    if question.case_code:
        texts.append(say("Number {code}", code=Grouped(question.case_code)))  # who cannot see it must hear it
    if isinstance(question.body, Code):
        texts += question.body.words
    if isinstance(question.body, Stars) and moment.progress:
        texts.append(question.body.prompt or PROMPTS[moment.progress.prompt])
    if isinstance(question.body, Waiting) and moment.waited >= 2:
        texts = [question.body.doing]
    return texts


def _note_of(moment: Moment, choice: Text, language: str) -> list[Utterance]:
    """What stands small beside a choice tells two alike apart. It is about this person: for the headset only."""
    notes = [
        answer.note for answer in moment.question.answers if answer.note and choice.args.get("answer") is answer.label
    ]
    return [Utterance(note.msgid, spoken_pieces(note, language), personal=True) for note in notes]


def _figure(figure: Figure, language: str) -> Utterance:
    """A row is about this person, whatever its value: for the headset only."""
    gap = ", " if language == "en" else "，"
    pieces = [*spoken_pieces(figure.label, language)]
    if figure.value is not None:
        pieces += [gap, *_value(figure.value, language)]
    if figure.note:
        pieces += [gap, *spoken_pieces(figure.note, language)]
    return Utterance(figure.label.msgid, tuple(pieces), personal=True)


def _value(value: Value, language: str) -> tuple[str, ...]:
    return spoken_pieces(value, language) if isinstance(value, Text) else (aloud(value, language),)


def _choices(moment: Moment, picture: Picture) -> list[Text]:
    if isinstance(moment.question.body, Stars):
        return _choices_beside_pin(moment)
    texts = []
    for target in sorted(picture.targets, key=lambda target: target.key if target.key >= 0 else 10):
        value = acts.answered(target.act)
        if value is not None:
            texts.append(_choice(moment.question.answer(value), target.key))
    if picture.pages > 1:
        texts.append(say("Page {page} of {pages}.", page=moment.page + 1, pages=picture.pages))
    if picture.target(acts.NEXT):
        texts.append(say("Press the point key for the next page."))
    if picture.target(acts.PREVIOUS):
        texts.append(say("Press the yellow key for the page before."))
    return [*texts, say("Press 0 to hear this again.")] if texts else texts


def _choices_beside_pin(moment: Moment) -> list[Text]:
    """No digit is ever named while digits are the PIN: who obeyed would spend a try on it."""
    return [_choice(answer, -1) for answer in moment.question.answers if answer.role is Role.BACK]


def _choice(answer: Answer, key: int) -> Text:
    if answer.unavailable:
        return say("{answer}: not now.", answer=answer.label)
    if key >= 0:
        return say("Press {key} for {answer}.", key=key, answer=answer.label)
    if answer.role is Role.MAIN:
        return say("Press the green key for {answer}.", answer=answer.label)
    return say("Press the red key for {answer}.", answer=answer.label)
