"""What a key of the pad means on a picture: the same answers as the finger has."""

from kiosk.ports import PadKey
from screens import acts
from screens.picture import Picture

_CARE = {
    PadKey.HELP: acts.HELP,
    PadKey.LARGE: acts.LARGE,
    PadKey.SPEAK: acts.SPEAK,
    PadKey.CONTRAST: acts.CONTRAST,
    PadKey.LANGUAGE: acts.LANGUAGE,
    PadKey.HIDE: acts.HIDE,
    PadKey.DIGIT_0: acts.REPEAT,
    PadKey.DOUBLE_ZERO: acts.HELP,  # pads without function keys
}


def act_of(key: PadKey, picture: Picture, back: str, main: str) -> str:
    """The act of ``key``, or "". ``back`` and ``main`` are the acts of those answers, "" where there is none."""
    if picture.target(acts.CLEAR_DIGIT):  # a number is being typed: the digits are its own
        if key.digit is not None:
            return acts.of_digit(key.digit)
        if key is PadKey.CLEAR:
            return acts.CLEAR_DIGIT
    if key in _CARE:
        return _CARE[key]
    if key is PadKey.CANCEL:
        return back
    if key is PadKey.ENTER:
        return main or _page(picture, acts.NEXT)
    if key in (PadKey.CLEAR, PadKey.PREVIOUS):
        return _page(picture, acts.PREVIOUS)
    if key in (PadKey.POINT, PadKey.NEXT):
        return _page(picture, acts.NEXT)
    return next((target.act for target in picture.targets if target.key == key.digit), "")


def _page(picture: Picture, act: str) -> str:
    return act if picture.target(act) else ""
