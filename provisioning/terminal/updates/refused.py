"""An update that is not done, and why: for the terminal's record, for the fleet, and for the person with the stick."""


class UpdateRefused(Exception):
    """``code`` for programs and lists, the message for people: no path of this machine, nobody's name."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


class SourceSilent(Exception):
    """Nothing came, or it broke off. Not a refusal: it is asked again later."""
