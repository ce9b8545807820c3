"""Who hears what of a page: everybody what is no secret, and whoever wears the headset the rest, too."""

from kiosk.domain.text import Text
from screens.moment import BLANK, Moment
from screens.picture import Picture
from screens.speech.player import TONE_PIECE
from screens.speech.script import Utterance, script, sentence
from screens.speech.speaker import Speaker

TONE = Utterance(TONE_PIECE, (TONE_PIECE,), personal=False)


class Voice:
    """``headset``: one is plugged in, and whoever wears it hears what is personal."""

    def __init__(self, speaker: Speaker, headset: bool) -> None:
        self._speaker, self.headset = speaker, headset

    def say(self, moment: Moment, said: list[Utterance]) -> None:
        """Silence the last script, then say this one if the resident wants speech; strangers hear nothing personal."""
        wish = moment.preferences
        if moment.question is BLANK:
            said = []
        heard = [one for one in said if self.headset or not one.personal] if wish.spoken else []
        self._speaker.speak(moment.question.name, heard, wish.language, headset=self.headset)

    def say_page(self, moment: Moment, page: Picture, *more: Text) -> None:
        """Everything that stands on it, then ``more``."""
        language = moment.preferences.language
        self.say(moment, [*script(moment, page), *(one for text in more for one in sentence(text, language))])

    def say_text(self, moment: Moment, text: Text) -> None:
        self.say(moment, sentence(text, moment.preferences.language))

    def call(self, moment: Moment, page: Picture) -> None:
        """For whoever turned away: aloud whatever was chosen, and nothing in it that a stranger may not hear."""
        said = [one for one in script(moment, page) if not one.personal]
        self._speaker.speak(moment.question.name, [TONE, *said], moment.preferences.language)

    def stop(self) -> None:
        self._speaker.stop()
