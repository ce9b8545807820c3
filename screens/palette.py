"""Colours as data, and the contrast between them (WCAG 2.x relative luminance)."""

from dataclasses import dataclass

CONTRAST_MIN_ACTION = 7.0  # a city's own colour must reach this against white text and on paper (ui-direction 1)


def contrast(one: str, other: str) -> float:
    """Contrast of two ``#RRGGBB`` colours, 1.0 to 21.0 (WCAG 2.x, definitions of relative luminance and contrast)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def rgb(colour: str) -> tuple[float, float, float]:
    """``#RRGGBB`` as three shares of one.

    Raises:
        ValueError: not a colour in that form.
    """
    if len(colour) != 7 or colour[0] != "#":
        raise ValueError(f"{colour!r} is not of the form #RRGGBB")
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _luminance(colour: str) -> float:
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@dataclass(frozen=True)
class Palette:
    """Every colour on a screen, by what it is for. ``on_x`` is the text colour that stands on ``x``."""

    paper: str = "#F5F7F6"
    surface: str = "#FFFFFF"
    sunken: str = "#E6ECEB"
    ink: str = "#13212B"
    ink2: str = "#3D4D59"
    line: str = "#5C6A75"
    action: str = "#0F4C6B"
    on_action: str = "#FFFFFF"
    action_down: str = "#0A3650"
    on_action_down: str = "#FFFFFF"
    tint: str = "#DCEAF1"
    on_tint: str = "#13212B"
    header: str = "#0F4C6B"
    on_header: str = "#FFFFFF"
    hands: str = "#FFC247"
    on_hands: str = "#13212B"
    done: str = "#0B6B5B"
    stop: str = "#A61B1B"
    on_tone: str = "#FFFFFF"  # the tick and the bar inside the tone shapes
    ring: str = "#13212B"
    ring_gap: str = "#FFFFFF"


DAY = Palette()
HIGH_CONTRAST = Palette(
    paper="#0B151C",
    surface="#15232D",
    sunken="#15232D",
    ink="#FFFFFF",
    ink2="#D5DEE4",
    line="#8FA1AD",
    action="#FFD24A",
    on_action="#0B151C",
    action_down="#FFFFFF",
    on_action_down="#0B151C",
    tint="#0B151C",
    on_tint="#FFFFFF",
    header="#15232D",
    on_header="#FFFFFF",
    hands="#FFC247",
    on_hands="#0B151C",
    done="#6FD8C2",
    stop="#FF9C93",
    on_tone="#0B151C",
    ring="#FFFFFF",
    ring_gap="#0B151C",
)


def palette(action: str, high_contrast: bool) -> Palette:
    """The palette of the day with the city's ``action``, or the high-contrast one, which no city changes.

    Raises:
        ValueError: ``action`` is no colour, or too weak against white or paper.
    """
    for ground in ("#FFFFFF", DAY.paper):
        if contrast(action, ground) < CONTRAST_MIN_ACTION:
            raise ValueError(f"city.action {action}: contrast to {ground} is below {CONTRAST_MIN_ACTION}")
    if high_contrast:
        return HIGH_CONTRAST
    if action.upper() == DAY.action:
        return DAY
    return Palette(action=action, header=action, action_down=_darker(action))


def _darker(colour: str) -> str:
    return "#" + "".join(f"{round(part * 255 * 0.72):02X}" for part in rgb(colour))
